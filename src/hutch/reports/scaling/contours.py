"""The fitted loss as contours over compute and parameters, the efficient frontier, and the runs (Hoffmann et
al. 2022, figure 4, left)."""

import math
from html import escape
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.formats import count, even_ticks, power, significant
from hutch.reports.growth import draw_band
from hutch.reports.reading import Missing, items, part
from hutch.reports.scaling import approaches
from hutch.reports.scaling.approaches import Document, translucent
from hutch.reports.scaling.runs_told import told
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

LINES = 16
"""Levels of loss at most."""
BEYOND = 5.0
"""How far in compute the picture goes past the largest run."""


def draw(document: Document, theme: Theme) -> "go.Figure":
    """The figure. Raises `Missing` without a parametric law."""
    grid = part(document, "drawing", "parametric", "contours")
    compute, sizes, losses = (grid.get(name) or [] for name in ("compute", "parameters", "loss"))
    known = [loss for row in losses for loss in row if loss is not None]
    if not known:
        raise Missing(approaches.why(document, "parametric"))
    across, up = _frame(document, compute, sizes)
    figure = themes.new_figure(
        theme,
        height=520,
        x=themes.log_axis(theme, "training compute C (FLOPs)", *across, power),
        y=themes.log_axis(theme, "parameters N", *up, count),
    )
    # Contours would put tick marks on both axes; our other figures have none.
    figure.update_layout(xaxis_ticks="", yaxis_ticks="")
    low, high = _losses(document, known)
    for level in levels(low, high):
        _draw_level(figure, theme, (compute, sizes, losses), level, (low, high))
    _draw_frontier(figure, document, theme)
    _draw_runs(figure, document, theme, (low, high))
    return figure


def _frame(document: Document, compute: Any, sizes: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    """Compute and parameters from and to: the runs, and what the frontier says a little beyond them."""
    spent = approaches.compute_range(document) or (min(compute), max(compute))
    across = max(min(compute), spent[0] / 1.4), min(max(compute), spent[1] * BEYOND)
    best = part(document, "drawing", "laws", "parametric", "parameters").get("value") or []
    ahead = [n for c, n in zip(items(document, "drawing", "compute"), best, strict=False) if c <= across[1]]
    reached = [n for n in (*items(document, "runs", "parameters"), *ahead) if n] or sizes
    return across, (max(min(sizes), min(reached) / 1.6), min(max(sizes), max(reached) * 1.6))


def _losses(document: Document, known: list[float]) -> tuple[float, float]:
    """The losses that the colours and lines span: those of the runs, less the few highest, and a little below."""
    measured = sorted(loss for loss in items(document, "runs", "loss") if loss) or sorted(known)
    most = measured[-1 - len(measured) // 40]
    return max(min(known), measured[0] * 0.97), max(most, min(known) * 1.05)


def levels(low: float, high: float) -> list[float]:
    """Round losses between `low` and `high`, evenly spaced: where lines lie close the loss is steep."""
    return [float(f"{level:.6g}") for level in even_ticks(low, high, LINES) if low < level < high]


def _draw_level(
    figure: "go.Figure", theme: Theme, grid: tuple[list[float], list[float], Any], level: float, span: Any
) -> None:
    """The line of one loss, labelled with it, in its colour. Plotly spaces the levels of one trace evenly, hence
    a trace a level."""
    compute, sizes, losses = grid
    colour = ramp_colour(level, span, theme)
    figure.add_contour(
        x=compute,
        y=sizes,
        z=[[None if loss is None else float(f"{loss:.5g}") for loss in row] for row in losses],
        contours={
            "start": level,
            "end": level,
            "size": 1,
            "coloring": "none",
            "showlabels": True,
            "labelfont": {"size": 11, "color": colour},
        },
        line={"color": colour, "width": 1.3},
        showscale=False,
        showlegend=False,
        hoverinfo="skip",
    )


def ramp_colour(loss: float, span: tuple[float, float], theme: Theme) -> str:
    """The colour of a loss, on a logarithmic scale: the lowest stands out most."""
    low, high = (math.log(end) for end in span)
    at = (high - math.log(loss)) / ((high - low) or 1.0)
    steps = [float(i) for i in range(101)]
    return themes.budget_colours(steps, theme)[float(round(100 * max(0.0, min(1.0, at))))]


def _draw_frontier(figure: "go.Figure", document: Document, theme: Theme) -> None:
    """The parameters that spend each budget best, by the same law."""
    compute = list(items(document, "drawing", "compute"))
    band = part(document, "drawing", "laws", "parametric", "parameters")
    if not compute or not band.get("value"):
        return
    draw_band(figure, compute, band, translucent(theme.other, 0.22), "frontier")
    losses = part(document, "drawing", "laws", "parametric", "loss").get("value") or [None] * len(compute)
    figure.add_scatter(
        x=compute,
        y=band["value"],
        mode="lines",
        line={"color": theme.ink, "width": 2.5},
        name="efficient frontier",
        legendgroup="frontier",
        customdata=[
            f"<b>efficient frontier</b><br>{power(c)} FLOPs<br>parameters {count(n)}<br>loss {significant(loss)}"
            for c, n, loss in zip(compute, band["value"], losses, strict=True)
        ],
        hovertemplate=themes.HOVER,
    )


def _draw_runs(figure: "go.Figure", document: Document, theme: Theme, span: tuple[float, float]) -> None:
    """The runs, in the colours that the lines of their losses have."""
    rows, unit = approaches.runs(document), escape(approaches.loss_unit(document))
    figure.add_scatter(
        x=[run["flops"] for run in rows],
        y=[run["parameters"] for run in rows],
        mode="markers",
        marker={
            "size": 8,
            "color": [ramp_colour(run["loss"], span, theme) for run in rows],
            "line": {"color": theme.paper, "width": 1},
        },
        showlegend=False,
        cliponaxis=False,
        customdata=[told(run, unit) for run in rows],
        hovertemplate=themes.HOVER,
    )


def describe(document: Document) -> str:
    """The figure in words."""
    return (
        "Contours of the fitted loss over training compute and parameters, both logarithmic, with the line of "
        f"parameters that spend each budget best and the {len(approaches.runs(document))} runs coloured by their loss."
    )
