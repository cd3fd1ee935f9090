"""Where documents come from: the embedded corpus, a file, a folder, or a Hugging Face data set.

A source is a list of parts, each read as a stream, so that a corpus larger than memory passes through; only a
single row of a table (JSON lines, Parquet) must fit. A text file is one document, or, when it is longer than a
passage, one for each passage: a corpus needs several documents to hold some out. Of a file in a folder the subset
is its first-level subfolder; at the top level, a table is a subset of its own by its stem, and the text files
together are the subset named after the folder. A row carries `text` and may carry `subset`, `source`, `licence`
and `id`.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hutch.runs.configuration import digest
from hutch.runs.errors import BadInput, HutchError
from hutch.text.documents import Document, printable
from hutch.text.embedded import EMBEDDED
from hutch.text.files import KINDS, cut_passages, exists, json_lines, parquet_rows, text_kind, text_pieces

FILE_KINDS = ".txt, .md, .jsonl, .ndjson, .json with one object a line (all also .gz, .zst) or .parquet"


@dataclass(frozen=True)
class Part:
    """A piece of a source that is read in one go."""

    name: str
    read: Callable[[], Iterator[Document]]


@dataclass(frozen=True)
class Source:
    """A named origin of documents; `documents` reads it from the start each time."""

    name: str
    parts: tuple[Part, ...]
    descriptions: dict[str, str] = field(default_factory=dict)
    """One sentence per subset, where known."""
    missing: dict[str, str] = field(default_factory=dict)
    """Subsets that were asked for and cannot be read here, with the reason."""
    skipped: dict[str, int] = field(default_factory=dict)
    """How many files of a folder are of no known kind, by ending."""
    fingerprint: dict[str, Any] | None = None
    """Of a file or folder, see `fingerprint`."""
    subsets: tuple[str, ...] | None = None
    """Only these subsets, or all of them."""

    def documents(self) -> Iterator[Document]:
        """All documents in a fixed order. Raises BadInput for what cannot be read and when there are none."""
        found = set()
        for part in self.parts:
            for document in part.read():
                found.add(document.subset)
                if self.subsets is None or document.subset in self.subsets:
                    yield document
        if not found:
            raise BadInput(f"{self.name} holds no documents")
        unknown = sorted(set(self.subsets or ()) - found - set(self.missing))
        if unknown:
            raise BadInput(f"{self.name} has no subset {unknown[0]!r}; it has {', '.join(sorted(found))}")


def read_source(source: str | Path, subsets: tuple[str, ...] | None = None) -> Source:
    """Where `source` leads: "embedded", "embedded:speeches,code", a file, a folder, or "hf:NAME[:CONFIG]".

    Args:
        source: see above; a Hugging Face data set may be a name on the hub or a local folder.
        subsets: keep only these.

    Raises:
        BadInput: a path that is missing, empty or of an unknown kind, or an unknown embedded subset. What is
            wrong inside the files is raised, with file and place, while they are read.
    """
    name = str(source)
    subsets = subsets and tuple(printable(subset) for subset in subsets)
    if name == "embedded" or name.startswith("embedded:"):
        return embedded_source(name, subsets)
    if name.startswith("hf:"):
        part = Part(name, partial(read_hugging_face, name.removeprefix("hf:")))
        return Source(name, (part,), subsets=subsets)
    return path_source(local_path(name), subsets)


def local_path(name: str) -> Path:
    """The path that `name` writes. Raises BadInput for the home of a user who is not known."""
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise BadInput(f"{name} does not exist: {error}") from error


def embedded_source(name: str, subsets: tuple[str, ...] | None) -> Source:
    """The embedded corpus or the subsets of it that both `name` and `subsets` ask for."""
    listed = [part.strip() for part in name.partition(":")[2].split(",") if part.strip()]
    for subset in [*listed, *(subsets or ())]:
        if subset not in EMBEDDED:
            raise BadInput(f"the embedded corpus has no subset {subset!r}; it has {', '.join(EMBEDDED)}")
    chosen = [s for s in EMBEDDED.values() if s.name in (listed or EMBEDDED) and s.name in (subsets or EMBEDDED)]
    if not chosen:
        raise BadInput(f"source {name!r} and subsets {subsets} have nothing in common")
    missing = {s.name: reason for s in chosen if (reason := s.missing())}
    parts = tuple(Part(s.name, s.read) for s in chosen if s.name not in missing)
    if not parts:
        raise BadInput("no subset of the embedded corpus can be read: " + "; ".join(missing.values()))
    return Source(name, parts, {s.name: s.description for s in chosen}, missing)


def path_source(path: Path, subsets: tuple[str, ...] | None) -> Source:
    """A file, or all files of known kinds in a folder and below it, hidden ones apart."""
    if not exists(path):
        raise BadInput(f"{path} does not exist; give a file, a folder, 'embedded' or 'hf:NAME'")
    if path.is_file():
        if text_kind(path) is None:
            raise BadInput(f"{path} is of no known kind; a file must be {FILE_KINDS}")
        part = Part(path.name, partial(read_file, path, stem(path), path.name))
        return Source(printable(str(path)), (part,), subsets=subsets, fingerprint=fingerprint(path))
    files = visible_files(path)
    known = [place for place in files if text_kind(place)]
    if not known:
        raise BadInput(f"folder {path} holds no text; it needs files of the kind {FILE_KINDS}")
    return Source(
        printable(str(path)),
        tuple(
            Part(str(place), partial(read_file, path / place, subset_of(path, place), place.as_posix()))
            for place in known
        ),
        skipped=dict(Counter(printable(place.suffix.lower()) for place in files if not text_kind(place))),
        subsets=subsets,
        fingerprint=fingerprint(path),
    )


def visible_files(folder: Path) -> list[Path]:
    """All files in a folder and below it, hidden ones apart, as sorted paths from it. Raises BadInput for a
    folder that cannot be listed."""

    def refuse(error: OSError) -> None:
        raise BadInput(f"{error.filename} cannot be read: {error.strerror or error}") from error

    found = []
    for place, below, names in os.walk(folder, onerror=refuse):
        below[:] = [name for name in below if not name.startswith(".")]
        paths = [Path(place, name) for name in names if not name.startswith(".")]
        found += [path.relative_to(folder) for path in paths if path.is_file()]
    return sorted(found)


def fingerprint(path: Path) -> dict[str, Any] | None:
    """What tells whether the texts of a file or folder have changed: where it is, the number of its files of known
    kinds, their bytes, and a digest of their names and sizes. None when there is nothing (any more).

    An edit that keeps a file's size goes unseen; times are left out, because a copy of a folder has others.
    """
    if not exists(path):
        return None
    files = [path] if path.is_file() else [path / place for place in visible_files(path) if text_kind(place)]
    try:
        sizes = [(os.path.relpath(file, path), file.stat().st_size) for file in files]
    except OSError as error:
        raise BadInput(f"{error.filename} cannot be read: {error.strerror or error}") from error
    total = sum(size for _, size in sizes)
    return {"place": printable(str(path.resolve())), "files": len(files), "bytes": total, "sizes": digest(sizes)}


def subset_of(folder: Path, place: Path) -> str:
    """The subset of the file at `place` in `folder`."""
    if len(place.parts) > 1:
        return place.parts[0]
    return folder.resolve().name if text_kind(place) == "text" else stem(place)


def stem(path: Path) -> str:
    """The file's name without its known endings."""
    return re.sub(rf"({'|'.join(map(re.escape, KINDS))})(\.gz|\.zst)?$", "", path.name, flags=re.IGNORECASE)


def read_file(path: Path, subset: str, key: str) -> Iterator[Document]:
    """The documents of one file."""
    subset, key = printable(subset), printable(key)
    if text_kind(path) == "text":
        for i, passage in enumerate(cut_passages(text_pieces(path))):
            yield Document(passage, subset, f"{key}:{i}" if i else key)
        return
    for number, row in json_lines(path) if text_kind(path) == "json" else parquet_rows(path):
        yield row_document(row, subset, key, f"{path}:{number}", number)


def row_document(row: Any, subset: str, key: str, place: str, number: int) -> Document:
    """A row of a table as a document; `place` (file:line) is for the message when it has no text."""
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        found = row if isinstance(row, dict) else {"no fields": row}
        named = ", ".join(f"{name} ({type(value).__name__})" for name, value in found.items())
        raise BadInput(f"{place} has no text; a row needs a field 'text' that is a string, this one has {named}")
    return Document(
        text=row["text"],
        subset=printable(str(row.get("subset") or subset)),
        key=printable(f"{key}:{number if row.get('id') is None else row['id']}"),
        licence=printable(str(row.get("licence") or "unknown")),
        source=printable(str(row.get("source") or "")),
    )


def read_hugging_face(name: str) -> Iterator[Document]:
    """The `train` split of a data set, streamed, or the only split it has."""
    try:
        import datasets  # pyrefly: ignore[missing-import]
    except ImportError as error:
        raise BadInput("hf: sources need the library 'datasets': pip install 'hutch-lab[datasets]'") from error
    try:
        rows = open_data_set(datasets, name)
        for number, row in enumerate(rows, start=1):
            yield row_document(row, Path(name.partition(":")[0]).name, name, f"hf:{name} row {number}", number)
    except HutchError:
        raise
    except Exception as error:  # the library raises its own, requests' and OSError for a name that is not there
        raise BadInput(f"hf:{name} cannot be read: {str(error).splitlines()[0] if str(error) else error!r}") from error


def open_data_set(datasets: Any, name: str) -> Iterable[dict[str, Any]]:
    """A data set saved by `save_to_disk`, or whatever `load_dataset` finds under the name, as a stream."""
    folder = local_path(name)
    if (folder / "dataset_info.json").exists() or (folder / "dataset_dict.json").exists():
        loaded = datasets.load_from_disk(str(folder))
    elif folder.exists():
        loaded = datasets.load_dataset(str(folder), streaming=True)
    else:
        repository, _, configuration = name.partition(":")
        loaded = datasets.load_dataset(repository, configuration or None, streaming=True)
    if not isinstance(loaded, dict):
        return loaded
    if "train" not in loaded and len(loaded) > 1:
        raise BadInput(f"hf:{name} has no split 'train', but {', '.join(loaded)}")
    return loaded["train"] if "train" in loaded else next(iter(loaded.values()))
