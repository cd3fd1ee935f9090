"""Every figure of a fit: its name, its title, how it is drawn, how it is told in words."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hutch.reports.growth import PARAMETERS, TOKENS
from hutch.reports.scaling import (
    allocation_lines,
    cloud,
    contours,
    envelope_curves,
    exponents,
    holdout,
    isoflop,
    residuals,
)
from hutch.reports.scaling.approaches import Document
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class Figure:
    """A figure of a fit. `draw` raises `Missing` where the document has nothing for it."""

    name: str
    title: str
    draw: Callable[[Document, Theme], "go.Figure"]
    describe: Callable[[Document], str]


FIGURES = {
    figure.name: figure
    for figure in (
        Figure("isoflop", "IsoFLOP profiles", isoflop.draw, isoflop.describe),
        Figure(
            "optimal-parameters",
            "Optimal parameters against compute",
            partial(allocation_lines.draw, quantity=PARAMETERS),
            partial(allocation_lines.describe, quantity=PARAMETERS),
        ),
        Figure(
            "optimal-tokens",
            "Optimal tokens against compute",
            partial(allocation_lines.draw, quantity=TOKENS),
            partial(allocation_lines.describe, quantity=TOKENS),
        ),
        Figure(
            "exponent-a",
            "Exponent of optimal parameters",
            partial(exponents.draw, exponent="a"),
            partial(exponents.describe, exponent="a"),
        ),
        Figure(
            "exponent-b",
            "Exponent of optimal tokens",
            partial(exponents.draw, exponent="b"),
            partial(exponents.describe, exponent="b"),
        ),
        Figure("contours", "Loss over compute and parameters", contours.draw, contours.describe),
        Figure(
            "residuals-compute",
            "Residuals against compute",
            partial(residuals.draw, against=residuals.COMPUTE),
            partial(residuals.describe, against=residuals.COMPUTE),
        ),
        Figure(
            "residuals-parameters",
            "Residuals against parameters",
            partial(residuals.draw, against=residuals.PARAMETERS),
            partial(residuals.describe, against=residuals.PARAMETERS),
        ),
        Figure("cloud", "Bootstrap draws of a and E", cloud.draw, cloud.describe),
        Figure("curves", "Training curves and their envelope", envelope_curves.draw, envelope_curves.describe),
        *(
            Figure(
                f"holdout-{quantity}{suffix}",
                f"Held-out {quantity}: {what}",
                partial(draw, quantity=quantity),
                partial(holdout.describe, quantity=quantity),
            )
            for quantity in ("loss", "parameters")
            for suffix, what, draw in (
                ("", "predicted against measured", holdout.draw_values),
                ("-errors", "error against compute", holdout.draw_errors),
            )
        ),
    )
}
"""By name, in the order of the page."""
