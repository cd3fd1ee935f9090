"""What an index can do."""

from typing import Protocol, runtime_checkable

import numpy as np

from hutch.retrieval.index.rule import Kind

Found = tuple[np.ndarray, np.ndarray]
"""(ids int64 [n, k], nearest first, −1 where there are fewer; squared distances float32 [n, k], inf there)."""


@runtime_checkable
class VectorIndex(Protocol):
    """The nearest of a fixed set of vectors, whose ids count from 0 in the order of the file."""

    kind: Kind
    effort: int
    """How many vectors (HNSW) or lists (IVF) a search looks at; 0: all."""

    def search(self, queries_nd: np.ndarray, k: int) -> Found:
        """The k nearest to each query, float32 [n, d]."""
        ...

    def limited(self, count: int) -> "VectorIndex":
        """An index of the first `count` vectors alone."""
        ...


def missing_as_infinite(distances_nk: np.ndarray, ids_nk: np.ndarray) -> Found:
    """faiss marks what it did not find by −1 and the largest float; the same with infinity."""
    distances_nk[ids_nk < 0] = np.inf
    return ids_nk, distances_nk
