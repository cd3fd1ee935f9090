"""The page of a leakage scan."""

import re
from pathlib import Path
from typing import Any

from hutch.cli.db_leakage_terminal import flagged, known_by_kind
from hutch.cli.db_page import headline, page
from hutch.reports.formats import DASH, decimal, duration, grouped, percent
from hutch.reports.markup import Html, element, joined
from hutch.reports.sections import section
from hutch.reports.tables import table

BLANK_LINES = re.compile(r"\s*\n\s*")
MOST = 200
"""Documents that the page shows with their passages."""
LOOKS = {"leaked": ("✗", "bad"), "partly leaked": ("≈", "scale"), "clean": ("✓", "good")}


def leakage_page(document: dict[str, Any]) -> str:
    """The page, from what `hutch db leakage --json` prints."""
    title = f"Leakage: {Path(document['training']).name or document['training']}"
    above = [
        document["training"],
        f"{grouped(document['training_documents'])} documents",
        duration(document["seconds"]),
    ]
    counts = document["verdicts"]["all"]
    answer = (
        f"Of {grouped(document['documents'])} documents {grouped(counts['leaked'])} stand in the training text, "
        f"{grouped(counts['partly leaked'])} in part, {grouped(counts['clean'])} are clean."
    )
    parts = (_verdicts, _known, _chunks, _documents)
    return page(title, joined([headline(title, " · ".join(above), answer), *(build(document) for build in parts)]))


def badge(verdict: str) -> Html:
    """A verdict: a sign and the word, so that colour is never all there is."""
    sign, look = LOOKS.get(verdict, ("–", "none"))
    return element("span", f"{sign} {verdict}", class_=f"badge {look}")


def _verdicts(document: dict[str, Any]) -> Html:
    counts = document["verdicts"]
    names = list(counts["all"])
    rows = [
        (subset or DASH, *(grouped(row[name]) for name in names))
        for subset, row in counts.items()
        if not (subset == "all" and len(counts) == 2)
    ]
    config = document["config"]["verdicts"]
    why = (
        f"Leaked: at least {percent(config['leaked'])} of a document's words lie in windows of {config['window']} "
        f"words that its sources hold; partly: {percent(config['partly'])}. Windows in more than "
        f"{config['common_documents']} training documents are common text and no evidence."
    )
    return section(
        "verdicts",
        "Verdicts",
        table(("subset", *names), rows, caption="Documents by verdict", numeric=range(1, len(names) + 1)),
        element("p", element("small", why)),
    )


def _known(document: dict[str, Any]) -> Html | None:
    if not document["known_leaks"]:
        return None
    heads = ("kind of leak", "documents", "found", "recall", "unleaked", "false alarms", "precision", "right source")
    rows = [
        (
            row["kind"],
            *(grouped(row[name]) for name in ("documents", "found")),
            percent(row["recall"], 1),
            *(grouped(row[name]) for name in ("unleaked", "false_alarms")),
            percent(row["precision"], 1),
            percent(row["source_accuracy"], 1),
        )
        for row in known_by_kind(document)
    ]
    caption = "The verdicts on documents of which it is known that they were leaked"
    return section("known", "Known leaks", table(heads, rows, caption=caption, numeric=range(1, len(heads))))


def _chunks(document: dict[str, Any]) -> Html | None:
    chunks = document["chunks"]
    if not chunks or not chunks["count"]:
        return None
    nearest, models = chunks["share_left_by_neighbours"], (chunks["bits_per_byte"] or {}).get("models", {})
    heads = ["r at most", "chunks left", *(["by neighbours"] if nearest else [])]
    heads += [f"bits per byte of {name}" for name in models]
    rows = [
        (
            percent(alpha, 1),
            percent(chunks["share_left"][place], 1),
            *([percent(nearest[place], 1)] if nearest else []),
            *(_spread(model, place) for model in models.values()),
        )
        for place, alpha in enumerate(chunks["alphas"])
    ]
    caption = f"Of {grouped(chunks['count'])} chunks of {chunks['tokens']} tokens, by the overlap r that is allowed"
    shown = [table(heads, rows, caption=caption, numeric=range(len(heads)))]
    if chunks["neighbour_recall"]:
        found = [
            (
                percent(row["threshold"], 1),
                *(percent(row[name], 1) for name in ("exact_share", "neighbour_share", "recall")),
            )
            for row in chunks["neighbour_recall"]
        ]
        heads = ["r at least", "exact", "by ten neighbours", "found"]
        shown.append(table(heads, found, caption="What the nearest neighbours find of it", numeric=range(4)))
    why = (
        "r(C) is the longest run of tokens of a chunk that stands anywhere in the training text, over 64; runs of "
        "fewer than 8 tokens count as none. By neighbours: that stands in the chunk's ten nearest, runs of any length."
    )
    return section(
        "chunks",
        "Overlap of chunks",
        element("div", shown, class_="pair"),
        element("p", element("small", why)),
    )


def _spread(model: dict[str, Any], place: int) -> str:
    value, low, high = (model[name][place] for name in ("value", "low", "high"))
    return DASH if value is None else f"{decimal(value)} [{decimal(low)}, {decimal(high)}]"


def _documents(document: dict[str, Any]) -> Html:
    listed = flagged(document)
    if not listed:
        return section("documents", "Documents", element("p", "None is leaked, wholly or in part."))
    left = f"The first {MOST} of {grouped(len(listed))}; all are in --rows and --json." if len(listed) > MOST else None
    return section(
        "documents",
        "Documents that stand in the training text",
        element("p", left, class_="why") if left else None,
        element("div", [_card(row) for row in listed[:MOST]], class_="found"),
    )


def _card(row: dict[str, Any]) -> Html:
    """A document with its passages, on the left here, on the right in the training text."""
    sources = ", ".join(f"{source['key']} ({grouped(source['words'])} words)" for source in row["sources"])
    subset = f"{row['subset']} · " if row["subset"] else ""
    return element(
        "article",
        element("h3", row["id"]),
        element("p", badge(row["verdict"]), f" {subset}{percent(row['shared'])} of {grouped(row['words'])} words"),
        element("small", f"in {sources}") if sources else None,
        _sides(row["passages"]) if row["passages"] else None,
        class_="card",
    )


def _sides(passages: list[dict[str, Any]]) -> Html:
    """Passages side by side."""
    names = [element("small", name) for name in ("evaluation", "training text")]
    texts = [
        element("p", BLANK_LINES.sub("\n", passage[side]), class_="sample")
        for passage in passages
        for side in ("text", "source_text")
    ]
    return element("div", names, texts, class_="sides")
