"""Nearest neighbours among vectors: exact for few, a graph or lists for many.

- `rule`       which index for how many vectors, and why
- `vectors`    float16 vectors in a file that NumPy and faiss both map
- `flat`       exact search
- `hnsw`       a graph; distance computations grow like log N
- `inverted`   lists of compressed vectors, re-ranked by the full ones
- `recall`     what an index finds of the exact answer
- `building`   build, measure, open
"""

from hutch.retrieval.index.building import build_index, distance_computations, faiss_threads, open_index
from hutch.retrieval.index.protocol import VectorIndex
from hutch.retrieval.index.recall import Recall, RecallSample
from hutch.retrieval.index.rule import IndexConfig, kind_for
from hutch.retrieval.index.vectors import Vectors, header_of

__all__ = [
    "IndexConfig",
    "Recall",
    "RecallSample",
    "VectorIndex",
    "Vectors",
    "build_index",
    "distance_computations",
    "faiss_threads",
    "header_of",
    "kind_for",
    "open_index",
]
