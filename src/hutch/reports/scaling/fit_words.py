"""The result of a fit in plain sentences, for the top of the page and the first lines of the terminal."""

from hutch.reports.formats import power, significant, times
from hutch.reports.reading import Interval, interval, items, part
from hutch.reports.scaling import approaches, isoflop
from hutch.reports.scaling.approaches import Document


def title(document: Document) -> str:
    """The name of what was fitted."""
    return str(document.get("title") or part(document, "table").get("source") or "Scaling-law fit")


def scope(document: Document) -> list[str]:
    """How many runs, and over what compute."""
    runs = len(items(document, "runs", "loss")) or part(document, "table").get("rows")
    facts = ["scaling-law fit"]
    if runs:
        facts.append(f"{runs} runs")
    covered = approaches.compute_range(document)
    if covered:
        facts.append(f"{power(covered[0])} to {power(covered[1])} training FLOPs")
    return facts


def tenfold(exponent: Interval) -> Interval:
    """What ten times the compute multiplies by: ten to the power of the exponent."""
    ends = (exponent.value, exponent.low, exponent.high)
    value, low, high = (None if end is None else 10.0**end for end in ends)
    return Interval(value, low, high, exponent.level)


def answer(document: Document) -> str:
    """The result in one sentence, by the approach that leads; else that there is none."""
    approach = approaches.leading(document)
    if approach is None:
        return "No approach gave a law of the optimum."
    a, b = (approaches.exponent(document, approach, name) for name in ("a", "b"))
    return (
        f"10× the compute: {times(tenfold(a).value)} larger, {times(tenfold(b).value)} more data. "
        f"N ∝ C^{significant(a.value)}, D ∝ C^{significant(b.value)}, by {approaches.label(approach)}."
    )


def farthest(document: Document) -> tuple[float, dict[str, dict[str, Interval]]] | None:
    """The largest compute that an optimum was asked for, and that optimum by approach."""
    asked = [row for row in items(document, "optima") if row.get("fits")]
    if not asked:
        return None
    row = max(asked, key=lambda r: r["flops"])
    return float(row["flops"]), {
        approach: {name: interval(value) for name, value in found.items()} for approach, found in row["fits"].items()
    }


def warnings(document: Document) -> list[str]:
    """What a reader must know before trusting a figure: of the fits first, then of the table."""
    return [*map(str, items(document, "warnings")), *map(str, items(document, "table", "notes"))]


def notes(document: Document) -> list[str]:
    """What the fits say besides: their notes that are no warning yet, and why each budget gave no profile."""
    warned = " ".join(warnings(document))
    said = [
        f"{approaches.label(approach)}: {note}"
        for approach in approaches.asked(document)
        for note in items(document, "fits", approach, "notes")
        if str(note) not in warned
    ]
    # A picture of the profiles tells the refusals in its caption.
    refused = [] if isoflop.drawable(document) else isoflop.refusals(document)
    return said + [f"{approaches.label('isoflop')}: {line}" for line in refused]
