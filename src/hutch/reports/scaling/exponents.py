"""A forest of the exponents by approach, ours with intervals, beside the published ones."""

from typing import TYPE_CHECKING

from hutch.reports.forests import Row, forest, published_row
from hutch.reports.formats import level, spread
from hutch.reports.reading import Missing, interval
from hutch.reports.scaling import approaches, papers
from hutch.reports.scaling.approaches import Document
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

_SAYS = {"a": "optimal parameters, N ∝ C<sup>a</sup>", "b": "optimal tokens, D ∝ C<sup>b</sup>"}


def draw(document: Document, theme: Theme, exponent: str) -> "go.Figure":
    """The figure of one exponent. Raises `Missing` where no approach gave a law."""
    rows = [_our_row(document, theme, approach, exponent) for approach in approaches.with_law(document)]
    if not rows:
        raise Missing("No approach gave a law; the reasons stand above.")
    rows += [
        published_row(result, family.colour, exponent) for family in papers.papers(theme) for result in family.results
    ]
    title = f"exponent {exponent} of {_SAYS[exponent]}"
    return forest(rows, theme, title=title, reference=0.5)


def _our_row(document: Document, theme: Theme, approach: str, exponent: str) -> Row:
    estimate = approaches.exponent(document, approach, exponent)
    scale = interval(approaches.fit(document, approach).get({"a": "k_n", "b": "k_d"}[exponent]))
    label, figures = approaches.label(approach), spread(estimate)
    hover = f"<b>{label}</b><br>{exponent} {figures}<br>coefficient {scale.value or 0:.4g}<br>{level(estimate)}"
    return Row(label, estimate, approaches.colour(approach, theme), "circle", f"<b>{figures}</b>", hover)


def describe(document: Document, exponent: str) -> str:
    """The exponents in words."""
    ours = [
        f"{approaches.label(name)} {spread(approaches.exponent(document, name, exponent))}"
        for name in approaches.with_law(document)
    ]
    theirs = [f"{result['name']} {result[exponent]:g}" for result in papers.exponents()]
    return f"Exponent {exponent}. " + "; ".join(ours + theirs) + "."
