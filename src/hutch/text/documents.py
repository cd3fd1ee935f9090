"""The document: the unit that is read, deduplicated, split and encoded."""

from dataclasses import dataclass


def printable(name: str) -> str:
    """A name that can be written as UTF-8: lone surrogates, as in file names that are no UTF-8, become "?"."""
    return name.encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Document:
    """One text with its origin. Two documents with the same key are the same place in the same source."""

    text: str
    """The text as it is trained on: no normalisation, any Unicode except lone surrogates."""

    subset: str
    """The part of the corpus it belongs to; losses are reported per subset."""

    key: str
    """A stable name: the file, and the line or id within it."""

    licence: str = "unknown"
    """The licence of the text, as its source states it."""

    source: str = ""
    """Where the text came from, when the source says so itself; finer than the subset."""
