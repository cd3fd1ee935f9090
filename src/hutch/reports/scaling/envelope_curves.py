"""Training curves by size with the lowest loss at each compute (Hoffmann et al. 2022, figure 2)."""

from html import escape
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.formats import count, power, significant
from hutch.reports.reading import Missing, items
from hutch.reports.scaling import approaches
from hutch.reports.scaling.approaches import Document
from hutch.reports.themes import Theme
from hutch.reports.training_curves import draw_envelope

if TYPE_CHECKING:
    import plotly.graph_objects as go

NAMED = 8
"""Sizes that the legend names at most."""


def draw(document: Document, theme: Theme) -> "go.Figure":
    """The figure. Raises `Missing` where no run has a curve."""
    curves = [curve for curve in items(document, "drawing", "curves") if curve.get("flops") and curve.get("loss")]
    if not curves:
        raise Missing("The table names no training curves.")
    low, high, bottom, top = _frame(curves)
    unit = escape(approaches.loss_unit(document))
    figure = themes.new_figure(
        theme,
        height=460,
        x=themes.log_axis(theme, "training compute spent (FLOPs)", low, high, power),
        y=themes.log_axis(theme, f"training loss ({unit})", bottom, top, "{:g}".format),
    )
    figure.update_layout(legend_title={"text": "parameters  ", "font": {"size": 12, "color": theme.muted}})
    _draw_curves(figure, curves, document, theme)
    draw_envelope(figure, document, theme)
    return figure


def _frame(curves: list[Any]) -> tuple[float, float, float, float]:
    """Compute from and to, loss from and to: the first steps, where every curve falls alike, are cut off."""
    lows = [min(loss for loss in curve["loss"] if loss is not None) for curve in curves]
    top = max(lows) * 1.25
    seen = [
        flops
        for curve in curves
        for flops, loss in zip(curve["flops"], curve["loss"], strict=False)
        if loss is not None and loss <= top
    ]
    return min(seen) / 1.2, max(seen) * 1.2, min(lows) * 0.98, top


def _draw_curves(figure: "go.Figure", curves: list[Any], document: Document, theme: Theme) -> None:
    """One thin line a run in the colour of its size."""
    sizes = sorted({float(curve["parameters"]) for curve in curves})
    colours = themes.budget_colours(sizes, theme)
    named = {sizes[round(i * (len(sizes) - 1) / max(1, NAMED - 1))] for i in range(NAMED)} if sizes else set()
    unit = escape(approaches.loss_unit(document))
    for curve in sorted(curves, key=lambda c: c["parameters"]):
        size = float(curve["parameters"])
        figure.add_scatter(
            x=curve["flops"],
            y=curve["loss"],
            mode="lines",
            line={"color": colours[size], "width": 1},
            opacity=0.65,
            name=count(size),
            legendgroup=str(size),
            showlegend=size in named,
            customdata=[
                f"<b>{count(size)} parameters</b><br>{power(flops)} FLOPs<br>loss {significant(loss)} {unit}"
                for flops, loss in zip(curve["flops"], curve["loss"], strict=False)
            ],
            hovertemplate=themes.HOVER,
        )
        named.discard(size)


def describe(document: Document) -> str:
    """The figure in words."""
    kept = len(items(document, "drawing", "curves"))
    return f"Training loss against compute spent for {kept} runs, with the lowest loss for each amount of compute."
