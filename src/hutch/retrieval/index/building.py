"""Build an index beside its vectors, measure it, and open it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.index.flat import FlatIndex
from hutch.retrieval.index.hnsw import HnswIndex
from hutch.retrieval.index.inverted import InvertedIndex
from hutch.retrieval.index.libraries import library
from hutch.retrieval.index.protocol import VectorIndex
from hutch.retrieval.index.recall import RecallSample, raise_effort
from hutch.retrieval.index.rule import IndexConfig, kind_for
from hutch.retrieval.index.vectors import Vectors
from hutch.runs.errors import HutchError

INDEX = "index.faiss"
_APPROXIMATE = {"hnsw": HnswIndex, "ivf": InvertedIndex}


def build_index(vectors: Vectors, config: IndexConfig, folder: Path, threads: int = 1) -> dict[str, Any]:
    """Build what the rule says into `folder` and return its description for a manifest: kind, effort, recall_at_2,
    recall_at_10, sample. A flat index leaves no file, and its recall is 1 without a measurement (sample 0)."""
    kind = kind_for(config, vectors.count)
    if kind == "flat":
        return {"kind": kind, "effort": 0, "recall_at_2": 1.0, "recall_at_10": 1.0, "sample": 0}
    with faiss_threads(threads):
        index = _APPROXIMATE[kind].build(vectors, config, folder / INDEX)
        recall = raise_effort(index, RecallSample.draw(vectors, config), config)
    return {"kind": kind, "effort": index.effort, **recall.plain()}


def open_index(vectors: Vectors, description: dict[str, Any], folder: Path) -> VectorIndex:
    """Open what `build_index` described. Raises HutchError, naming the file, where faiss cannot read it."""
    if description["kind"] == "flat":
        return FlatIndex(vectors)
    try:
        return _APPROXIMATE[description["kind"]].open(folder / INDEX, vectors, description["effort"])
    except (RuntimeError, MemoryError) as error:
        raise HutchError(f"{folder / INDEX} is damaged: faiss cannot read it") from error


def distance_computations(index: VectorIndex, queries_nd: np.ndarray, k: int) -> float:
    """Distances that a search of `index` computes, per query, by faiss's own counters (for a flat index: all)."""
    if isinstance(index, FlatIndex):
        return float(index.vectors.count)
    faiss = library("faiss")
    counter = faiss.cvar.hnsw_stats if index.kind == "hnsw" else faiss.cvar.indexIVF_stats
    counter.reset()
    with faiss_threads(1):
        index.search(queries_nd, k)
    return counter.ndis / len(queries_nd)


@contextmanager
def faiss_threads(count: int) -> Iterator[None]:
    """faiss works on `count` threads until the block ends."""
    faiss = library("faiss")
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
