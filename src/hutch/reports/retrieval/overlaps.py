"""How much is copying: bits per byte, and what retrieval gains, on chunks with at most a given overlap.

Borgeaud et al. 2021, figure 6: the allowed overlap α falls from right to left.
"""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.formats import decimal, fine, grouped, level, percent, spread
from hutch.reports.reading import Analysis, Missing, interval, items, part
from hutch.reports.retrieval.looks import NAMES, band, look_of, span
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

MODES = {"neighbours": "by the ten nearest neighbours (the paper's)", "exact": "by the longest match anywhere"}


def _curve(analysis: Analysis, mode: str) -> tuple[Mapping[str, Any], list[int]]:
    """A curve and the places on it where chunks are left; raises `Missing`."""
    curve = part(analysis, "copying", mode)
    models = part(curve, "models")
    if not models:
        raise Missing("The overlaps were not measured.")
    places = [i for i, point in enumerate(next(iter(models.values()))) if point["value"] is not None]
    if not places:
        raise Missing("No chunk is left at any overlap.")
    return curve, places


def draw_bits(analysis: Analysis, theme: Theme, mode: str = "exact") -> "go.Figure":
    """bpb(α) of all kinds of models. Raises `Missing`."""
    curve, places = _curve(analysis, mode)
    models = {kind: [curve["models"][kind][i] for i in places] for kind in NAMES if kind in curve["models"]}
    xs = [curve["alphas"][i] for i in places]
    values = [{"value": p["value"]} for points in models.values() for p in points]
    figure = themes.new_figure(
        theme,
        height=430,
        x=_axis(theme, analysis),
        y=themes.axis(theme, "bits per byte", range=span(values, zero=False)),
    )
    for kind, points in models.items():
        look = look_of(kind, theme)
        figure.add_scatter(
            x=xs,
            y=[point["value"] for point in points],
            mode="lines+markers",
            line={"color": look.colour, "width": 2, "dash": look.dash},
            marker={"size": 7, "color": look.colour, "symbol": look.symbol},
            name=NAMES[kind],
            customdata=[
                f"<b>{escape(NAMES[kind])}</b><br>r ≤ {percent(a, 1)}: {grouped(curve['chunks'][i])} chunks, "
                f"{percent(curve['byte_share'][i])} of the bytes<br>{spread(interval(p))} bits per byte"
                f"<br>{level(interval(p))}"
                for a, i, p in zip(xs, places, points, strict=True)
            ],
            hovertemplate=themes.HOVER,
        )
    _named(figure, analysis, theme)
    return figure


def draw_gain(analysis: Analysis, theme: Theme, mode: str) -> "go.Figure":
    """What retrieval gains over each other kind at each α, with intervals. Raises `Missing`."""
    curve, places = _curve(analysis, mode)
    xs = [curve["alphas"][i] for i in places]
    gains = {kind: [points[i] for i in places] for kind, points in part(curve, "gains").items() if kind in NAMES}
    shown = [point for points in gains.values() for point in points]
    figure = themes.new_figure(
        theme, height=380, x=_axis(theme, analysis),
        y=themes.axis(theme, "gain (bits per byte)", range=span(shown, zero=True)),
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": theme.muted, "width": 1, "dash": "dot"}, layer="below")
    for kind, points in gains.items():
        look = look_of(kind, theme)
        shade = band(xs, points, look.colour)
        if shade:
            figure.add_scatter(**shade)
        figure.add_scatter(
            x=xs,
            y=[point["value"] for point in points],
            mode="lines+markers",
            line={"color": look.colour, "width": 2, "dash": look.dash},
            marker={"size": 7, "color": look.colour, "symbol": look.symbol},
            name=f"over: {NAMES[kind]}",
            customdata=[
                f"<b>over: {escape(NAMES[kind])}</b><br>r ≤ {percent(a, 1)}, {grouped(curve['chunks'][i])} chunks"
                f"<br>gain {spread(interval(p), fine(interval(p)))}<br>{level(interval(p))}"
                for a, i, p in zip(xs, places, points, strict=True)
            ],
            hovertemplate=themes.HOVER,
        )
    _named(figure, analysis, theme)
    return figure


def _axis(theme: Theme, analysis: Analysis) -> dict[str, Any]:
    ticks = [0.125, 0.25, 0.375, 0.5, 0.75, 1.0]
    return themes.axis(
        theme, "allowed overlap α with the training text", range=[0.02, 1.04], tickvals=ticks,
        ticktext=[f"{100 * tick:g} %" for tick in ticks],
    )  # fmt: skip


def _named(figure: "go.Figure", analysis: Analysis, theme: Theme) -> None:
    """A line at the α that the paper quotes."""
    named = part(analysis, "copying").get("named")
    if named is not None:
        figure.add_vline(x=named, line={"color": theme.muted, "width": 1, "dash": "dot"}, layer="below")


def describe(analysis: Analysis, mode: str) -> str:
    """Both figures of a mode in words."""
    curve = part(analysis, "copying", mode)
    told = [
        f"at most {percent(alpha, 1)}: {decimal(on.get('value'))} with retrieval"
        for alpha, on in zip(items(curve, "alphas"), items(curve, "models", "on"), strict=False)
    ]
    return f"Bits per byte against the allowed overlap, {MODES[mode]}: {'; '.join(told)}."
