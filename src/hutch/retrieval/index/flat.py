"""Exact search: every query against every vector."""

from functools import cached_property

import numpy as np

from hutch.retrieval.index.libraries import library
from hutch.retrieval.index.protocol import Found, missing_as_infinite
from hutch.retrieval.index.rule import Kind
from hutch.retrieval.index.vectors import ROWS_AT_ONCE, Vectors


class FlatIndex:
    """Exact; there is no file of it. The vectors are held as float32 from the first search on."""

    kind: Kind = "flat"
    effort = 0

    def __init__(self, vectors: Vectors) -> None:
        self.vectors = vectors

    @cached_property
    def _rows(self) -> np.ndarray:
        return self.vectors.rows(0, self.vectors.count)

    def search(self, queries_nd: np.ndarray, k: int) -> Found:
        """The k nearest to each query, float32 [n, d]."""
        distances, ids = library("faiss").knn(queries_nd, self._rows, k)
        return missing_as_infinite(distances, ids)

    def limited(self, count: int) -> "FlatIndex":
        """The same for the first `count` vectors."""
        return FlatIndex(self.vectors.first(count))


def exact_search(vectors: Vectors, queries_nd: np.ndarray, k: int, allowed: np.ndarray | None = None) -> Found:
    """The k nearest to each query; memory does not grow with the number of vectors.

    `allowed`: booleans [n, vectors], which vectors each query may find (None: all).
    """
    ids, distances = np.empty((len(queries_nd), 0), np.int64), np.empty((len(queries_nd), 0), np.float32)
    for start in range(0, vectors.count, ROWS_AT_ONCE):
        rows = vectors.rows(start, min(start + ROWS_AT_ONCE, vectors.count))
        mask = None if allowed is None else allowed[:, start : start + len(rows)]
        found_ids, found_distances = _nearest(queries_nd, rows, k, mask)
        found_ids[found_ids >= 0] += start
        ids, distances = nearest_of([(ids, distances), (found_ids, found_distances)], k)
    return ids, distances


def _nearest(queries_nd: np.ndarray, rows_md: np.ndarray, k: int, allowed_nm: np.ndarray | None) -> Found:
    if allowed_nm is None:
        distances, ids = library("faiss").knn(queries_nd, rows_md, min(k, len(rows_md)))
        return missing_as_infinite(distances, ids)
    squares = np.square(queries_nd).sum(1)[:, None] + np.square(rows_md).sum(1)
    distances_nm = np.where(allowed_nm, np.maximum(squares - 2 * queries_nd @ rows_md.T, 0), np.inf).astype(np.float32)
    width = min(k, len(rows_md))
    ids = np.argpartition(distances_nm, width - 1, axis=1)[:, :width]
    distances = np.take_along_axis(distances_nm, ids, axis=1)
    return np.where(np.isinf(distances), -1, ids), distances


def nearest_of(found: list[Found], k: int) -> Found:
    """The k nearest of several searches for the same queries; of equally near ones the smaller ids."""
    ids = np.concatenate([one[0] for one in found], axis=1)
    distances = np.concatenate([one[1] for one in found], axis=1)
    order = np.lexsort((ids, distances), axis=1)[:, :k]
    ids, distances = np.take_along_axis(ids, order, axis=1), np.take_along_axis(distances, order, axis=1)
    short = k - ids.shape[1]
    if short > 0:
        ids = np.pad(ids, ((0, 0), (0, short)), constant_values=-1)
        distances = np.pad(distances, ((0, 0), (0, short)), constant_values=np.inf)
    return ids, distances
