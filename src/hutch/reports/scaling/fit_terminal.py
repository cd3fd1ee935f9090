"""The result of a fit on the terminal, in 100 columns."""

from typing import TYPE_CHECKING, Any

from hutch.reports.formats import count, percent, power, significant, spread, times, two
from hutch.reports.reading import interval, items, part
from hutch.reports.scaling import approaches, fit_tables, fit_words, holdout, papers
from hutch.reports.scaling.approaches import Document
from hutch.reports.terminal import plain_table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

SHOWN = ("Hoffmann, approach 1", "Hoffmann, approach 2", "Hoffmann, approach 3", "Besiroglu", "Kaplan", "Llama 3")
"""Published laws that the terminal has room for."""


def fit_terminal(document: Document) -> "RenderableType":
    """Exponents, constants, optima, the holdout and the warnings, for rich to print."""
    from rich.console import Group
    from rich.text import Text

    pieces: list[Any] = [
        Text(fit_words.title(document), style="bold"),
        Text(", ".join([*fit_words.scope(document), *_level(document)]), style="dim"),
        Text(fit_words.answer(document)),
        Text(""),
        _exponents(document),
        *_lawless(document),
    ]
    for part_of_it in (_constants(document), _optima(document), _holdout(document)):
        pieces += [Text(""), part_of_it] if part_of_it is not None else []
    warnings = [Text(f"! {warning}", style="yellow") for warning in fit_words.warnings(document)]
    return Group(*pieces, *([Text("")] if warnings else []), *warnings)


def _exponents(document: Document) -> "Table":
    """Ours with intervals and what they mean for ten times the compute, then the published ones."""
    from rich.text import Text

    shown = plain_table("exponents of compute C", "parameters N ∝ Cᵃ", "tokens D ∝ Cᵇ", "10× C")
    for approach in approaches.with_law(document):
        a, b = (approaches.exponent(document, approach, name) for name in ("a", "b"))
        grown = " N, ".join(times(fit_words.tenfold(e).value) for e in (a, b)) + " D"
        label = Text(approaches.label(approach), style="bold", no_wrap=True)
        shown.add_row(label, spread(a, significant), spread(b, significant), grown)
    for law in papers.exponents():
        if law["name"] in SHOWN:
            shown.add_row(Text(str(law["name"]), style="dim"), two(law["a"]), two(law["b"]), "")
    return shown


def _lawless(document: Document) -> list["Text"]:
    """Why an approach gave no law."""
    from rich.text import Text

    lost = approaches.without_law(document)
    return [Text(f"{approaches.label(a)}: {approaches.short_why(document, a)}", style="yellow") for a in lost]


def _level(document: Document) -> list[str]:
    known = (approaches.exponent(document, approach) for approach in approaches.with_law(document))
    return [next((f"{percent(e.level)} intervals" for e in known if e.bounded and e.level), "no intervals")]


def _constants(document: Document) -> "Table | None":
    """The constants of the parametric law."""
    from rich.text import Text

    fit = approaches.fit(document, "parametric")
    if not interval(fit.get("E")).known:
        return None
    shown = plain_table("L = E + A·N^−α + B·D^−β", "value", "interval")
    for name, words, _ in fit_tables.LAW:
        estimate = interval(fit.get(name))
        shown.add_row(Text(words), significant(estimate.value, 5), fit_tables.ends(estimate, fit_tables.five))
    return shown


def _optima(document: Document) -> "Table | None":
    """The optimum at each compute that was asked for."""
    rows = [(row["flops"], *found) for row in items(document, "optima") for found in (row.get("fits") or {}).items()]
    if not rows:
        return None
    shown = plain_table("optimum at FLOPs", "by", "parameters", "tokens", "loss")
    for flops, approach, found in rows:
        n, d, loss = (interval(found.get(name)) for name in ("parameters", "tokens", "loss"))
        cells = (spread(n, count), spread(d, count), spread(loss, significant))
        shown.add_row(power(flops), approaches.NAMES.get(approach, approach), *cells)
    return shown


def _holdout(document: Document) -> "Table | None":
    """How far the laws missed runs that they had not seen."""
    from rich.text import Text

    if not part(document, "holdout"):
        return None
    above = power(part(document, "holdout").get("above"))
    shown = plain_table(f"held out above {above} FLOPs", "predicted", "tests", "mean absolute error", "bias")
    for approach, test in holdout.tests(document):
        missed, bias = (interval(test.get(name)) for name in ("mean_absolute_error", "bias"))
        label = Text(approaches.NAMES[approach])
        if missed.known:
            errors = (fit_tables.relative(missed), fit_tables.relative(bias))
            shown.add_row(label, str(test.get("quantity")), str(test.get("tested")), *errors)
        else:
            shown.add_row(label, Text(str(test.get("reason") or "no error known"), style="yellow"), "", "", "")
    return shown
