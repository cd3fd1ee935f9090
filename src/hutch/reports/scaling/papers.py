"""Published exponents and fits, and the one look that each paper has in every picture."""

from dataclasses import dataclass
from typing import Any

from hutch.reports.published import Family, families
from hutch.reports.themes import Theme


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
