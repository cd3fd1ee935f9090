"""What a shard answers: the steps of a local search that look at its segments. There is nothing of Ray in it.

The steps, and not a whole search, because which rows need more candidates is decided by what all shards found: so the
answer is the local one, to the bit, with approximate indexes and re-ranking too.
"""

import os
from functools import cached_property

import numpy as np

from hutch.retrieval.database import searching
from hutch.retrieval.database.chunks import MISSING
from hutch.retrieval.database.opening import open_segment
from hutch.retrieval.database.searching import Searched
from hutch.retrieval.embedders.bm25 import Bm25
from hutch.retrieval.index.building import faiss_threads
from hutch.retrieval.index.protocol import Found
from hutch.retrieval.sharded.shares import Share


class ShardSearcher:
    """The segments of one share; ids are those of the whole database.

    They are opened by the first request and not here, so that what is wrong with a file is the answer to a request.
    Each request raises HutchError, naming the file, where a segment is missing, truncated or another one.
    """

    def __init__(self, share: Share, bm25: Bm25, threads: int = 1) -> None:
        """`threads`: of faiss, for each request; with more than one, sums may be rounded otherwise."""
        self.share, self.bm25, self.threads = share, bm25, threads

    @cached_property
    def searched(self) -> Searched:
        """The opened segments."""
        segments = [open_segment(self.share.folder, entry, self.share.chunk) for entry in self.share.entries]
        return Searched.of(segments, np.array(self.share.starts), np.array(self.share.limits))

    def prepare(self) -> int:
        """Open the segments; the id of this process, for who watches its memory."""
        self.searched  # noqa: B018  it is opened by being looked at
        return os.getpid()

    def by_vector(self, vectors_nd: np.ndarray, width: int) -> Found:
        """The `width` nearest to each vector, float32 [n, d], by the indexes."""
        with faiss_threads(self.threads):
            return searching.by_vector(self.searched, vectors_nd, width)

    def by_bm25(self, queries_nm: np.ndarray, width: int) -> Found:
        """The `width` best scores for each row of tokens, by the inverted files."""
        return searching.by_bm25(self.searched, queries_nm, width)

    def exactly(self, vectors_nd: np.ndarray, excluded_ne: np.ndarray, width: int) -> Found:
        """The `width` nearest of documents whose hash is not excluded, every vector looked at."""
        with faiss_threads(self.threads):
            return searching.exactly(self.searched, vectors_nd, excluded_ne, width)

    def scores(self, queries_nm: np.ndarray, ids_nk: np.ndarray) -> np.ndarray:
        """The BM25 score of each of a row's chunks, float32 [n, k]; 0 for the id −1. The chunks must be its own."""
        tokens = np.full((*ids_nk.shape, self.share.chunk), MISSING, np.int64)
        for segment, start in zip(self.searched.segments, self.share.starts, strict=True):
            here = (ids_nk >= start) & (ids_nk < start + len(segment))
            tokens[here] = segment.table.read(segment.tokens, ids_nk[here] - start, self.share.chunk)
        return self.bm25.scores(queries_nm, tokens)

    def verify(self) -> None:
        """Read the segments and compare with their checksums."""
        for segment in self.searched.segments:
            segment.verify()
