"""What a leakage scan found, on the terminal."""

from typing import TYPE_CHECKING, Any

from hutch.reports.formats import grouped, percent

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

STYLES = {"leaked": "red", "partly leaked": "yellow", "clean": "green"}


def flagged(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of leaked documents and of partly leaked ones, those of which most stands in the training text first."""
    return sorted(
        (row for row in document["rows"] if row["verdict"] in ("leaked", "partly leaked")),
        key=lambda row: (-row["shared"], -row["words"]),
    )


def known_by_kind(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What is known of the verdicts, by kind of leak."""
    return [row for row in document["known_leaks"] or () if row["subset"] == "all"]


def on_terminal(document: dict[str, Any], shown: int) -> "RenderableType":
    """For rich to print."""
    from rich.console import Group
    from rich.text import Text

    above = f"{grouped(document['documents'])} documents in {grouped(document['training_documents'])} of training text"
    pieces: list[Any] = [Text(above, style="bold"), _verdicts(document)]
    if document["known_leaks"]:
        pieces += [Text(""), _quality(document)]
    if document["chunks"] and document["chunks"]["count"]:
        pieces += [Text(""), _chunks(document["chunks"])]
    listed = flagged(document)
    for row in listed[:shown]:
        pieces += [Text(""), *_evidence(row)]
    if len(listed) > shown:
        pieces += [Text(""), Text(f"and {len(listed) - shown} more: --show, --page, --rows or --json", style="dim")]
    return Group(*pieces)


def _verdicts(document: dict[str, Any]) -> "Table":
    from rich.text import Text

    from hutch.reports.terminal import plain_table

    counts = document["verdicts"]
    names = list(counts["all"])
    table = plain_table("subset", *names)
    for subset, row in counts.items():
        # One subset is all of them.
        if not (subset == "all" and len(counts) == 2):
            cells = (Text(grouped(row[name]), style=STYLES.get(name, "") if row[name] else "dim") for name in names)
            table.add_row(Text(subset or "–"), *cells)
    return table


def _quality(document: dict[str, Any]) -> "Table":
    from rich.text import Text

    from hutch.reports.terminal import plain_table

    table = plain_table("known leaks", "documents", "found", "recall", "precision", "right source")
    for row in known_by_kind(document):
        table.add_row(
            Text(row["kind"]),
            grouped(row["documents"]),
            grouped(row["found"]),
            *(percent(row[name], 1) for name in ("recall", "precision", "source_accuracy")),
        )
    return table


def _chunks(chunks: dict[str, Any]) -> "Table":
    from hutch.reports.terminal import plain_table

    nearest, models = chunks["share_left_by_neighbours"], (chunks["bits_per_byte"] or {}).get("models", {})
    heads = [f"r at most, of {grouped(chunks['count'])} chunks", "left", *(["left by neighbours"] if nearest else [])]
    table = plain_table(*heads, *(f"bits per byte of {name}" for name in models))
    for place, alpha in enumerate(chunks["alphas"]):
        cells = [percent(chunks["share_left"][place], 1), *([percent(nearest[place], 1)] if nearest else [])]
        values = (model["value"][place] for model in models.values())
        table.add_row(percent(alpha, 1), *cells, *("–" if value is None else f"{value:.4f}" for value in values))
    return table


def _evidence(row: dict[str, Any]) -> list[Any]:
    """A document, its best source, and the longest passage of both."""
    from rich.text import Text

    from hutch.cli.stream import CONTROLS

    source = row["sources"][0]["key"] if row["sources"] else "no single source"
    line = Text(row["verdict"], style=STYLES[row["verdict"]])
    line.append(f"  {row['id']}  {percent(row['shared'])} of {grouped(row['words'])} words; source {source}", "default")
    lines = [line]
    for passage in sorted(row["passages"], key=lambda passage: -passage["words"])[:1]:
        for name, text in (("here", passage["text"]), ("there", passage["source_text"])):
            said = CONTROLS.sub("\ufffd", " ".join(text.split()))
            lines.append(Text(f"  {name:>5}  {said if len(said) < 180 else said[:179] + '…'}", style="dim"))
    return lines
