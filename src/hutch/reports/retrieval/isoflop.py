"""IsoFLOP curves with retrieval and without: bits per byte against parameters at each budget."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.formats import count, decimal, level, power, spread
from hutch.reports.reading import Analysis, Missing, interval, items, part
from hutch.reports.retrieval.looks import NAMES, look_of, span
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHOWN = ("on", "plain", "same")


def draw(analysis: Analysis, theme: Theme) -> "go.Figure":
    """The figure. Raises `Missing` where no model with retrieval ended well."""
    cells = list(items(analysis, "cells"))
    if not cells:
        raise Missing("No model with retrieval ended well.")
    points = [point for cell in cells for kind in SHOWN if (point := part(cell, "bits_per_byte").get(kind))]
    sizes = [cell["parameters"] for cell in cells]
    spread_of_sizes = max(max(sizes) / min(sizes), 1.5) ** 0.06
    figure = themes.new_figure(
        theme,
        height=430,
        x=themes.log_axis(
            theme, "parameters of the decoder", min(sizes) / spread_of_sizes, max(sizes) * spread_of_sizes, count
        ),
        y=themes.axis(theme, "bits per byte", range=span(points, zero=False)),
    )
    budgets = sorted({cell["budget"] for cell in cells})
    for kind in SHOWN:
        for place, budget in enumerate(budgets):
            mine = [cell for cell in cells if cell["budget"] == budget and part(cell, "bits_per_byte").get(kind)]
            _draw(figure, kind, place, mine, theme, several=len(budgets) > 1)
    return figure


def _draw(
    figure: "go.Figure", kind: str, place: int, cells: list[Mapping[str, Any]], theme: Theme, *, several: bool
) -> None:
    """One kind of model at one budget; larger budgets have thicker lines."""
    if not cells:
        return
    cells, look = sorted(cells, key=lambda cell: cell["parameters"]), look_of(kind, theme)
    estimates = [interval(cell["bits_per_byte"][kind]) for cell in cells]
    figure.add_scatter(
        x=[cell["parameters"] for cell in cells],
        y=[estimate.value for estimate in estimates],
        mode="lines+markers",
        line={"color": look.colour, "width": 1.5 + place, "dash": look.dash},
        marker={"size": 8 + 2 * place, "color": look.colour, "symbol": look.symbol},
        name=f"{NAMES[kind]}, {power(cells[0]['budget'])} FLOPs" if several else NAMES[kind],
        customdata=[
            f"<b>{NAMES[kind]}</b><br>width {cell['width']}, {count(cell['parameters'])} parameters"
            f"<br>{power(cell['budget'])} FLOPs<br>{spread(estimate)} bits per byte<br>{level(estimate)}"
            for cell, estimate in zip(cells, estimates, strict=True)
        ],
        hovertemplate=themes.HOVER,
    )


def describe(analysis: Analysis) -> str:
    """The figure in words."""
    told = [
        f"width {cell['width']} at {power(cell['budget'])} FLOPs: "
        + ", ".join(f"{NAMES[kind]} {decimal(interval(part(cell, 'bits_per_byte').get(kind)).value)}" for kind in SHOWN)
        for cell in items(analysis, "cells")
    ]
    return f"Bits per byte against parameters. {'; '.join(told)}."
