"""HNSW: a graph of near vectors that is walked from far to near (Malkov and Yashunin 2018, arXiv:1603.09320)."""

from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.index.flat import FlatIndex
from hutch.retrieval.index.libraries import library
from hutch.retrieval.index.protocol import Found, VectorIndex, missing_as_infinite
from hutch.retrieval.index.rule import FLAT_BELOW, IndexConfig, Kind
from hutch.retrieval.index.vectors import ROWS_AT_ONCE, Vectors
from hutch.runs.atomic import atomic_path


class HnswIndex:
    """The graph lies in a file of its own, without the vectors; both are mapped."""

    kind: Kind = "hnsw"

    def __init__(self, graph: Any, vectors: Vectors, effort: int, limit: int | None = None) -> None:
        self.graph, self.vectors, self.effort, self.limit = graph, vectors, effort, limit
        self.most_effort = vectors.count

    @classmethod
    def build(cls, vectors: Vectors, config: IndexConfig, path: Path) -> "HnswIndex":
        """Build the graph in memory (2 d + 10 · links bytes a vector) and write it to `path`.

        The same vectors give the same file on one thread of faiss; on more the links differ in places.
        """
        faiss = library("faiss")
        index = faiss.IndexHNSWSQ(vectors.dimensions, faiss.ScalarQuantizer.QT_fp16, config.links)
        index.hnsw.efConstruction = config.build_effort
        index.train(vectors.rows(0, 1))
        for start in range(0, vectors.count, ROWS_AT_ONCE):
            index.add(vectors.rows(start, min(start + ROWS_AT_ONCE, vectors.count)))
        with atomic_path(path) as temporary:
            faiss.write_index(index, str(temporary), faiss.IO_FLAG_SKIP_STORAGE)
        del index
        return cls.open(path, vectors, config.links)

    @classmethod
    def open(cls, path: Path, vectors: Vectors, effort: int) -> "HnswIndex":
        """Map what `build` wrote."""
        faiss = library("faiss")
        graph = faiss.read_index(str(path), getattr(faiss, "IO_FLAG_MMAP_IFC", 0))
        graph.own_fields = False
        graph.storage = vectors.faiss_index
        return cls(graph, vectors, effort)

    def search(self, queries_nd: np.ndarray, k: int) -> Found:
        """The k nearest to each query, float32 [n, d], by a walk that keeps `effort` vectors in sight.

        A limited index walks the whole graph and keeps what lies below the limit, so that it must see more.
        """
        faiss = library("faiss")
        share = 1.0 if self.limit is None else self.limit / self.vectors.count
        parameters = faiss.SearchParametersHNSW(efSearch=int(np.ceil(max(self.effort, k) / share)))
        if self.limit is not None:
            parameters.sel = selector = faiss.IDSelectorRange(0, self.limit)  # noqa: F841  faiss holds no reference
        distances, ids = self.graph.search(queries_nd, k, params=parameters)
        return missing_as_infinite(distances, ids)

    def limited(self, count: int) -> VectorIndex:
        """Exact where so few vectors are left that the rule has no graph for them."""
        if count >= self.vectors.count:
            return self
        if count < FLAT_BELOW:
            return FlatIndex(self.vectors.first(count))
        return HnswIndex(self.graph, self.vectors, self.effort, count)
