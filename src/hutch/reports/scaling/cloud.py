"""The bootstrap draws of the parametric fit: exponent a against irreducible loss E, beside published fits."""

from html import escape
from typing import TYPE_CHECKING

from hutch.reports import themes
from hutch.reports.formats import level, significant, spread
from hutch.reports.reading import Interval, Missing, interval, items
from hutch.reports.scaling import approaches
from hutch.reports.scaling.approaches import Document, translucent
from hutch.reports.scaling.papers import ParametricPoint, paper_of, parametric_points
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST = 2000
"""Draws that are drawn."""
REACH = 1.2
"""How far, in widths of the interval, the frame goes beyond its ends at most."""


def draw(document: Document, theme: Theme) -> "go.Figure":
    """The figure. Raises `Missing` without draws."""
    a, E = _estimates(document)
    draws = _draws(document)
    if not draws or not a.known or not E.known:
        raise Missing("There are no bootstrap draws to show." if a.known else approaches.why(document, "parametric"))
    x_span, y_span = (_span(e, [d[i] for d in draws], i) for i, e in enumerate((a, E)))
    unit = escape(approaches.loss_unit(document))
    figure = themes.new_figure(
        theme,
        height=400,
        x=themes.axis(theme, "exponent a (N ∝ C<sup>a</sup>)", range=list(x_span), nticks=7),
        y=themes.axis(theme, f"irreducible loss E ({unit})", range=list(y_span), nticks=7),
    )
    _draw_intervals(figure, a, E, theme)
    figure.add_scatter(
        x=[d[0] for d in draws],
        y=[d[1] for d in draws],
        mode="markers",
        marker={"size": 4, "color": translucent(theme.other, 0.35)},
        name="resamples of the runs",
        hoverinfo="skip",
    )
    _draw_estimate(figure, a, E, theme)
    _draw_their_fits(figure, document, theme)
    return figure


def _estimates(document: Document) -> tuple[Interval, Interval]:
    fit = approaches.fit(document, "parametric")
    return interval(fit.get("a")), interval(fit.get("E"))


def _draws(document: Document) -> list[tuple[float, float]]:
    pairs = zip(*(items(document, "drawing", "parametric", "cloud", name) for name in ("a", "E")), strict=False)
    return [(a, E) for a, E in pairs if a is not None and E is not None][:MOST]


def _span(estimate: Interval, draws: list[float], axis: int) -> tuple[float, float]:
    """The draws, as far as `REACH`, and the published fits where they are as near."""
    value = estimate.value or 0.0
    low, high = (value if end is None else end for end in (estimate.low, estimate.high))
    width = (high - low) or abs(value) * 0.1 or 1.0
    floor, ceiling = low - REACH * width, high + REACH * width
    near = [(p.a, p.E)[axis] for p in parametric_points()]
    shown = [v for v in (*draws, *near, value) if floor <= v <= ceiling]
    return min(shown) - 0.12 * width, max(shown) + 0.12 * width


def inside(document: Document) -> list[ParametricPoint]:
    """The published fits that lie in the frame."""
    estimates, draws = _estimates(document), _draws(document)
    if not draws:
        return []
    a, E = (_span(e, [d[i] for d in draws], i) for i, e in enumerate(estimates))
    return [p for p in parametric_points() if a[0] <= p.a <= a[1] and E[0] <= p.E <= E[1]]


def outside(document: Document) -> str:
    """The published fits that lie beyond the frame, empty where all lie in it."""
    shown = inside(document)
    lost = [f"{p.name} (a {significant(p.a)}, E {significant(p.E)})" for p in parametric_points() if p not in shown]
    return f"Beyond the frame: {', '.join(lost)}." if lost else ""


def _draw_intervals(figure: "go.Figure", a: Interval, E: Interval, theme: Theme) -> None:
    """The marginal intervals as bands across the frame."""
    look = {"fillcolor": theme.grid, "opacity": 0.6, "line_width": 0, "layer": "below"}
    if a.bounded:
        figure.add_vrect(x0=a.low, x1=a.high, **look)
    if E.bounded:
        figure.add_hrect(y0=E.low, y1=E.high, **look)


def _draw_estimate(figure: "go.Figure", a: Interval, E: Interval, theme: Theme) -> None:
    figure.add_scatter(
        x=[a.value],
        y=[E.value],
        mode="markers",
        marker={
            "symbol": "diamond",
            "size": 12,
            "color": theme.other,
            "line": {"color": theme.ink, "width": 1.5},
        },
        name="this fit",
        customdata=[f"<b>this fit</b><br>a {spread(a, significant)}<br>E {spread(E, significant)}<br>{level(a)}"],
        hovertemplate=themes.HOVER,
    )


def _draw_their_fits(figure: "go.Figure", document: Document, theme: Theme) -> None:
    """Open squares in the colours of their papers."""
    for point in inside(document):
        colour = paper_of(point.name, theme).colour
        figure.add_scatter(
            x=[point.a],
            y=[point.E],
            mode="markers",
            marker={"symbol": "square-open", "size": 12, "color": colour, "line": {"width": 2.5, "color": colour}},
            name=point.name,
            customdata=[f"<b>{point.source}</b><br>a {significant(point.a)}<br>E {significant(point.E)}"],
            hovertemplate=themes.HOVER,
        )


def describe(document: Document) -> str:
    """The figure in words."""
    a, E = _estimates(document)
    return (
        f"{len(_draws(document))} bootstrap draws of the exponent a and the irreducible loss E. "
        f"This fit: a {spread(a, significant)}, E {spread(E, significant)}."
    )
