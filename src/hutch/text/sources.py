"""Where documents come from: the embedded corpus, a file, a folder, or a Hugging Face data set.

A source is a list of parts, each read as a stream, so that a corpus larger than memory passes through.
A text file is one document, except that a single file given by itself is cut into passages (a corpus needs
several documents to hold some out). Of a file in a folder the subset is its first-level subfolder; at the
top level, a table (JSON lines, Parquet) is a subset of its own by its stem, and the text files together are
the subset named after the folder. A row of a table carries `text` and may carry `subset`, `source`,
`licence` and `id`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hutch.runs.errors import BadInput, HutchError
from hutch.text.documents import Document
from hutch.text.embedded import EMBEDDED
from hutch.text.files import decode, json_lines, open_bytes, parquet_rows, text_kind

FILE_KINDS = ".txt, .md, .jsonl (also .gz, .zst) or .parquet"
PASSAGE_CHARACTERS = 8_000
"""A single text file is cut at the first blank line after so many characters ..."""
LONGEST_PASSAGE_CHARACTERS = 32_000
"""... or at the first newline after so many, when no blank line comes."""


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
    if name == "embedded" or name.startswith("embedded:"):
        return embedded_source(name, subsets)
    if name.startswith("hf:"):
        part = Part(name, partial(read_hugging_face, name.removeprefix("hf:")))
        return Source(name, (part,), subsets=subsets)
    return path_source(Path(name).expanduser(), subsets)


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
    if not path.exists():
        raise BadInput(f"{path} does not exist; give a file, a folder, 'embedded' or 'hf:NAME'")
    if path.is_file():
        if text_kind(path) is None:
            raise BadInput(f"{path} is of no known kind; a file must be {FILE_KINDS}")
        part = Part(path.name, partial(read_file, path, stem(path), path.name, passages=True))
        return Source(str(path), (part,), subsets=subsets)
    parts = []
    for file in sorted(path.rglob("*")):
        place = file.relative_to(path)
        if file.is_file() and text_kind(file) and not any(name.startswith(".") for name in place.parts):
            parts.append(Part(str(place), partial(read_file, file, subset_of(path, place), place.as_posix())))
    if not parts:
        raise BadInput(f"folder {path} holds no text; it needs files of the kind {FILE_KINDS}")
    return Source(str(path), tuple(parts), subsets=subsets)


def subset_of(folder: Path, place: Path) -> str:
    """The subset of the file at `place` in `folder`."""
    if len(place.parts) > 1:
        return place.parts[0]
    return folder.resolve().name if text_kind(place) == "text" else stem(place)


def stem(path: Path) -> str:
    """The file's name without its known endings."""
    return re.sub(r"\.(txt|md|jsonl|parquet)(\.gz|\.zst)?$", "", path.name, flags=re.IGNORECASE)


def read_file(path: Path, subset: str, key: str, passages: bool = False) -> Iterator[Document]:
    """The documents of one file."""
    kind = text_kind(path)
    if kind == "text":
        with open_bytes(path) as handle:
            text = decode(handle.read(), path).removeprefix("\ufeff")
        if passages:
            cut = enumerate(cut_passages(text))
            return iter([Document(passage, subset, f"{key}:{i}") for i, passage in cut])
        return iter([Document(text, subset, key)])
    rows = json_lines(path) if kind == "json" else parquet_rows(path)
    return (row_document(row, subset, key, f"{path}:{number}", number) for number, row in rows)


def cut_passages(text: str) -> list[str]:
    """`text` cut behind blank lines into passages of about `PASSAGE_CHARACTERS`; joined they are `text`."""
    cuts, start = [0], 0
    for newline in re.finditer(r"(?:\r?\n)+", text):
        length = newline.end() - start
        blank = newline.group().count("\n") > 1
        if length >= (PASSAGE_CHARACTERS if blank else LONGEST_PASSAGE_CHARACTERS):
            start = newline.end()
            cuts.append(start)
    return [text[a:b] for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True) if b > a]


def row_document(row: Any, subset: str, key: str, place: str, number: int) -> Document:
    """A row of a table as a document; `place` (file:line) is for the message when it has no text."""
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise BadInput(f"{place} has no text; a row needs a field 'text' that is a string")
    return Document(
        text=row["text"],
        subset=str(row.get("subset") or subset),
        key=f"{key}:{number if row.get('id') is None else row['id']}",
        licence=str(row.get("licence") or "unknown"),
        source=str(row.get("source") or ""),
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
    folder = Path(name).expanduser()
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
