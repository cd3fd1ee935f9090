"""Word vectors from counts: positive pointwise mutual information of tokens that stand near each other, factorised.

PPMI(a, b) = max(0, ln(P(a, b) / (P(a) · P_α(b)))), P_α ∝ count^0.75, and W = V √Σ of its truncated singular value
decomposition (Levy, Goldberg and Dagan 2015, TACL 3, §3.1–3.3; the randomised decomposition: Halko, Martinsson and
Tropp 2011, algorithm 4.4).
"""

from typing import Any

import numpy as np

from hutch.runs.seeds import generator

SMOOTHING = 0.75
SPARE = 32
"""Directions beyond those that are kept, which make the randomised decomposition exact where it matters."""
POWERS = 3


def cooccurrence(tokens_nm: np.ndarray, vocabulary: int, window: int) -> Any:
    """How often tokens stand within `window` places of each other in a row: a symmetric sparse matrix [v, v].

    `tokens_nm`: integers, −1 where there is no token.
    """
    from scipy.sparse import csr_matrix

    counts = csr_matrix((vocabulary, vocabulary), dtype=np.float32)
    for distance in range(1, window + 1):
        before, after = tokens_nm[:, :-distance].ravel(), tokens_nm[:, distance:].ravel()
        there = (before >= 0) & (after >= 0)
        pairs, times = np.unique(before[there].astype(np.int64) * vocabulary + after[there], return_counts=True)
        counts += csr_matrix((times.astype(np.float32), divmod(pairs, vocabulary)), shape=counts.shape)
    return (counts + counts.T).tocsr()


def positive_information(counts: Any) -> Any:
    """PPMI of a symmetric matrix of counts, as a sparse matrix."""
    from scipy.sparse import coo_matrix

    of_token = np.asarray(counts.sum(axis=1)).ravel()
    smoothed = of_token**SMOOTHING
    entries = counts.tocoo()
    expected = of_token[entries.row] * (smoothed / smoothed.sum())[entries.col]
    information = np.log(entries.data / expected).astype(np.float32)
    kept = information > 0
    return coo_matrix((information[kept], (entries.row[kept], entries.col[kept])), shape=counts.shape).tocsr()


def factorised(matrix: Any, dimensions: int, seed: int) -> np.ndarray:
    """V √Σ of the truncated decomposition U Σ Vᵀ of a sparse [v, v] matrix: float32 [v, dimensions]."""
    wide = min(dimensions + SPARE, matrix.shape[0])
    random = generator("word vectors", seed)
    basis = matrix @ random.standard_normal((matrix.shape[1], wide), dtype=np.float32)
    for _ in range(POWERS):
        basis = matrix @ (matrix.T @ np.linalg.qr(basis)[0])
    basis = np.linalg.qr(basis)[0]
    _, values, rows = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    kept = min(dimensions, len(values))
    vectors = np.zeros((matrix.shape[0], dimensions), np.float32)
    vectors[:, :kept] = rows[:kept].T * np.sqrt(values[:kept])
    return vectors
