"""Bits per byte against compute: every run, and the frontier without retrieval that the multiplier is read off."""

from typing import TYPE_CHECKING

from hutch.reports import themes
from hutch.reports.formats import count, decimal, power, spread
from hutch.reports.reading import Analysis, Missing, interval, items
from hutch.reports.retrieval.looks import band, look_of
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go


def draw(analysis: Analysis, theme: Theme) -> "go.Figure":
    """The figure. Raises `Missing` where no run ended well."""
    runs = [r for r in items(analysis, "runs") if r.get("status") == "done" and r.get("bits_per_byte") and r["flops"]]
    points = list(items(analysis, "frontier"))
    if not runs or not points:
        raise Missing("There is no frontier without retrieval.")
    flops = [run["flops"] for run in runs]
    values = [run["bits_per_byte"] for run in runs]
    values += [v for p in points for name in ("low", "high") if (v := p["bits_per_byte"].get(name)) is not None]
    room = 0.06 * (max(values) - min(values) or 1.0)
    figure = themes.new_figure(
        theme,
        height=430,
        x=themes.log_axis(theme, "training FLOPs, search included", min(flops) / 1.15, max(flops) * 1.15, power),
        y=themes.axis(theme, "bits per byte", range=[min(values) - room, max(values) + room]),
    )
    xs = [point["flops"] for point in points]
    plain, retro = look_of("plain", theme), look_of("on", theme)
    shade = band(xs, [point["bits_per_byte"] for point in points], plain.colour)
    if shade:
        figure.add_scatter(**shade)
    figure.add_scatter(
        x=xs, y=[point["bits_per_byte"]["value"] for point in points], mode="lines", name="frontier without retrieval",
        line={"color": plain.colour, "width": 2}, hoverinfo="skip",
    )  # fmt: skip
    for name, look, mine in (
        ("without retrieval", plain, [run for run in runs if not str(run["role"]).startswith("retro")]),
        ("with retrieval", retro, [run for run in runs if str(run["role"]).startswith("retro")]),
    ):
        figure.add_scatter(
            x=[run["flops"] for run in mine],
            y=[run["bits_per_byte"] for run in mine],
            mode="markers",
            marker={"size": 9, "color": look.colour, "symbol": look.symbol, "line": {"width": 1, "color": theme.paper}},
            name=name,
            customdata=[
                f"<b>{name}</b> ({run['role']})<br>width {run['width']}, {count(run['tokens'])} tokens"
                f"<br>{power(run['flops'], 3)} FLOPs<br>{decimal(run['bits_per_byte'])} bits per byte"
                for run in mine
            ],
            hovertemplate=themes.HOVER,
        )
    return figure


def describe(analysis: Analysis) -> str:
    """The figure in words."""
    told = [
        f"{power(point['flops'])} FLOPs {spread(interval(point['bits_per_byte']))}"
        for point in items(analysis, "frontier")
    ]
    return f"Bits per byte against training compute. Frontier without retrieval: {'; '.join(told)}."
