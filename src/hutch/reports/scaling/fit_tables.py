"""The tables of a fit: constants with their intervals, optima, the holdout, and what was read from the file."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from hutch.reports.formats import DASH, count, grouped, percent, power, significant, spread
from hutch.reports.markup import Html, element, prose
from hutch.reports.reading import Interval, interval, items, part
from hutch.reports.scaling import approaches, holdout
from hutch.reports.scaling.approaches import Document
from hutch.reports.tables import facts, table

SHARED = (
    ("a", "exponent of optimal parameters, N = k_N·C^a", ""),
    ("k_n", "coefficient of optimal parameters, k_N", "parameters at 1 FLOP"),
    ("b", "exponent of optimal tokens, D = k_D·C^b", ""),
    ("k_d", "coefficient of optimal tokens, k_D", "tokens at 1 FLOP"),
)
LAW = (
    ("E", "irreducible loss E", "loss"),
    ("A", "coefficient of parameters, A in A·N^−α", "loss"),
    ("alpha", "exponent of parameters, α", ""),
    ("B", "coefficient of tokens, B in B·D^−β", "loss"),
    ("beta", "exponent of tokens, β", ""),
)
FRONTIER = (
    ("E", "lowest loss at any compute, E in E + k·C^−γ", "loss"),
    ("k", "coefficient of the lowest loss, k", "loss at 1 FLOP"),
    ("gamma", "exponent of the lowest loss, γ", ""),
)
"""The constants of each part of a fit: name in the document, in words, unit."""


def five(value: float | None) -> str:
    """A constant with five significant figures."""
    return significant(value, 5)


def constants(document: Document) -> Html:
    """Every fitted constant of every approach with its interval; a refused approach says why."""
    rows: list[Any] = []
    for approach in approaches.asked(document):
        fit, unit = approaches.fit(document, approach), approaches.loss_unit(document)
        rows.append(element("tr", element("th", approaches.label(approach), colspan="3", scope="rowgroup")))
        if not interval(fit.get("a")).known:
            why = element("td", approaches.short_why(document, approach), colspan="3", class_="why")
            rows.append(element("tr", why))
        named = [*SHARED, *(LAW if approach == "parametric" else ())]
        rows += _constants(fit, named, unit)
        rows += _constants(part(fit, "frontier"), FRONTIER, unit)
    heads = ("constant", "value", "interval")
    return table(heads, rows, caption=f"Fitted constants{_at(document)}", numeric=(1, 2))


def _constants(fit: Mapping[str, Any], named: Sequence[tuple[str, str, str]], unit: str) -> list[Any]:
    """A row for each constant that the fit holds."""
    rows = []
    for name, words, scale in named:
        estimate = interval(fit.get(name))
        if estimate.known:
            under = element("small", scale.replace("loss", unit), class_="under") if scale else None
            rows.append(([_formula(words), under], five(estimate.value), ends(estimate, five)))
    return rows


_RAISED = re.compile(r"\^(−?\w)|_(\w)")


def _formula(words: str) -> Html:
    """Words in which `^−α` stands above the line, and `_N` below it."""
    marked = _RAISED.sub(lambda m: f"<sup>{m[1]}</sup>" if m[1] else f"<sub>{m[2]}</sub>", escape(words))
    return Html(marked)


def ends(estimate: Interval, form: Any) -> str:
    """The interval alone."""
    return f"[{form(estimate.low)}, {form(estimate.high)}]" if estimate.bounded else DASH


def _at(document: Document) -> str:
    """The level of the intervals, as a caption ends."""
    level = next(
        (e.level for a in approaches.with_law(document) if (e := approaches.exponent(document, a)).bounded), None
    )
    return f", with {percent(level)} intervals" if level else ""


def optima(document: Document) -> Html:
    """The optimum at each compute that was asked for, by approach."""
    rows = [
        (power(row["flops"]), _unbroken(approaches.NAMES.get(approach, approach)), *_optimum(found))
        for row in items(document, "optima")
        for approach, found in (row.get("fits") or {}).items()
    ]
    heads = ("compute (FLOPs)", "by", "parameters N", "tokens D", "D / N", f"loss ({approaches.loss_unit(document)})")
    return table(heads, rows, caption=f"Optimal models{_at(document)}", numeric=(0, 2, 3, 4, 5))


def _unbroken(words: str) -> str:
    return words.replace(" ", "\u00a0")


def _optimum(found: Mapping[str, Any]) -> tuple[str, ...]:
    n, d, loss = (interval(found.get(name)) for name in ("parameters", "tokens", "loss"))
    ratio = significant(d.value / n.value, 3) if n.value and d.value else DASH
    return spread(n, count), spread(d, count), ratio, spread(loss, significant)


def tests(document: Document) -> Html:
    """How far each approach missed the runs that it had not seen."""
    rows: list[Any] = []
    for approach, test in holdout.tests(document):
        missed, bias = (interval(test.get(name)) for name in ("mean_absolute_error", "bias"))
        if missed.known:
            counts = (grouped(test.get("fitted")), grouped(test.get("tested")))
            errors = (relative(missed), relative(bias))
            rows.append((approaches.label(approach), str(test.get("quantity") or DASH), *counts, *errors))
        else:
            why = element("td", str(test.get("reason") or "no error known"), colspan="5", class_="why")
            rows.append(element("tr", element("td", approaches.label(approach)), why))
    heads = ("approach", "predicted", "fitted", "held out", "mean absolute error", "bias")
    above = power(part(document, "holdout").get("above"))
    return table(heads, rows, caption=f"Errors above {above} FLOPs, relative", numeric=(2, 3, 4, 5))


def relative(error: Interval) -> str:
    """A relative error with its interval in per cent, three figures each: `−4.72 [−9.90, 3.10] %`."""
    if not error.known:
        return DASH
    return f"{spread(error, _hundredfold)}\u202f%"


def _hundredfold(value: float | None) -> str:
    return DASH if value is None else significant(100 * value, 3)


def columns(document: Document) -> Html:
    """Which column of the file was read as what."""
    used = part(document, "table", "columns")
    rows = [(role, element("code", str(column))) for role, column in used.items() if column is not None]
    return table(("read as", "column"), rows, caption="Columns")


def dropped(document: Document) -> Html | None:
    """The rows that could not be used, with the reason; None where all could."""
    listed = items(document, "table", "dropped")
    if not listed:
        return None
    rows = [(str(row.get("line")), str(row.get("reason"))) for row in listed]
    return table(("line", "reason"), rows, caption=f"Rows that could not be used: {len(rows)}", numeric=(0,))


def made_by(document: Document) -> Html:
    """The command, the file and the options behind these numbers."""
    read = part(document, "table")
    command = element("code", str(document["command"])) if document.get("command") else None
    pairs = [("command", command), ("table", read.get("source")), ("rows read", _whole(read.get("rows")))]
    pairs += [("rows left out by conditions", _whole(read.get("left_out"))), ("runs", _whole(read.get("runs")))]
    pairs += [(name.replace("_", " "), _option(value)) for name, value in part(document, "options").items()]
    return facts(pairs)


def _whole(value: Any) -> str | None:
    return None if value is None else f"{value:,}".replace(",", "\u202f")


def _option(value: Any) -> Any:
    """An option as it would be typed; one that was not given is left out."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_option(given)}" for name, given in value.items())
    if isinstance(value, list | tuple):
        return prose(", ".join(_written(given) for given in value)) or None
    return prose(_written(value))


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
