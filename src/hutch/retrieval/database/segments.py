"""A segment: the chunks of one shard, complete in a folder of its own.

tokens.bin, documents.npy   the shard's, linked where the disk can, else copied
hashes.npy                  a hash for each document
vectors.faiss               float16, a row for each chunk
index.faiss                 the index over them, where there is one
postings/                   BM25's inverted file, where it is asked for
manifest.json               written last: sizes and checksums of the others
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.database.chunks import ChunkTable
from hutch.retrieval.embedders.postings import Postings
from hutch.retrieval.index.building import open_index
from hutch.retrieval.index.protocol import VectorIndex
from hutch.retrieval.index.vectors import Vectors
from hutch.runs.atomic import read_json
from hutch.runs.errors import HutchError
from hutch.text.shards import check_size, checksum, read_table

FORMAT = "hutch chunks 1"
TOKENS, DOCUMENTS, HASHES, VECTORS, POSTINGS = "tokens.bin", "documents.npy", "hashes.npy", "vectors.faiss", "postings"


@dataclass(frozen=True)
class Segment:
    """An opened segment; all arrays are read-only maps."""

    folder: Path
    manifest: dict[str, Any]
    tokens: np.ndarray
    documents: np.ndarray
    hashes: np.ndarray
    """int64 [documents]."""
    table: ChunkTable

    @classmethod
    def open(cls, folder: Path, chunk: int) -> "Segment":
        """Map a segment. Raises HutchError, naming the file, for one that is missing, truncated or of another kind."""
        manifest = read_json(folder / "manifest.json")
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise HutchError(f"{folder / 'manifest.json'} does not describe chunks of the format {FORMAT!r}")
        for name, size in manifest["sizes"].items():
            check_size(folder / name, size)
        tokens, documents, hashes = read_arrays(folder, np.dtype(manifest["dtype"]))
        table = ChunkTable(documents, chunk)
        if len(table) != manifest["chunks"] or len(hashes) != len(documents) or table.ends[-1] >= len(tokens):
            raise HutchError(f"{folder / DOCUMENTS} does not match {folder / 'manifest.json'}")
        return cls(folder, manifest, tokens, documents, hashes, table)

    def __len__(self) -> int:
        """Number of chunks."""
        return len(self.table)

    @cached_property
    def vectors(self) -> Vectors:
        """float16 vectors of the chunks."""
        return Vectors.open(self.folder / VECTORS, len(self), self.manifest["dimensions"])

    @cached_property
    def index(self) -> VectorIndex:
        """The index over them."""
        return open_index(self.vectors, self.manifest["index"], self.folder)

    @cached_property
    def postings(self) -> Postings:
        """BM25's inverted file; HutchError where there is none."""
        return Postings.open(self.folder / POSTINGS, len(self))

    @property
    def paper_bytes(self) -> int:
        """Bytes of the arrays without which there is no database: tokens, table of documents, hashes, vectors."""
        return self.tokens.nbytes + self.documents.nbytes + self.hashes.nbytes + 2 * len(self) * self.vectors.dimensions

    @property
    def disk_bytes(self) -> int:
        """Bytes of all its files."""
        return sum(self.manifest["sizes"].values()) + (self.folder / "manifest.json").stat().st_size

    def verify(self) -> None:
        """Read everything and compare with the checksums; HutchError names a file whose content changed."""
        for name, expected in self.manifest["checksums"].items():
            if checksum(self.folder / name) != expected:
                raise HutchError(f"{self.folder / name} is damaged: its content has changed since it was written")


def read_arrays(folder: Path, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tokens, table of documents and hashes, mapped."""
    tokens = np.memmap(folder / TOKENS, dtype=dtype, mode="r")
    try:
        hashes = np.load(folder / HASHES, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise HutchError(f"{folder / HASHES} is damaged: {error}") from error
    return tokens, read_table(folder / DOCUMENTS), hashes
