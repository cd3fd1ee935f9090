"""IVF: lists of vectors around centres, compared by product-quantized codes, the best compared again in full.

Jégou et al. 2011 (doi:10.1109/TPAMI.2010.57); fast scan: André et al. 2019 (arXiv:1812.09162).
"""

from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.index.flat import FlatIndex
from hutch.retrieval.index.libraries import library
from hutch.retrieval.index.protocol import Found, VectorIndex, missing_as_infinite
from hutch.retrieval.index.rule import FLAT_BELOW, IndexConfig, Kind
from hutch.retrieval.index.vectors import ROWS_AT_ONCE, Vectors
from hutch.runs.atomic import atomic_path
from hutch.runs.errors import BadInput
from hutch.runs.seeds import generator

NUMBERS_A_CODE = 4
"""Dimensions that share one 4-bit code."""
TRAINED_ON = 40
"""Training vectors a list; faiss asks for 39."""
COMPARED_AGAIN = 200
"""Candidates by code that are compared in full, at least ..."""
AGAIN_EACH = 4
"""... and at least so many for each that is wanted."""


def lists_for(count: int) -> int:
    """Lists: a power of two near 4 √N, faiss's advice for up to a million vectors, and at most N / 40."""
    return max(1, 2 ** int(np.log2(max(1, min(4 * np.sqrt(count), count / TRAINED_ON)))))


class InvertedIndex:
    """Codes and lists lie in a file of their own; the vectors that re-rank are mapped."""

    kind: Kind = "ivf"

    def __init__(self, lists: Any, vectors: Vectors, effort: int, limit: int | None = None) -> None:
        self.lists, self.vectors, self.effort, self.limit = lists, vectors, effort, limit
        self.most_effort = lists.nlist
        self._refined = library("faiss").IndexRefine(lists, vectors.faiss_index)

    @classmethod
    def build(cls, vectors: Vectors, config: IndexConfig, path: Path) -> "InvertedIndex":
        """Train on a sample, fill in blocks, write to `path`. Raises BadInput for dimensions that no code divides."""
        faiss = library("faiss")
        if vectors.dimensions % (2 * NUMBERS_A_CODE):
            raise BadInput(f"an IVF index needs dimensions that 8 divides, not {vectors.dimensions}")
        lists = lists_for(vectors.count)
        index = faiss.index_factory(vectors.dimensions, f"IVF{lists},PQ{vectors.dimensions // NUMBERS_A_CODE}x4fs")
        index.cp.seed = config.seed + 1234
        random = generator("ivf", config.seed)
        size = min(vectors.count, max(TRAINED_ON * lists, 2048))
        index.train(vectors.array[np.sort(random.choice(vectors.count, size, replace=False))].astype(np.float32))
        for start in range(0, vectors.count, ROWS_AT_ONCE):
            index.add(vectors.rows(start, min(start + ROWS_AT_ONCE, vectors.count)))
        with atomic_path(path) as temporary:
            faiss.write_index(index, str(temporary))
        del index
        return cls.open(path, vectors, 1)

    @classmethod
    def open(cls, path: Path, vectors: Vectors, effort: int) -> "InvertedIndex":
        """Map what `build` wrote."""
        faiss = library("faiss")
        return cls(faiss.read_index(str(path), getattr(faiss, "IO_FLAG_MMAP_IFC", 0)), vectors, effort)

    def search(self, queries_nd: np.ndarray, k: int) -> Found:
        """The k nearest to each query, float32 [n, d], in the `effort` lists whose centres are nearest."""
        faiss = library("faiss")
        within = faiss.SearchParametersIVF(nprobe=self.effort)
        if self.limit is not None:
            within.sel = selector = faiss.IDSelectorRange(0, self.limit)  # noqa: F841  faiss holds no reference
        factor = max(AGAIN_EACH, COMPARED_AGAIN / k)
        again = faiss.IndexRefineSearchParameters(k_factor=factor, base_index_params=within)
        distances, ids = self._refined.search(queries_nd, k, params=again)
        return missing_as_infinite(distances, ids)

    def limited(self, count: int) -> VectorIndex:
        """Exact where so few vectors are left that the rule has no lists for them."""
        if count >= self.vectors.count:
            return self
        if count < FLAT_BELOW:
            return FlatIndex(self.vectors.first(count))
        return InvertedIndex(self.lists, self.vectors, self.effort, count)
