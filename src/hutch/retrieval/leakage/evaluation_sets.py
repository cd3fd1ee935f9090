"""An evaluation set: any JSON lines with a text, or items of a task, or whatever the corpora read.

A row with `text` is that text. An item of a task has no text but fields, such as a question and its choices: those
known are joined, a line each, in the order in which they are read aloud.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutch.runs.errors import BadInput
from hutch.text import read_source
from hutch.text.files import json_lines, text_kind
from hutch.text.sources import local_path, stem, subset_of, visible_files

ITEM_FIELDS = (
    "passage", "context", "support", "article", "story", "ctx", "premise", "hypothesis", "scenario", "excuse", "prompt",
    "question", "query", "goal", "sentence", "statement", "claim", "input", "sent_more", "sent_less",
    "context_options", "choices", "options", "endings", "sol1", "sol2", "answer", "answers", "target", "continuation",
    "completion", "solution",
)  # fmt: skip
"""Fields of items that are joined."""


@dataclass(frozen=True, slots=True)
class EvaluationDocument:
    """What is looked for in the training text."""

    id: str
    text: str
    subset: str = ""
    leak: str = ""
    """How it was leaked into the training text, where the set was made for a test of the verdicts; "" where it was not
    or nothing is known."""
    leak_of: str = ""
    """The id of the training document that it was made from, where that is known."""


def read_evaluation(source: str | Path, *, fields: Sequence[str] | None = None) -> list[EvaluationDocument]:
    """The documents of an evaluation set: a JSON-lines file (also .gz, .zst), a folder of them, or any source that
    `hutch.text.read_source` reads. `fields` says which fields of a row are joined, instead of `text` or `ITEM_FIELDS`.

    Raises BadInput, with file and line, for a row without a text, and where there are no documents.
    """
    documents = list(
        from_path(local_path(str(source)), fields) if is_local(str(source)) else from_source(source, fields)
    )
    if not documents:
        raise BadInput(f"{source} holds no documents")
    return documents


def is_local(source: str) -> bool:
    """Whether a source names a file or a folder."""
    return source != "embedded" and not source.startswith(("embedded:", "hf:"))


def from_path(path: Path, fields: Sequence[str] | None) -> Iterator[EvaluationDocument]:
    """The documents of a file, or of all files of known kinds in a folder and below it."""
    read_source(path)  # refuses what is missing, of no known kind, or empty
    if path.is_file():
        yield from from_file(path, stem(path), fields)
        return
    for place in visible_files(path):
        if text_kind(place):
            yield from from_file(path / place, subset_of(path, place), fields)


def from_file(path: Path, subset: str, fields: Sequence[str] | None) -> Iterator[EvaluationDocument]:
    """The documents of one file."""
    if text_kind(path) == "json":
        yield from from_rows(path, subset, fields)
    else:
        yield from from_source(path, fields)


def from_source(source: str | Path, fields: Sequence[str] | None) -> Iterator[EvaluationDocument]:
    """Documents of any source."""
    if fields:
        raise BadInput(f"fields can be chosen in JSON lines alone, and {source} is something else")
    for document in read_source(source).documents():
        yield EvaluationDocument(document.key, document.text, document.subset)


def from_rows(path: Path, subset: str, fields: Sequence[str] | None) -> Iterator[EvaluationDocument]:
    """The rows of a JSON-lines file."""
    for number, row in json_lines(path):
        text = text_of(row, f"{path}:{number}", fields)
        yield EvaluationDocument(
            id=f"{path.name}:{number}" if row.get("id") is None else str(row["id"]),
            text=text,
            subset=str(row.get("subset") or subset),
            leak=str(row.get("leak") or ""),
            leak_of=str(row.get("leak_of") or ""),
        )


def text_of(row: Any, place: str, fields: Sequence[str] | None) -> str:
    """The text of a row; `place` (file:line) is for the message."""
    if isinstance(row, dict):
        if fields is None and isinstance(row.get("text"), str):
            return row["text"]
        present = [name for name in fields or ITEM_FIELDS if name in row]
        if present:
            return "\n".join(part for name in present for part in strings_of(row[name]))
    has = ", ".join(map(str, row)) if isinstance(row, dict) and row else "no fields"
    wanted = " or ".join(map(repr, fields)) if fields else "'text', or of an item such as 'question' and 'choices'"
    raise BadInput(f"{place} has no text; a row needs the field {wanted}, this one has {has}")


def strings_of(value: Any) -> list[str]:
    """The strings in a field: itself, those of a list, those of a mapping such as {"text": [...], "label": [...]},
    except its labels."""
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, dict):
        return [part for name, item in value.items() if name not in ("label", "labels") for part in strings_of(item)]
    return [part for item in value for part in strings_of(item)] if isinstance(value, list) else []
