"""What retrieval gains over the same model trained on the same tokens: against the database's size, and against k."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.formats import count, fine, level, power, spread
from hutch.reports.reading import Analysis, Missing, interval, items, part, reason
from hutch.reports.retrieval.looks import band, look_of, span
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

AXIS = "gain (bits per byte)"


def draw_database(analysis: Analysis, theme: Theme) -> "go.Figure":
    """Gain against tokens of the database; the point without one stands at the left. Raises `Missing`."""
    mean = items(analysis, "database_curve", "mean")
    tokens = list(items(analysis, "database_curve", "tokens"))
    if not mean or len(tokens) < 2:
        raise Missing(reason(analysis, "database_curve"))
    sizes = tokens[1:]
    step = (sizes[-1] / sizes[0]) ** (1 / max(1, len(sizes) - 1)) if len(sizes) > 1 else 4.0
    xs = [sizes[0] / step, *sizes]
    words = ["none", *(count(size) for size in sizes)]
    x = themes.axis(theme, "tokens in the database", type="log", tickvals=xs, ticktext=words)
    return _draw(analysis, theme, "database_curve", xs, [f"database {w}" for w in words], x)


def draw_neighbours(analysis: Analysis, theme: Theme) -> "go.Figure":
    """Gain against k at evaluation. Raises `Missing`."""
    ks = list(items(analysis, "neighbours_curve", "neighbours"))
    if not items(analysis, "neighbours_curve", "mean") or not ks:
        raise Missing(reason(analysis, "neighbours_curve"))
    x = themes.axis(theme, "neighbours k at evaluation", tickvals=ks, ticktext=[str(k) for k in ks], type="log")
    return _draw(analysis, theme, "neighbours_curve", ks, [f"k = {k}" for k in ks], x)


def _draw(
    analysis: Analysis, theme: Theme, curve: str, xs: list[float], words: Sequence[str], x: dict[str, Any]
) -> "go.Figure":
    """The mean with its interval, thick, over one thin line a size."""
    mean, cells = list(items(analysis, curve, "mean")), list(items(analysis, curve, "cells"))
    cells = [cell for cell in cells if len(cell["gain"]) == len(xs)]
    shown = (
        mean
        + list(items(analysis, curve, "mean_over_off"))
        + [point for cell in cells for point in ({"value": p["value"]} for p in cell["gain"])]
    )
    figure = themes.new_figure(theme, height=430, x=x, y=themes.axis(theme, AXIS, range=span(shown, zero=True)))
    figure.add_hline(y=0, line={"color": theme.muted, "width": 1, "dash": "dot"}, layer="below")
    colours = themes.budget_colours(list(range(len(cells))), theme)
    for place, cell in enumerate(cells if len(cells) > 1 else []):
        _line(figure, xs, cell, words, colours[place], theme)
    shade = band(xs, mean, theme.optimal)
    if shade:
        figure.add_scatter(**shade)
    _over_off(figure, xs, list(items(analysis, curve, "mean_over_off")), words, theme)
    figure.add_scatter(
        x=xs,
        y=[point["value"] for point in mean],
        mode="lines+markers",
        line={"color": theme.optimal, "width": 3},
        marker={"size": 9, "color": theme.optimal, "line": {"width": 1, "color": theme.paper}},
        error_y=themes.interval_bars([interval(point) for point in mean], theme.optimal),
        name="mean of all sizes" if len(cells) > 1 else "gain",
        customdata=[_told("mean of all sizes" if len(cells) > 1 else "gain", w, p)
                    for w, p in zip(words, mean, strict=True)],
        hovertemplate=themes.HOVER,
    )  # fmt: skip
    return figure


def _over_off(
    figure: "go.Figure", xs: list[float], points: list[Mapping[str, Any]], words: Sequence[str], theme: Theme
) -> None:
    """The same model with retrieval against without: no other training run has a part in its intervals."""
    if len(points) != len(xs):
        return
    look = look_of("off", theme)
    shade = band(xs, points, look.colour)
    if shade:
        figure.add_scatter(**shade)
    figure.add_scatter(
        x=xs,
        y=[point["value"] for point in points],
        mode="lines+markers",
        line={"color": look.colour, "width": 2, "dash": look.dash},
        marker={"size": 7, "color": look.colour, "symbol": look.symbol},
        name="mean, over the same models switched off",
        customdata=[_told("over the same models switched off", w, p) for w, p in zip(words, points, strict=True)],
        hovertemplate=themes.HOVER,
    )


def _line(
    figure: "go.Figure", xs: list[float], cell: Mapping[str, Any], words: Sequence[str], colour: str, theme: Theme
) -> None:
    name = f"width {cell['width']}, {power(cell['budget'])} FLOPs"
    figure.add_scatter(
        x=xs,
        y=[point["value"] for point in cell["gain"]],
        mode="lines+markers",
        line={"color": colour, "width": 1.25, "dash": "dot"},
        marker={"size": 5, "color": colour},
        name=name,
        customdata=[_told(name, w, p) for w, p in zip(words, cell["gain"], strict=True)],
        hovertemplate=themes.HOVER,
    )


def _told(name: str, words: str, point: Mapping[str, Any]) -> str:
    estimate = interval(point)
    return f"<b>{escape(name)}</b><br>{words}<br>gain {spread(estimate, fine(estimate))}<br>{level(estimate)}"


def describe_database(analysis: Analysis) -> str:
    """The figure in words."""
    mean = [interval(point) for point in items(analysis, "database_curve", "mean")]
    tokens = items(analysis, "database_curve", "tokens")
    told = "; ".join(
        f"{count(size)} tokens {spread(point, fine(point))}" for size, point in zip(tokens, mean, strict=False)
    )
    line = interval(part(analysis, "database_curve").get("slope"))
    return (
        f"Gain in bits per byte against the size of the database: {told}. Slope a doubling {spread(line, fine(line))}."
    )


def describe_neighbours(analysis: Analysis) -> str:
    """The figure in words."""
    mean = [interval(point) for point in items(analysis, "neighbours_curve", "mean")]
    ks = items(analysis, "neighbours_curve", "neighbours")
    told = "; ".join(f"{k}: {spread(point, fine(point))}" for k, point in zip(ks, mean, strict=False))
    return f"Gain in bits per byte against the number of neighbours at evaluation: {told}."
