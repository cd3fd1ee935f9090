"""How a budget is split: optimal parameters (or tokens) against compute, by approach, beside published laws."""

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.formats import count, decimal, grouped, percent, power, spread
from hutch.reports.growth import Quantity, draw_band
from hutch.reports.reading import Interval, Missing, interval, items, part
from hutch.reports.scaling import approaches
from hutch.reports.scaling.approaches import Document
from hutch.reports.scaling.papers import PublishedLine, draw_laws
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

BAND = 0.16
REACH = 4.0
"""How far beyond our laws and minima an interval or a published law may stretch the axis."""


def draw(document: Document, theme: Theme, quantity: Quantity) -> "go.Figure":
    """The figure. Raises `Missing` where no approach found an optimum."""
    compute = items(document, "drawing", "compute")
    laws = {name: part(document, "drawing", "laws", name, quantity.name) for name in approaches.with_law(document)}
    ours = [value for band in laws.values() for value in band.get("value") or () if value]
    ours += [optimum.value for _, optimum, _ in _minima(document, quantity)]
    spent = [*compute, *(flops for flops, _, _ in _minima(document, quantity))]
    if not ours or not spent:
        raise Missing("No approach found an optimum, so there is nothing to draw against compute.")
    low, high = min(ours) / 1.6, max(ours) * 1.6
    figure = themes.new_figure(
        theme,
        height=470,
        x=themes.log_axis(theme, "training compute C (FLOPs)", min(spent) / 1.3, max(spent) * 1.3, power),
        y=themes.log_axis(theme, f"optimal {quantity.name} {quantity.symbol}", low, high, count),
    )
    _shade(figure, document, theme)
    draw_laws(figure, _published(document, quantity), theme, apart=False)
    for approach, band in laws.items():
        _draw_law(figure, document, theme, quantity, approach, band)
    _draw_envelope(figure, document, theme, quantity)
    _draw_minima(figure, document, theme, quantity)
    return figure


def _shade(figure: "go.Figure", document: Document, theme: Theme) -> None:
    """The compute that the runs cover: what lies outside is extrapolated."""
    covered = approaches.compute_range(document)
    if covered is None:
        return
    figure.add_vrect(x0=covered[0], x1=covered[1], fillcolor=theme.grid, opacity=0.55, line_width=0, layer="below")
    for words, x, up, across in (
        ("compute of the runs", covered[0], 0.985, "left"),
        ("extrapolated", covered[1], 0.015, "left"),
    ):
        figure.add_annotation(
            text=words,
            # A logarithmic axis takes the logarithm here.
            x=math.log10(x),
            y=up,
            yref="y domain",
            xanchor=across,
            yanchor="top" if up > 0.5 else "bottom",
            showarrow=False,
            font={"size": 12, "color": theme.muted},
        )


def _published(document: Document, quantity: Quantity) -> list[PublishedLine]:
    """Published laws where they lie."""
    compute = list(items(document, "drawing", "compute"))
    columns = [(str(law["name"]), law.get(quantity.name) or ()) for law in items(document, "drawing", "published")]
    return [
        PublishedLine(name=name, x=compute, y=column, told=_told(f"{name} (published)", compute, column, quantity))
        for name, column in columns
    ]


def _draw_law(
    figure: "go.Figure", document: Document, theme: Theme, quantity: Quantity, approach: str, band: Any
) -> None:
    """One of our laws with its band."""
    compute, colour = list(items(document, "drawing", "compute")), approaches.colour(approach, theme)
    draw_band(figure, compute, band, approaches.translucent(colour, BAND), approach)
    estimate = approaches.exponent(document, approach, quantity.exponent)
    figure.add_scatter(
        x=compute,
        y=band.get("value"),
        mode="lines",
        line={"color": colour, "width": 2.5},
        name=f"{approaches.NAMES[approach]}: C<sup>{decimal(estimate.value)}</sup>",
        legendgroup=approach,
        legendrank=1,
        customdata=_told(approaches.label(approach), compute, band.get("value") or (), quantity, band),
        hovertemplate=themes.HOVER,
    )


def _told(
    name: str, compute: Sequence[float], values: Sequence[float], quantity: Quantity, band: Any = None
) -> list[str]:
    """Each point of a line, exactly."""
    unknown: list[None] = [None] * len(compute)
    lows, highs = ((band or {}).get(end) or unknown for end in ("low", "high"))
    level = (band or {}).get("level")
    at = f" ({percent(level)} interval)" if level else ""
    return [
        f"<b>{escape(name)}</b><br>{power(c)} FLOPs<br>optimal {quantity.name} "
        f"{spread(Interval(v, low, high), count)}{at if low is not None else ''}"
        for c, v, low, high in zip(compute, values, lows, highs, strict=False)
    ]


def _minima(document: Document, quantity: Quantity) -> list[tuple[float, Interval, float]]:
    """(compute, optimum, budget) of every isoFLOP profile that entered the law."""
    return [
        (float(p.get("compute") or p["budget"]), interval(p.get(quantity.optimum)), float(p["budget"]))
        for p in items(document, "fits", "isoflop", "profiles")
        if p.get("used") and interval(p.get(quantity.optimum)).known
    ]


def _draw_minima(figure: "go.Figure", document: Document, theme: Theme, quantity: Quantity) -> None:
    """The minimum of each profile with its interval."""
    minima = _minima(document, quantity)
    if not minima:
        return
    figure.add_scatter(
        x=[c for c, _, _ in minima],
        y=[m.value for _, m, _ in minima],
        mode="markers",
        error_y=themes.interval_bars([m for _, m, _ in minima], theme.optimal),
        marker={
            "symbol": "diamond",
            "size": 9,
            "color": theme.optimal,
            "line": {"color": theme.paper, "width": 1},
        },
        name="isoFLOP minima",
        legendrank=2,
        customdata=[
            f"<b>minimum at {power(b)} FLOPs</b><br>{quantity.name} {grouped(m.value)}<br>{spread(m, count)}"
            for _, m, b in minima
        ],
        hovertemplate=themes.HOVER,
    )


def _draw_envelope(figure: "go.Figure", document: Document, theme: Theme, quantity: Quantity) -> None:
    """The points of the training envelope that the law of approach 1 goes through."""
    points = part(document, "drawing", "envelope_points")
    columns = [points.get(name) or [] for name in ("flops", quantity.name)]
    used = points.get("used") or [True] * len(columns[0])
    rows = [(flops, size) for flops, size, kept in zip(*columns, used, strict=False) if kept]
    if not rows:
        return
    spent, sizes = [flops for flops, _ in rows], [size for _, size in rows]
    figure.add_scatter(
        x=spent,
        y=sizes,
        mode="markers",
        marker={"symbol": "circle", "size": 4, "color": theme.ink, "opacity": 0.45},
        name="training envelope",
        legendrank=3,
        customdata=_told("training envelope", spent, sizes, quantity),
        hovertemplate=themes.HOVER,
    )


def describe(document: Document, quantity: Quantity) -> str:
    """The figure in words."""
    ours = [
        f"{approaches.label(name)} grows as C to the power {spread(estimate)}"
        for name in approaches.with_law(document)
        if (estimate := approaches.exponent(document, name, quantity.exponent)).known
    ]
    return (
        f"Optimal {quantity.name} against training compute, both logarithmic, carried beyond the runs. "
        f"{'; '.join(ours) or 'No law was fitted'}. Published laws are drawn beside them."
    )
