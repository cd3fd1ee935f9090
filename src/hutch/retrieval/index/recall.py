"""How much of what an exact search finds an index finds, and the effort at which it finds enough."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hutch.retrieval.index.flat import exact_search
from hutch.retrieval.index.protocol import Found, VectorIndex
from hutch.retrieval.index.rule import IndexConfig
from hutch.retrieval.index.vectors import Vectors
from hutch.runs.seeds import generator

DEEPEST = 10
"""Neighbours that recall is measured to."""
LARGEST_EFFORT = 1024
TIE = 1e-4
"""Squared distances that differ by no more than this count as equal: float16 vectors of unit length round to it."""


@dataclass(frozen=True)
class Recall:
    """Shares of the nearest vectors that were found, of a sample of the vectors themselves, each without itself."""

    recall_at_2: float
    recall_at_10: float
    sample: int

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True)
class RecallSample:
    """Queries and how far their nearest vectors lie."""

    ids_n: np.ndarray
    queries_nd: np.ndarray
    distances_nk: np.ndarray
    """Of the 10 nearest by exact search, the query itself left out."""

    @classmethod
    def draw(cls, vectors: Vectors, config: IndexConfig) -> "RecallSample":
        """The sample that `config.seed` gives, searched exactly: 2 · sample · vectors · dimensions operations."""
        size = min(config.sample, vectors.count)
        ids = np.sort(generator("recall", config.seed).choice(vectors.count, size, replace=False))
        queries = vectors.array[ids].astype(np.float32)
        found = exact_search(vectors, queries, DEEPEST + 1)
        return cls(ids, queries, without_self(found, ids, DEEPEST))

    def recall(self, index: VectorIndex) -> Recall:
        """Of `index`; by distance, so that equally near vectors stand for each other."""
        distances = without_self(index.search(self.queries_nd, DEEPEST + 1), self.ids_n, DEEPEST)
        at_2, at_10 = (share_found(distances, self.distances_nk, k) for k in (2, DEEPEST))
        return Recall(at_2, at_10, len(self.ids_n))


def without_self(found: Found, own_n: np.ndarray, k: int) -> np.ndarray:
    """Distances [n, k] of what was found besides the query itself, nearest first."""
    ids, distances = found
    distances = np.where(ids == own_n[:, None], np.inf, distances)
    return np.sort(distances, axis=1)[:, :k]


def share_found(distances_nk: np.ndarray, exact_nk: np.ndarray, k: int) -> float:
    """The share of the k nearest that are as near as the exact ones; where fewer exist, of those."""
    exact = exact_nk[:, :k]
    exists = np.isfinite(exact)
    farthest = np.where(exists, exact, -np.inf).max(axis=1, keepdims=True)
    found = (distances_nk[:, :k] <= farthest + TIE).sum()
    return float(found / exists.sum()) if exists.any() else 1.0


def raise_effort(index: Any, sample: RecallSample, config: IndexConfig) -> Recall:
    """Double the index's effort, from where it stands, until recall@2 reaches `config.recall` or the effort its end,
    where all is looked at."""
    recall = sample.recall(index)
    while recall.recall_at_2 < config.recall and index.effort < min(LARGEST_EFFORT, index.most_effort):
        index.effort *= 2
        recall = sample.recall(index)
    return recall
