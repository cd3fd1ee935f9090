"""Published exponents and fits, and the one look that each paper has in every picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.published import DASHES, Family, families
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go


def exponents() -> list[dict[str, Any]]:
    """The published exponents as they were printed, with their intervals and sources."""
    from hutch.scaling.published import PUBLISHED

    return [
        {
            "name": law.name,
            "source": law.source,
            "a": law.a if law.a_printed is None else law.a_printed,
            "b": law.b if law.b_printed is None else law.b_printed,
            **{end: getattr(law, end) for end in ("a_low", "a_high", "b_low", "b_high")},
        }
        for law in PUBLISHED
    ]


def papers(theme: Theme) -> list[Family]:
    """The papers with their exponents, a colour and a dash each."""
    return families({"published": exponents()}, theme)


def paper_of(result: str, theme: Theme) -> Family:
    """The paper that a result such as "Hoffmann, approach 1" is from; a quiet look where we know none."""
    name = result.split(",")[0].strip()
    return next((paper for paper in papers(theme) if paper.name == name), Family(name, theme.muted, "dot", ()))


@dataclass(frozen=True, kw_only=True)
class PublishedLine:
    """A published law over compute; `told` is what the pointer is told at each point."""

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    told: Sequence[str]


def draw_laws(figure: "go.Figure", lines: Sequence[PublishedLine], theme: Theme, *, apart: bool) -> None:
    """Published laws, thin, in the colours of their papers. `apart` gives each law of a paper its own legend entry
    and dash; else they share the paper's."""
    drawn: dict[str, int] = {}
    for line in lines:
        paper = paper_of(line.name, theme)
        order = drawn[paper.name] = drawn.get(paper.name, -1) + 1
        dashes = (paper.dash, *(dash for dash in DASHES if dash != paper.dash))
        name = line.name if apart else paper.name
        figure.add_scatter(
            x=list(line.x),
            y=list(line.y),
            mode="lines",
            line={"color": paper.colour, "width": 1.2, "dash": dashes[order % len(dashes)] if apart else paper.dash},
            name=escape(name),
            legendgroup=name,
            showlegend=apart or order == 0,
            legendrank=4,
            customdata=list(line.told),
            hovertemplate=themes.HOVER,
        )


@dataclass(frozen=True)
class ParametricPoint:
    """A published parametric fit: its exponent a and irreducible loss E."""

    name: str
    source: str
    a: float
    E: float


def parametric_points() -> list[ParametricPoint]:
    """The fits of Hoffmann et al. and Besiroglu et al., from their unrounded constants."""
    from hutch.scaling.published import BESIROGLU_LAW, HOFFMANN_UNROUNDED

    hoffmann, besiroglu = HOFFMANN_UNROUNDED, BESIROGLU_LAW
    return [
        ParametricPoint("Hoffmann", "Hoffmann et al. 2022, approach 3", hoffmann.a, hoffmann.E),
        ParametricPoint("Besiroglu", "Besiroglu et al. 2024, refit of approach 3", besiroglu.a, besiroglu.E),
    ]
