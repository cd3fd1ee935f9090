"""The chunk database: values, documents and search over all segments.

folder/manifest.json     written last: tokenizer, embedder, BM25, segments with their digests
folder/tokenizer.json
folder/segments/000000/  see `hutch.retrieval.database.segments`
and what the embedder and BM25 keep
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import numpy as np

from hutch.retrieval.database import searching
from hutch.retrieval.database.chunks import MISSING
from hutch.retrieval.database.config import DatabaseConfig, Retriever
from hutch.retrieval.database.documents import NO_DOCUMENT, DocumentEntry
from hutch.retrieval.database.opening import CORPUS, check_embedder, check_tokenizer, open_segment, read_manifest
from hutch.retrieval.database.searching import Neighbours, Searched
from hutch.retrieval.database.segments import Segment
from hutch.retrieval.embedders.bm25 import Bm25
from hutch.retrieval.embedders.protocol import Embedder
from hutch.retrieval.embedders.saved import open_embedder
from hutch.retrieval.index.protocol import Found
from hutch.retrieval.index.rule import IndexConfig
from hutch.runs.configuration import digest
from hutch.runs.errors import BadInput
from hutch.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class ChunkDatabase:
    """An opened database; all arrays are read-only maps. Chunks and documents are numbered from 0 through all segments;
    a number stays what it is when more is appended."""

    folder: Path
    manifest: dict[str, Any]
    config: DatabaseConfig
    tokenizer: Tokenizer
    segments: tuple[Segment, ...]
    bm25: Bm25
    limit: int | None = None
    """Only the first so many chunks are searched; None: all."""
    given: Embedder | None = None

    @classmethod
    def open(
        cls, folder: Path | str, *, tokenizer_digest: str | None = None, embedder: Embedder | None = None
    ) -> "ChunkDatabase":
        """Map a database. `embedder`: used in place of the one that the folder names; the digests must be equal.

        Raises BadInput where there is no database, or it was made with another tokenizer or embedder than the ones
        given; HutchError, naming the file, where it is unfinished, truncated or damaged.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        tokenizer = Tokenizer.load(folder / "tokenizer.json")
        check_tokenizer(folder, manifest["tokenizer"], tokenizer.digest, tokenizer_digest)
        if embedder is not None:
            check_embedder(folder, manifest["embedder"], embedder)
        described = manifest["built"]["config"]
        config = DatabaseConfig(**described | {"index": IndexConfig(**described["index"])})
        segments = tuple(open_segment(folder, entry, config.chunk) for entry in manifest["segments"])
        bm25 = Bm25.load(folder, manifest["bm25"], tokenizer.vocabulary)
        return cls(folder, manifest, config, tokenizer, segments, bm25, given=embedder)

    @cached_property
    def embedder(self) -> Embedder:
        """What turns queries into vectors; opened at the first search that needs it."""
        if self.given is not None:
            return self.given
        found = open_embedder(self.folder, self.manifest["embedder"]["saved"])
        check_embedder(self.folder, self.manifest["embedder"], found)
        return found

    @cached_property
    def digest(self) -> str:
        """Names the content and what is searched of it."""
        return digest(
            [self.manifest["tokenizer"], self.manifest["embedder"]["digest"], self.manifest["segments"], self.limit]
        )

    @cached_property
    def starts(self) -> np.ndarray:
        """int64 [segments + 1]: the first chunk of each segment, and their number."""
        return np.cumsum([0, *(len(segment) for segment in self.segments)])

    @cached_property
    def document_starts(self) -> np.ndarray:
        """int64 [segments + 1]: the first document of each segment, and their number."""
        return np.cumsum([0, *(len(segment.documents) for segment in self.segments)])

    def __len__(self) -> int:
        """Chunks that are searched."""
        return int(self.starts[-1]) if self.limit is None else self.limit

    def limited(self, chunks: int) -> "ChunkDatabase":
        """The same database of which only the first `chunks` chunks are searched (the last document may be among them
        in part). Documents of a corpus stand in random order, so that this is a random sample of them."""
        if not 1 <= chunks <= self.starts[-1]:
            raise BadInput(f"a search of {chunks} chunks was asked for; the database holds 1 to {self.starts[-1]}")
        return dataclasses.replace(self, limit=None if chunks == self.starts[-1] else chunks)

    def values(self, ids: np.ndarray) -> np.ndarray:
        """The chunk and its continuation of each id: int64 [..., value], −1 behind a document's end; all −1 for the
        id −1. Raises BadInput for ids that are not there."""
        return self._read(ids, self.config.value)

    def chunk_tokens(self, ids: np.ndarray) -> np.ndarray:
        """The chunk alone of each id: int64 [..., chunk], −1 behind its end."""
        return self._read(ids, self.config.chunk)

    def document_of(self, ids: np.ndarray) -> np.ndarray:
        """The number of each chunk's document, int64 like `ids`; −1 for the id −1."""
        ids = self._checked(ids)
        found = np.full(ids.shape, MISSING, np.int64)
        for segment, here, local, first in self._by_segment(ids):
            found[here] = segment.table.document_of(local) + first
        return found

    def document_hash_of(self, ids: np.ndarray) -> np.ndarray:
        """The hash of each chunk's document, int64 like `ids`; 0 for the id −1."""
        ids = self._checked(ids)
        found = np.full(ids.shape, NO_DOCUMENT, np.int64)
        for segment, here, local, _ in self._by_segment(ids):
            found[here] = segment.hashes[segment.table.document_of(local)]
        return found

    def document(self, number: int) -> DocumentEntry:
        """What is known of a document. Raises BadInput for one that is not there."""
        if not 0 <= number < self.document_starts[-1]:
            raise BadInput(f"document {number} is not there; the database holds 0 to {self.document_starts[-1] - 1}")
        place = int(np.searchsorted(self.document_starts, number, side="right")) - 1
        segment, index = self.segments[place], number - int(self.document_starts[place])
        row, first = segment.documents[index], segment.table.first
        return DocumentEntry(
            subset=segment.manifest["subsets"][row["subset"]],
            segment=place,
            index=index,
            hash=int(segment.hashes[index]),
            tokens=int(row["tokens"]) - 1,
            first_chunk=int(self.starts[place] + first[index]),
            chunks=int(first[index + 1] - first[index]),
        )

    def span_of_document(self, number: int) -> tuple[int, int]:
        """The chunks of a document: (first, one past the last)."""
        entry = self.document(number)
        return entry.first_chunk, entry.first_chunk + entry.chunks

    def document_tokens(self, number: int) -> np.ndarray:
        """The tokens of a document without its end."""
        entry = self.document(number)
        segment = self.segments[entry.segment]
        return segment.tokens[segment.table.starts[entry.index] : segment.table.ends[entry.index]]

    def search(
        self,
        queries: np.ndarray,
        k: int,
        *,
        exclude_documents: np.ndarray | None = None,
        retriever: Retriever | None = None,
    ) -> Neighbours:
        """The k best chunks for each query.

        Args:
            queries: token ids, integers [n, m], −1 where a row has no token; or vectors, floats [n, d] of unit length.
            exclude_documents: hashes of documents that a row may not find, int64 [n] or [n, e], 0 for none (see
                `document_hash_of`): the same text is excluded wherever it lies.
            retriever: None: the one that the database was built for. Vectors can only be searched "dense".

        Returns:
            `Neighbours`. A row gets fewer than k chunks only where fewer may be found, or where it has nothing to
            embed.

        Raises:
            BadInput: k larger than the database, vectors of other dimensions, tokens outside the vocabulary, BM25
                without an inverted file.
        """
        queries = np.asarray(queries)
        dense = np.issubdtype(queries.dtype, np.floating)
        how = retriever or ("dense" if dense else self.config.retriever)
        self.check_search(queries, k, how, dense)
        excluded = excluded_rows(exclude_documents, len(queries))
        parts = [(np.empty((0, k), np.int64), np.empty((0, k), np.float32))]
        for start in range(0, len(queries), searching.ROWS_AT_ONCE):
            rows = slice(start, start + searching.ROWS_AT_ONCE)
            parts.append(self._search(queries[rows], k, excluded[rows], how, dense))
        ids, distances = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Neighbours(ids, distances)

    @property
    def paper_bytes(self) -> int:
        """Bytes of the arrays without which there is no database: tokens, table of documents, hashes, vectors."""
        return sum(segment.paper_bytes for segment in self.segments)

    @property
    def disk_bytes(self) -> int:
        """Bytes of all files of the folder; not those of a corpus that lies in it."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return sum(path.stat().st_size for path in files if path.relative_to(self.folder).parts[0] != CORPUS)

    def verify(self) -> None:
        """Read all segments and compare with their checksums; HutchError names a file whose content changed."""
        for segment in self.segments:
            segment.verify()

    @cached_property
    def _searched(self) -> Searched:
        limits = np.clip(len(self) - self.starts[:-1], 0, np.diff(self.starts))
        return Searched.of(self.segments, self.starts, limits)

    def _search(self, queries: np.ndarray, k: int, excluded_ne: np.ndarray, how: Retriever, dense: bool) -> Found:
        """The search of some rows, whose arguments are checked."""
        if how == "bm25":
            return searching.best(
                lambda rows, width: searching.by_bm25(self._searched, queries[rows], width),
                None, self.document_hash_of, excluded_ne, k, len(self),
            )  # fmt: skip
        vectors = queries.astype(np.float32) if dense else self.embedder.embed(queries, self.tokenizer)
        wanted = k if how == "dense" else min(len(self), max(k, self.config.candidates))
        found = searching.best(
            lambda rows, width: searching.by_vector(self._searched, vectors[rows], width),
            lambda rows, width: searching.exactly(self._searched, vectors[rows], excluded_ne[rows], width),
            self.document_hash_of, excluded_ne, wanted, len(self), there=(vectors != 0).any(axis=1),
        )  # fmt: skip
        if how == "reranked":
            found = searching.reranked(found, queries, self.chunk_tokens(found[0]), self.bm25)
        return found[0][:, :k], found[1][:, :k]

    def check_search(self, queries: np.ndarray, k: int, how: str, dense: bool) -> None:
        """Raise BadInput, naming the value, for a search that cannot be done."""
        if not 1 <= k <= len(self):
            raise BadInput(f"k is {k}; it must be 1 to {len(self)}, the chunks of the database that are searched")
        if how not in get_args(Retriever):
            raise BadInput(f"retriever is {how!r}; it must be one of {', '.join(get_args(Retriever))}")
        if queries.ndim != 2 or not (dense or np.issubdtype(queries.dtype, np.integer)):
            raise BadInput(f"queries are {queries.dtype} {list(queries.shape)}; a row of tokens or a vector is a query")
        if dense and how != "dense":
            raise BadInput(f"vectors cannot be searched {how!r}, only tokens can: give those, or search 'dense'")
        if dense and queries.shape[1] != self.manifest["embedder"]["dimensions"]:
            needed = self.manifest["embedder"]["dimensions"]
            raise BadInput(f"queries have {queries.shape[1]} dimensions; the database's vectors have {needed}")
        if not dense and queries.size and not -1 <= queries.min() <= queries.max() < self.tokenizer.vocabulary:
            raise BadInput(
                f"queries hold tokens {queries.min()} to {queries.max()}; the vocabulary has "
                f"0 to {self.tokenizer.vocabulary - 1}, and -1 stands for none"
            )
        if how == "bm25" and self.config.retriever != "bm25":
            raise BadInput(
                f'{self.folder} has no inverted file to search "bm25" by: build one whose retriever is "bm25", '
                'or search "reranked"'
            )

    def _checked(self, ids: np.ndarray) -> np.ndarray:
        """Ids as int64, each −1 or of a chunk that is there."""
        ids = np.asarray(ids)
        if not np.issubdtype(ids.dtype, np.integer):
            raise BadInput(f"ids of chunks are integers, not {ids.dtype}")
        if ids.size and not MISSING <= ids.min() <= ids.max() < self.starts[-1]:
            raise BadInput(
                f"ids {ids.min()} to {ids.max()} were asked for; the database holds 0 to {self.starts[-1] - 1}, "
                "and -1 stands for none"
            )
        return ids.astype(np.int64)

    def _by_segment(self, ids: np.ndarray) -> Iterator[tuple[Segment, np.ndarray, np.ndarray, int]]:
        """For each segment that holds some of `ids`: where those stand, their places in it, its first document.
        The id −1 is in none."""
        for place, segment in enumerate(self.segments):
            here = (ids >= self.starts[place]) & (ids < self.starts[place + 1])
            if here.any():
                yield segment, here, ids[here] - self.starts[place], int(self.document_starts[place])

    def _read(self, ids: np.ndarray, length: int) -> np.ndarray:
        ids = self._checked(ids)
        found = np.full((*ids.shape, length), MISSING, np.int64)
        for segment, here, local, _ in self._by_segment(ids):
            found[here] = segment.table.read(segment.tokens, local, length)
        return found


def excluded_rows(documents: np.ndarray | None, rows: int) -> np.ndarray:
    """int64 [rows, e]: what `exclude_documents` asks for, e = 0 where it asks for nothing."""
    if documents is None:
        return np.empty((rows, 0), np.int64)
    hashes = np.asarray(documents)
    if hashes.ndim not in (1, 2) or len(hashes) != rows or not np.issubdtype(hashes.dtype, np.integer):
        raise BadInput(
            f"exclude_documents is {hashes.dtype} {list(hashes.shape)}; it must hold a row of hashes for each of the "
            f"{rows} queries"
        )
    return hashes.astype(np.int64).reshape(rows, 1 if hashes.ndim == 1 else hashes.shape[1])
