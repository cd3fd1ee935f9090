"""The spool: texts on disk, with what is known of each in memory (some 300 bytes a document).

A corpus is shuffled, but may be larger than memory. So its texts pass once from the source into one
temporary file and are read back from there in training order. Of texts that are duplicates one is kept, and
which one does not depend on the order in which they come.
"""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

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

    def replaced(self, size: int) -> None:
        """Take back the count of a document for which a duplicate is kept instead; its names stay."""
        self.documents -= 1
        self.bytes -= size
        self.duplicates += 1


class Kept(NamedTuple):
    """A document that is kept. Of duplicates, the one that sorts first is."""

    subset: str
    content: bytes
    """Names (subset, text)."""
    start: int
    """Where the text starts in the file, in bytes."""
    size: int
    """Bytes of the text."""


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
        self._starts = np.empty(0, dtype=np.int64)
        self.notes: dict[str, SubsetNotes] = {}
        """For every subset that came, even one of which nothing was kept."""
        self.names: list[str] = []
        """The subsets with documents, in alphabetical order."""
        self.hashes = np.empty(0, dtype=np.uint64)
        """uint64 [documents]: `document_hash` of each."""
        self.subsets = np.empty(0, dtype=np.int32)
        """int32 [documents]: index into `names`."""
        self.sizes = np.empty(0, dtype=np.int64)
        """int64 [documents]: bytes of each text."""

    def fill(self, documents: Iterable[Document]) -> None:
        """Store the documents that are not empty, one of those with equal hashes. To be called once.

        Raises BadInput, naming the document, for a text with lone surrogates; HutchError when the disk is full.
        """
        kept: dict[int, Kept] = {}
        end = 0
        for document in documents:
            notes = self.notes.setdefault(document.subset, SubsetNotes())
            data, key = encoded(document)
            if not document.text.strip():
                notes.empty += 1
                continue
            new, old = Kept(document.subset, content_of(document.subset, data), end, len(data)), kept.get(key)
            if old and old <= new:
                notes.duplicates += 1
                continue
            if old:
                self.notes[old.subset].replaced(old.size)
            with disk_errors():
                self._file.write(data)
            end += len(data)
            kept[key] = new
            notes.note(document, len(data))
        with disk_errors():
            self._file.flush()
        self._index(kept)

    def _index(self, kept: dict[int, Kept]) -> None:
        """Arrays from the records."""
        self.names = sorted({record.subset for record in kept.values()})
        number = {name: i for i, name in enumerate(self.names)}
        self.hashes = np.fromiter(kept, dtype=np.uint64, count=len(kept))
        self.subsets = np.array([number[record.subset] for record in kept.values()], dtype=np.int32)
        self.sizes = np.array([record.size for record in kept.values()], dtype=np.int64)
        self._starts = np.array([record.start for record in kept.values()], dtype=np.int64)
        self._content = [record.content for record in kept.values()]

    def digest(self) -> str:
        """Sixteen hexadecimal digits for the set of (subset, text), whatever the reading order."""
        return hashlib.blake2b(b"".join(sorted(self._content)), digest_size=8).hexdigest()

    def read(self, index: int) -> str:
        """One text."""
        self._file.seek(int(self._starts[index]))
        return self._file.read(int(self.sizes[index])).decode()

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):  # after a failed write it tries again
            self._file.close()


@contextmanager
def disk_errors() -> Iterator[None]:
    """One line for a disk that is full or gone."""
    try:
        yield
    except OSError as error:
        raise HutchError(f"cannot write the temporary file of the corpus: {error.strerror or error}") from error


def content_of(subset: str, data: bytes) -> bytes:
    """Sixteen bytes that name (subset, text)."""
    return hashlib.blake2b(subset.encode("utf-8", "replace") + b"\0" + data, digest_size=16).digest()


def encoded(document: Document) -> tuple[bytes, int]:
    """The text in UTF-8, and its hash."""
    try:
        return document.text.encode(), document_hash(document.text)
    except UnicodeEncodeError as error:
        raise BadInput(
            f"{document.key} (subset {document.subset}) holds a lone surrogate at character {error.start}; "
            "it is no Unicode text"
        ) from error
