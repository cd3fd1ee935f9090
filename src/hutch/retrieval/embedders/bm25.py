"""BM25 over token ids: a score of chunks for a query, to retrieve by or to re-rank what another retriever found.

score(q, c) = Σ_t n_q(t) · idf(t) · n_c(t) / (n_c(t) + k1 (1 − b + b |c| / mean |c|)),
idf(t) = ln(1 + (N − df(t) + ½) / (df(t) + ½)), the form of Lucene and of bm25s (Lù 2024, arXiv:2407.03618, "lucene").

Published to beat dense retrieval for RETRO by 13.7 % of perplexity, and in part when it re-ranks dense candidates
(Doostmohammadi et al. 2023, arXiv:2305.16243).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.index.libraries import library
from hutch.runs.atomic import atomic_path
from hutch.runs.errors import HutchError

WEIGHTS = "bm25.npy"
K1, B = 0.9, 0.4
"""Robertson and Zaragoza's ranges hold documents; these are Anserini's, for passages."""


@dataclass(frozen=True)
class Bm25:
    """What the score needs to know of the chunks. Learned from the first that a database is made of and then kept, so
    that what is appended changes no old score."""

    idf_v: np.ndarray
    """float32 [vocabulary]."""
    mean_length: float
    """Tokens of a chunk."""

    @classmethod
    def learn(cls, blocks: Iterable[np.ndarray], vocabulary: int) -> "Bm25":
        """From blocks of chunks, integers [n, m] with −1 for no token."""
        frequencies, chunks, tokens = np.zeros(vocabulary, np.int64), 0, 0
        for block in blocks:
            frequencies += document_frequencies(block, vocabulary)
            chunks += len(block)
            tokens += int((block >= 0).sum())
        idf = inverse_document_frequencies(frequencies, chunks).astype(np.float32)
        return cls(idf, tokens / max(1, chunks))

    def scores(self, queries_nm: np.ndarray, candidates_nkm: np.ndarray) -> np.ndarray:
        """Of each query (−1: no token) and each of its candidates [n, k, m]: float32 [n, k]."""
        kernels = compiled_scores()
        found = np.zeros(candidates_nkm.shape[:2], np.float32)
        queries, candidates = np.ascontiguousarray(queries_nm, np.int64), np.ascontiguousarray(candidates_nkm, np.int64)
        kernels.score_candidates(queries, candidates, self.idf_v, self.mean_length, K1, B, found)
        return found

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the weights; returns what a manifest keeps of them."""
        with atomic_path(folder / WEIGHTS) as temporary, temporary.open("wb") as handle:
            np.save(handle, self.idf_v)
        return {"mean_length": self.mean_length}

    @classmethod
    def load(cls, folder: Path, described: dict[str, Any], vocabulary: int) -> "Bm25":
        """Read what `save` wrote. Raises HutchError, naming the file, where it is damaged."""
        path = folder / WEIGHTS
        try:
            idf = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise HutchError(f"{path} cannot be read: {error}") from error
        if idf.shape != (vocabulary,) or idf.dtype != np.float32:
            raise HutchError(f"{path} holds {idf.dtype} {idf.shape}, not a weight for each of {vocabulary:,} tokens")
        return cls(idf, float(described["mean_length"]))


def document_frequencies(tokens_nm: np.ndarray, vocabulary: int) -> np.ndarray:
    """In how many rows each token stands, int64 [vocabulary]; −1 is no token."""
    ordered = np.sort(tokens_nm, axis=1)
    first = np.ones(ordered.shape, bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return np.bincount(ordered[first & (ordered >= 0)], minlength=vocabulary)


def inverse_document_frequencies(frequencies_v: np.ndarray, documents: int) -> np.ndarray:
    """ln(1 + (N − df + ½) / (df + ½)), float64 [vocabulary]."""
    return np.log1p((documents - frequencies_v + 0.5) / (frequencies_v + 0.5))


def compiled_scores() -> Any:
    """The loops that numba compiles when they are first called."""
    library("numba")
    from hutch.retrieval.embedders import bm25_kernels

    return bm25_kernels
