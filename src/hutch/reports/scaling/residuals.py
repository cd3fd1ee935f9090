"""Residuals of the parametric law, ln L̂ − ln L in per cent, against compute or against parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.formats import count, percent, power, signed_percent
from hutch.reports.reading import Missing, items
from hutch.reports.scaling import approaches
from hutch.reports.scaling.approaches import Document
from hutch.reports.scaling.runs_told import told_with_fit
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

NAMED = 5
"""How many of the largest residuals are ringed, and named in the caption."""


@dataclass(frozen=True)
class Against:
    """What residuals are drawn against: the column of the runs, its axis, and how its numbers are written."""

    column: str
    title: str
    form: Any


COMPUTE = Against("flops", "training compute C (FLOPs)", power)
PARAMETERS = Against("parameters", "parameters N", count)


def draw(document: Document, theme: Theme, against: Against) -> "go.Figure":
    """The figure. Raises `Missing` without a parametric law."""
    rows = _rows(document)
    if not rows:
        raise Missing(approaches.why(document, "parametric"))
    xs = [row[against.column] for row in rows]
    limit = _limit([row["residual"] for row in rows])
    figure = themes.new_figure(
        theme,
        height=360,
        x=themes.log_axis(theme, against.title, min(xs) / 1.25, max(xs) * 1.25, against.form),
        y=themes.axis(theme, "ln L̂ − ln L (%)", range=[-limit * 1.08, limit * 1.08], ticksuffix="\u202f"),
    )
    figure.add_hline(y=0, line={"color": theme.muted, "width": 1}, layer="below")
    large = {id(row) for row in largest(rows)}
    looks = ((False, "runs", theme.other, 1), (True, f"{len(large)} largest", theme.ink, 1.5))
    for ringed, name, edge, width in looks:
        mine = [row for row in rows if (id(row) in large) is ringed]
        _draw_points(figure, mine, theme, against, limit, name, {"color": edge, "width": width})
    return figure


def _draw_points(
    figure: "go.Figure",
    rows: list[dict[str, Any]],
    theme: Theme,
    against: Against,
    limit: float,
    name: str,
    edge: Mapping[str, Any],
) -> None:
    """Runs as points; one beyond the frame is a triangle at its edge."""
    shown = [max(-limit, min(limit, 100 * row["residual"])) for row in rows]
    figure.add_scatter(
        x=[row[against.column] for row in rows],
        y=shown,
        mode="markers",
        marker={
            "size": 7,
            "color": approaches.translucent(theme.other, 0.4),
            "symbol": [_symbol(row["residual"], limit) for row in rows],
            "line": edge,
        },
        name=name,
        customdata=[row["told"] for row in rows],
        hovertemplate=themes.HOVER,
        cliponaxis=False,
    )


def _symbol(residual: float, limit: float) -> str:
    if abs(100 * residual) <= limit:
        return "circle"
    return "triangle-up" if residual > 0 else "triangle-down"


def _limit(residuals: list[float]) -> float:
    """What the axis spans, in per cent: all, unless a few lie so far out that the others would be one line."""
    sizes = sorted(100 * abs(residual) for residual in residuals)
    crowd = 1.6 * sizes[max(0, len(sizes) - 1 - max(NAMED, len(sizes) // 25))]
    return max((crowd if sizes[-1] > 2 * crowd > 0 else sizes[-1]), 1e-3)


def _rows(document: Document) -> list[dict[str, Any]]:
    """The runs with their residuals and the words of their tooltips."""
    residuals = items(document, "drawing", "parametric", "residuals")
    predicted = items(document, "drawing", "parametric", "predicted") or [None] * len(residuals)
    unit = escape(approaches.loss_unit(document))
    return [
        {**run, "residual": residual, "told": told_with_fit(run, unit, fitted, residual)}
        for run, residual, fitted in zip(approaches.runs(document), residuals, predicted, strict=False)
        if residual is not None
    ]


def largest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that the law misses by most."""
    return sorted(rows, key=lambda row: -abs(row["residual"]))[:NAMED]


def named(document: Document) -> str:
    """The largest residuals by the lines of their runs, and how many runs lie outside the frame."""
    rows = _rows(document)
    lines = [f"line {r['line']:.0f} ({signed_percent(r['residual'])})" for r in largest(rows) if r["line"] is not None]
    words = f"Largest: {', '.join(lines)}. " if lines else ""
    limit = _limit([row["residual"] for row in rows]) if rows else 0.0
    outside = sum(abs(100 * row["residual"]) > limit for row in rows)
    return words + (f"Triangles: {outside} runs beyond the frame (±{percent(limit / 100, 1)})." if outside else "")


def describe(document: Document, against: Against) -> str:
    """The figure in words."""
    return (
        f"Residuals of the parametric law, predicted minus measured logarithm of the loss, against {against.title}, "
        f"for {len(_rows(document))} runs. {named(document)}"
    ).strip()
