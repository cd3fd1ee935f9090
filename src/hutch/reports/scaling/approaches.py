"""The three approaches as the pictures of a fit name and colour them, and what the document says of each."""

from collections.abc import Mapping
from typing import Any

from hutch.reports.reading import Interval, interval, items, part
from hutch.reports.themes import Theme

Document = Mapping[str, Any]

NAMES = {"envelope": "approach 1", "isoflop": "approach 2", "parametric": "approach 3"}
"""Their numbers in Hoffmann et al. 2022, section 3."""

READS = {"envelope": "training envelope", "isoflop": "isoFLOP profiles", "parametric": "parametric loss"}
"""What each reads the optimum from."""

_LEADS = ("isoflop", "parametric", "envelope")


def label(approach: str) -> str:
    """`approach 2 (isoFLOP profiles)`."""
    return f"{NAMES[approach]} ({READS[approach]})"


def colour(approach: str, theme: Theme) -> str:
    """The same in every picture; far apart in lightness too."""
    return {"envelope": theme.ink, "isoflop": theme.optimal, "parametric": theme.other}[approach]


def translucent(colour: str, opacity: float) -> str:
    """A `#rrggbb` colour that lets through what lies under it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def asked(document: Document) -> list[str]:
    """The approaches that were asked for, with or without a law, in the order of their numbers."""
    named = {**part(document, "fits"), **part(document, "reasons")}
    return [approach for approach in NAMES if approach in named]


def fit(document: Document, approach: str) -> Mapping[str, Any]:
    """The fit of an approach, empty where there is none."""
    return part(document, "fits", approach)


def exponent(document: Document, approach: str, name: str = "a") -> Interval:
    """An exponent of an approach, unknown where it gave no law."""
    return interval(fit(document, approach).get(name))


def with_law(document: Document) -> list[str]:
    """The approaches that gave a law."""
    return [approach for approach in asked(document) if exponent(document, approach).known]


def without_law(document: Document) -> list[str]:
    """The approaches that gave none."""
    known = with_law(document)
    return [approach for approach in asked(document) if approach not in known]


def leading(document: Document) -> str | None:
    """The approach that the top of the page speaks for: isoFLOP profiles where they gave a law."""
    known = with_law(document)
    return next((approach for approach in _LEADS if approach in known), None)


def why(document: Document, approach: str) -> str:
    """Why an approach gave no law."""
    said = part(document, "reasons").get(approach) or fit(document, approach).get("reason")
    return str(said) if said else f"The document holds no law of {label(approach)}."


def short_why(document: Document, approach: str) -> str:
    """The same without what stands in parentheses, where every budget may be listed."""
    return why(document, approach).split(" (")[0]


def loss_unit(document: Document) -> str:
    """The unit of the loss column; nats per token where the document names no other."""
    return str(part(document, "table", "units").get("loss") or "nats per token")


def runs(document: Document) -> list[dict[str, Any]]:
    """The runs of the table as rows: parameters, tokens, flops, loss, budget, line; None where unknown."""
    rows = range(len(items(document, "runs", "loss")))
    names = ("parameters", "tokens", "flops", "loss", "budget", "lines")
    columns = {name: items(document, "runs", name) or [None] * len(rows) for name in names}
    return [{name.removesuffix("s") if name == "lines" else name: columns[name][i] for name in names} for i in rows]


def compute_range(document: Document) -> tuple[float, float] | None:
    """The least and the most FLOPs of any run, None without runs."""
    spent = [float(flops) for flops in items(document, "runs", "flops") if flops]
    return (min(spent), max(spent)) if spent else None
