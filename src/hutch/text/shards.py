"""A shard: the tokens of many documents in one flat file, mapped in memory, and a table of the documents.

A shard is a folder of three files: `tokens.bin` (little-endian uint16, or uint32 for vocabularies above
65,536), `documents.npy` (one row a document, see `DOCUMENT`) and `manifest.json`, which is written last
and names the size of the others, so that a shard reads as whole or not at all.

Each document ends with the tokenizer's end of document, which stands for no bytes.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from hutch.runs.atomic import atomic_path, read_json, write_json
from hutch.runs.errors import BadInput, HutchError
from hutch.text.tokenizer import Tokenizer

FORMAT = "hutch shard 1"
ABANDONED_AFTER_SECONDS = 600
BLAKE2B = partial(hashlib.blake2b, digest_size=16)
"""The hash behind the checksums."""
DOCUMENT = np.dtype([("start", "<i8"), ("tokens", "<i8"), ("bytes", "<i8"), ("subset", "<i4")])
"""A row of the table: the place of the first token in the shard; tokens, with the end of document; UTF-8
bytes of the text behind them; index into `Shard.subsets`."""


@dataclass(frozen=True)
class Shard:
    """An opened shard. All arrays are read-only maps of the files."""

    folder: Path
    tokens: np.ndarray
    """uint16 or uint32 [tokens]."""
    documents: np.ndarray
    """`DOCUMENT` rows [documents], in the order of the tokens."""
    manifest: dict[str, Any]

    @classmethod
    def open(cls, folder: Path | str, tokenizer_digest: str | None = None) -> "Shard":
        """Map a shard. Raises HutchError, naming the file, when it is missing, truncated or of another
        format, or when it was encoded by another tokenizer than `tokenizer_digest`."""
        folder = Path(folder)
        path = folder / "manifest.json"
        manifest = read_json(path)
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise HutchError(f"{path} does not describe a shard of the format {FORMAT!r}")
        if tokenizer_digest not in (None, manifest["tokenizer"]):
            raise HutchError(f"{folder} was encoded by tokenizer {manifest['tokenizer']}, not by {tokenizer_digest}")
        for name, size in manifest["sizes"].items():
            check_size(folder / name, size)
        tokens = np.memmap(folder / "tokens.bin", dtype=np.dtype(manifest["dtype"]), mode="r")
        documents = read_table(folder / "documents.npy")
        if not consistent(documents, len(tokens), len(manifest["subsets"])):
            raise HutchError(f"{folder / 'documents.npy'} does not match {folder / 'tokens.bin'}")
        return cls(folder, tokens, documents, manifest)

    @property
    def subsets(self) -> tuple[str, ...]:
        """Names of the subsets; `documents["subset"]` counts into it."""
        return tuple(self.manifest["subsets"])

    @property
    def tokenizer_digest(self) -> str:
        """`Tokenizer.digest` of the tokenizer that encoded it."""
        return self.manifest["tokenizer"]

    @property
    def source_digest(self) -> str:
        """The digest of the texts that it was made from."""
        return self.manifest["source"]

    def __len__(self) -> int:
        """Number of documents."""
        return len(self.documents)

    def document(self, index: int) -> np.ndarray:
        """The tokens of one document with its end of document."""
        row = self.documents[index]
        return self.tokens[row["start"] : row["start"] + row["tokens"]]

    def indices(self, subset: str) -> np.ndarray:
        """The documents of a subset, in the order of the tokens. Raises BadInput for an unknown subset."""
        if subset not in self.subsets:
            raise BadInput(f"{self.folder} has no subset {subset!r}; it has {', '.join(self.subsets)}")
        return np.flatnonzero(self.documents["subset"] == self.subsets.index(subset))

    def verify(self) -> None:
        """Read tokens and table and compare with the checksums; HutchError names a file whose content changed."""
        for name, expected in self.manifest["checksums"].items():
            if checksum(self.folder / name) != expected:
                raise HutchError(f"{self.folder / name} is damaged: its content has changed since it was written")


def checksum(path: Path) -> str:
    """The checksum of a file, in hexadecimal digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, BLAKE2B).hexdigest()


def check_size(path: Path, size: int) -> None:
    """Raise HutchError unless the file exists with so many bytes."""
    if not path.exists():
        raise HutchError(f"{path} is missing")
    found = path.stat().st_size
    if found != size:
        raise HutchError(f"{path} has {found:,} bytes and should have {size:,}")


def read_table(path: Path) -> np.ndarray:
    """Map `documents.npy`."""
    try:
        table = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise HutchError(f"{path} is damaged: {error}") from error
    if table.dtype != DOCUMENT:
        raise HutchError(f"{path} holds {table.dtype}, not the table of a shard")
    return table


def consistent(documents: np.ndarray, tokens: int, subsets: int) -> bool:
    """Whether the documents follow each other without a gap to the last token."""
    ends = documents["start"] + documents["tokens"]
    starts = np.concatenate([[0], ends[:-1]])
    known = (documents["subset"] >= 0) & (documents["subset"] < subsets)
    return bool(len(ends) and ends[-1] == tokens and np.array_equal(starts, documents["start"]) and known.all())


class ShardWriter:
    """Writes a shard document by document; memory does not grow with the tokens, only with the table.

    Use as a context manager: on a clean exit the shard appears, on an error whatever stood there before
    stays. Files are renamed into place, so a process that maps an older shard there is not disturbed.
    """

    def __init__(self, folder: Path | str, tokenizer: Tokenizer, subsets: Sequence[str], source_digest: str):
        self.folder = Path(folder)
        self.tokenizer = tokenizer
        self.subsets = tuple(subsets)
        self.source_digest = source_digest
        self.tokens = 0
        self._dtype = tokenizer.dtype.newbyteorder("<")
        self._end = np.array([tokenizer.end_of_document], dtype=self._dtype)
        self._rows: list[tuple[int, int, int, int]] = []
        self._checksum = BLAKE2B()
        self._open = ExitStack()

    def __enter__(self) -> "ShardWriter":
        remove_abandoned(self.folder)
        temporary = self._open.enter_context(atomic_path(self.folder / "tokens.bin"))
        self._file = self._open.enter_context(temporary.open("wb"))
        return self

    @property
    def documents(self) -> int:
        """Documents added so far."""
        return len(self._rows)

    def add(self, ids: np.ndarray, subset: int) -> None:
        """Append one document: its token ids without the end of document, and its index in `subsets`."""
        size = int(self.tokenizer.byte_lengths[ids].sum())
        data = np.concatenate([ids.astype(self._dtype), self._end]).tobytes()
        self._file.write(data)
        self._checksum.update(data)
        self._rows.append((self.tokens, len(ids) + 1, size, subset))
        self.tokens += len(ids) + 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and not self._rows:
            error = BadInput(f"no documents for the shard {self.folder}")
            self._open.__exit__(BadInput, error, None)
            raise error
        if kind is None:
            (self.folder / "manifest.json").unlink(missing_ok=True)
        self._open.__exit__(kind, error, trace)
        if kind is None:
            self._describe()

    def _describe(self) -> None:
        """Write the table and, last, the manifest."""
        table = self.folder / "documents.npy"
        with atomic_path(table) as temporary, temporary.open("wb") as handle:
            np.save(handle, np.array(self._rows, dtype=DOCUMENT))
        manifest = {
            "format": FORMAT,
            "tokens": self.tokens,
            "documents": len(self._rows),
            "bytes": sum(row[2] for row in self._rows),
            "dtype": self._dtype.str,
            "vocabulary": self.tokenizer.vocabulary,
            "tokenizer": self.tokenizer.digest,
            "source": self.source_digest,
            "subsets": list(self.subsets),
            "sizes": {name: (self.folder / name).stat().st_size for name in ("tokens.bin", "documents.npy")},
            "checksums": {"tokens.bin": self._checksum.hexdigest(), "documents.npy": checksum(table)},
        }
        write_json(self.folder / "manifest.json", manifest)


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary token files of killed writers: those that nobody has written to for a while."""
    for path in folder.glob(".tokens.bin.*.tmp"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED_AFTER_SECONDS:
                path.unlink()


def subset_totals(shard: Shard) -> Iterator[tuple[str, dict[str, int]]]:
    """For each subset its number of documents, tokens and bytes in the shard."""
    for name in shard.subsets:
        rows = shard.documents[shard.indices(name)]
        yield (
            name,
            {
                "documents": len(rows),
                "tokens": int(rows["tokens"].sum()),
                "bytes": int(rows["bytes"].sum()),
            },
        )
