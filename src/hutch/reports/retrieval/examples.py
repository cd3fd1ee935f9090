"""Held-out chunks with what was retrieved for the text before them; each token tinted by what it gained."""

from collections.abc import Mapping
from typing import Any

from hutch.reports.formats import decimal, percent
from hutch.reports.markup import Html, element, joined
from hutch.reports.reading import Analysis, items

STRONGEST = 3.0
"""Bits at which a tint is full."""


def examples(analysis: Analysis) -> Html:
    """The examples by kind."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for example in items(analysis, "examples"):
        kinds.setdefault(str(example.get("kind")), []).append(example)
    if not kinds:
        return element("p", "The study kept no examples.", class_="why")
    return joined(
        [element("h3", f"Where retrieval {kind}"), element("div", [_card(one) for one in group], class_="examples")]
        for kind, group in kinds.items()
    )


def _card(example: Mapping[str, Any]) -> Html:
    """One chunk: what was read before it, the chunk, the neighbours."""
    gain = example.get("gain_bits")
    facts = f"{example.get('subset')} · overlap {percent(example.get('overlap'))} · {_signed(gain)} bits"
    return element(
        "article",
        element("small", facts),
        element(
            "p",
            element("span", str(example.get("read") or ""), class_="before"),
            [_token(token) for token in example["tokens"]],
            class_="sample",
        ),
        [_neighbour(place, neighbour) for place, neighbour in enumerate(items(example, "neighbours"), start=1)],
        class_="card",
    )  # fmt: skip


def _token(token: Mapping[str, Any]) -> Html:
    gain = float(token.get("gain") or 0.0)
    share = min(abs(gain) / STRONGEST, 1.0)
    tint = None
    if share >= 0.05:
        colour = "--good" if gain > 0 else "--bad"
        tint = f"background:color-mix(in srgb, var({colour}) {round(55 * share)}%, transparent)"
    return element("span", str(token.get("text") or ""), style=tint, title=f"{_signed(gain)} bits")


def _neighbour(place: int, neighbour: Mapping[str, Any]) -> Html:
    common = neighbour.get("common_tokens")
    return element(
        "details",
        element("summary", f"neighbour {place} ({neighbour.get('subset')}, {common} tokens in common)"),
        element(
            "p", str(neighbour.get("text") or ""),
            element("span", str(neighbour.get("continuation") or ""), class_="continuation"), class_="sample",
        ),
    )  # fmt: skip


def _signed(value: float | None) -> str:
    return decimal(value, 1) if value is None or value <= 0 else f"+{decimal(value, 1)}"
