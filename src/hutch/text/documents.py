"""The document: the unit that is read, deduplicated, split and encoded."""

from dataclasses import dataclass


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
