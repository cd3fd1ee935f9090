"""Find the k nearest chunks that may be found: candidates, exclusion of documents, re-ranking.

The candidate list is widened until k remain of it, for the rows that need it alone. Dropping the first column, as is
often done to be rid of the query itself, is wrong with duplicates and with approximate search.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hutch.retrieval.database.documents import NO_DOCUMENT
from hutch.retrieval.database.segments import Segment
from hutch.retrieval.embedders.bm25 import Bm25
from hutch.retrieval.index.flat import exact_search, nearest_of
from hutch.retrieval.index.protocol import Found, VectorIndex

FIRST_WIDTH = 32
"""Candidates that are looked at first where documents are excluded. On a corpus of 7,503 documents the second
neighbour from another document stood at rank 3 in the median, 9 at the 90th and 23 at the 99th percentile."""
WIDEN = 4
WIDEST = 512
"""Beyond so many candidates the rows that are still short are searched exactly."""
EXACT_ROWS = 32
"""Rows that are searched exactly at once: a row needs one byte a chunk."""
ROWS_AT_ONCE = 1024
"""Rows that are searched at once."""


@dataclass(frozen=True)
class Neighbours:
    """What a search found."""

    ids: np.ndarray
    """int64 [n, k]: chunks, best first, −1 where there are fewer than k."""
    distances: np.ndarray
    """float32 [n, k]: squared distances of unit vectors, 0 to 4, inf where there is no chunk; of BM25 alone −score.
    Where BM25 re-ranks, the order is by its score and the distances are those of the vectors."""

    @property
    def short(self) -> int:
        """Rows with fewer than k chunks."""
        return int((self.ids < 0).any(axis=1).sum())


@dataclass(frozen=True)
class Searched:
    """What is searched: segments, up to `limits` chunks of each."""

    segments: tuple[Segment, ...]
    indexes: tuple[VectorIndex, ...]
    """Of those chunks, one a segment; made once, because a flat index keeps its vectors as float32."""
    starts: np.ndarray
    """int64 [segments + 1]: the first chunk of each."""
    limits: tuple[int, ...]

    @classmethod
    def of(cls, segments: Sequence[Segment], starts: np.ndarray, limits: np.ndarray) -> "Searched":
        """The segments of which some chunks may be found; they come first."""
        kept = [(segment, int(limit)) for segment, limit in zip(segments, limits, strict=True) if limit]
        indexes = (s.index if limit == len(s) else s.index.limited(limit) for s, limit in kept)
        return cls(tuple(s for s, _ in kept), tuple(indexes), starts, tuple(limit for _, limit in kept))

    def merged(self, search: Callable[[int, int], Found], k: int) -> Found:
        """The k best of what `search(segment's place, limit)` finds in each."""
        found = []
        for place, limit in enumerate(self.limits):
            ids, distances = search(place, limit)
            found.append((np.where(ids < 0, -1, ids + self.starts[place]), distances))
        return nearest_of(found, k)


def by_vector(searched: Searched, vectors_nd: np.ndarray, width: int) -> Found:
    """The nearest vectors by the segments' indexes."""
    return searched.merged(lambda i, limit: searched.indexes[i].search(vectors_nd, min(width, limit)), width)


def by_bm25(searched: Searched, queries_nm: np.ndarray, width: int) -> Found:
    """The best scores by the segments' inverted files."""
    return searched.merged(
        lambda i, limit: searched.segments[i].postings.search(queries_nm, min(width, limit), limit), width
    )


def exactly(searched: Searched, vectors_nd: np.ndarray, excluded_ne: np.ndarray, width: int) -> Found:
    """The nearest vectors of documents that are not excluded, every one looked at."""

    def search(place: int, limit: int) -> Found:
        segment = searched.segments[place]
        allowed = np.ones((len(vectors_nd), limit), bool)
        for row, hashes in enumerate(excluded_ne):
            for document in np.flatnonzero(np.isin(segment.hashes, hashes[hashes != NO_DOCUMENT])):
                allowed[row, segment.table.first[document] : segment.table.first[document + 1]] = False
        return exact_search(segment.vectors.first(limit), vectors_nd, min(width, limit), allowed)

    return searched.merged(search, width)


def best(
    find: Callable[[np.ndarray, int], Found],
    find_exactly: Callable[[np.ndarray, int], Found] | None,
    hashes_of: Callable[[np.ndarray], np.ndarray],
    excluded_ne: np.ndarray,
    k: int,
    chunks: int,
    there: np.ndarray | None = None,
) -> Found:
    """The k best chunks of documents that are not excluded, for each row.

    Args:
        find: (rows, width) to the `width` best of all chunks.
        find_exactly: (rows, k) to the k best that are not excluded; None: `find` with all chunks is exact.
        hashes_of: the hash of the document of each chunk.
        excluded_ne: hashes of the documents that a row may not find, 0 for none.
        chunks: how many there are to find.
        there: booleans [n], the rows that have anything to search by; None: all.
    """
    n = len(excluded_ne)
    ids, distances = np.full((n, k), -1, np.int64), np.full((n, k), np.inf, np.float32)
    short = np.arange(n) if there is None else np.flatnonzero(there)
    width = min(chunks, max(k, FIRST_WIDTH) if (excluded_ne != NO_DOCUMENT).any() else k)
    while len(short):
        found = find(short, width)
        kept = without_excluded(found, hashes_of(found[0]), excluded_ne[short])
        ids[short], distances[short] = kept[0][:, :k], kept[1][:, :k]
        lacking = ids[short, -1] < 0
        if find_exactly is None:
            # Fewer than it was asked for: there are no more that share a token with the query.
            lacking &= found[0][:, -1] >= 0
        short = short[lacking]
        if width == chunks and find_exactly is None:
            break
        if width >= min(WIDEST, chunks) and find_exactly is not None:
            for start in range(0, len(short), EXACT_ROWS):
                rows = short[start : start + EXACT_ROWS]
                ids[rows], distances[rows] = find_exactly(rows, k)
            break
        width = min(chunks, width * WIDEN) if width < WIDEST else chunks
    return ids, distances


def without_excluded(found: Found, hashes_nk: np.ndarray, excluded_ne: np.ndarray) -> Found:
    """What is left, moved to the front; −1 and inf behind."""
    ids, distances = found
    dropped = ids < 0
    for column in excluded_ne.T:
        dropped |= (hashes_nk == column[:, None]) & (column[:, None] != NO_DOCUMENT)
    order = np.argsort(dropped, axis=1, kind="stable")
    ids, distances = np.where(dropped, -1, ids), np.where(dropped, np.float32(np.inf), distances)
    return np.take_along_axis(ids, order, axis=1), np.take_along_axis(distances, order, axis=1)


def reranked(found: Found, queries_nm: np.ndarray, candidates_nkm: np.ndarray, bm25: Bm25) -> Found:
    """What was found in the order of its BM25 score."""
    return by_score(found, np.where(found[0] < 0, -np.inf, bm25.scores(queries_nm, candidates_nkm)))


def by_score(found: Found, scores_nk: np.ndarray) -> Found:
    """What was found in the order of its score, the nearer first where scores are equal."""
    order = np.argsort(-scores_nk, axis=1, kind="stable")
    return np.take_along_axis(found[0], order, axis=1), np.take_along_axis(found[1], order, axis=1)
