"""The spool: texts on disk in reading order, with what is known of each in memory.

A corpus is shuffled, but may be larger than memory. So its texts pass once from the source into one
temporary file, without duplicates, and are read back from there in training order.
"""

import hashlib
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from hutch.runs.errors import BadInput, HutchError
from hutch.text.documents import Document
from hutch.text.splits import document_hash

NAMES_KEPT = 20
"""Licences and sources listed per subset; a web crawl may have millions."""


class SubsetNotes:
    """What is counted while the documents of one subset arrive."""

    def __init__(self) -> None:
        self.documents = 0
        self.bytes = 0
        self.duplicates = 0
        self.empty = 0
        self.licences: set[str] = set()
        self.sources: set[str] = set()

    def note(self, document: Document, size: int) -> None:
        """Count a document that is kept."""
        self.documents += 1
        self.bytes += size
        for names, name in ((self.licences, document.licence), (self.sources, document.source)):
            if name and len(names) <= NAMES_KEPT:
                names.add(name)


def listed(names: set[str]) -> str:
    """The names in one string, in alphabetical order; more than `NAMES_KEPT` are cut."""
    return "; ".join(sorted(names)[:NAMES_KEPT]) + ("; ..." if len(names) > NAMES_KEPT else "")


class Spool:
    """Kept texts in an anonymous file, which vanishes with the process even when that is killed.

    Use as a context manager: leaving it drops the file.
    """

    def __init__(self, folder: Path):
        """`folder`: where the temporary file lives; it needs the space of the texts."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by `__exit__`
        except OSError as error:
            raise HutchError(f"cannot write in {folder}: {error.strerror or error}") from error
        self._content: list[bytes] = []
        self.notes: dict[str, SubsetNotes] = {}
        """For every subset that came, even one of which nothing was kept."""
        self.names: list[str] = []
        """The subsets with documents, in order of appearance."""
        self.hashes = np.empty(0, dtype=np.uint64)
        """uint64 [documents]: `document_hash` of each."""
        self.subsets = np.empty(0, dtype=np.int32)
        """int32 [documents]: index into `names`."""
        self.ends = np.empty(0, dtype=np.int64)
        """int64 [documents]: where each text ends in the file."""

    def fill(self, documents: Iterable[Document]) -> None:
        """Store each document that is neither empty nor a duplicate of an earlier one. To be called once.

        Raises BadInput, naming the document, for a text with lone surrogates.
        """
        position = 0
        numbers: dict[str, int] = {}
        hashes: dict[int, None] = {}  # a dict for its order and its fast look-up
        ends, subsets = [], []
        for document in documents:
            notes = self.notes.setdefault(document.subset, SubsetNotes())
            data, key = encoded(document)
            if not document.text.strip():
                notes.empty += 1
            elif key in hashes:
                notes.duplicates += 1
            else:
                hashes[key] = None
                self._store(document.subset, data)
                position += len(data)
                ends.append(position)
                subsets.append(numbers.setdefault(document.subset, len(numbers)))
                notes.note(document, len(data))
        self.names = list(numbers)
        self.hashes = np.fromiter(hashes, dtype=np.uint64, count=len(hashes))
        self.subsets = np.array(subsets, dtype=np.int32)
        self.ends = np.array(ends, dtype=np.int64)

    def _store(self, subset: str, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise HutchError(f"cannot write the temporary file of the corpus: {error.strerror or error}") from error
        labelled = subset.encode("utf-8", "replace") + b"\0" + data
        self._content.append(hashlib.blake2b(labelled, digest_size=16).digest())

    def digest(self) -> str:
        """Sixteen hexadecimal digits for the set of (subset, text), whatever the reading order."""
        return hashlib.blake2b(b"".join(sorted(self._content)), digest_size=8).hexdigest()

    def read(self, index: int) -> str:
        """One text."""
        start = int(self.ends[index - 1]) if index else 0
        self._file.seek(start)
        return self._file.read(int(self.ends[index]) - start).decode()

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def encoded(document: Document) -> tuple[bytes, int]:
    """The text in UTF-8, and its hash."""
    try:
        return document.text.encode(), document_hash(document.text)
    except UnicodeEncodeError as error:
        raise BadInput(
            f"{document.key} (subset {document.subset}) holds a lone surrogate at character {error.start}; "
            "it is no Unicode text"
        ) from error
