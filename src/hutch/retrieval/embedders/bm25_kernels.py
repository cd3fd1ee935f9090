"""The loops of BM25, compiled. Imported where they are used: numba takes half a second to import."""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def score_candidates(
    queries_nm: np.ndarray,
    candidates_nkm: np.ndarray,
    idf_v: np.ndarray,
    mean_length: float,
    k1: float,
    b: float,
    scores_nk: np.ndarray,
) -> None:
    """Fill `scores_nk`: for each query, a table of its tokens' weights, and each candidate's tokens counted in it."""
    weights, counts = np.zeros(len(idf_v), np.float32), np.zeros(len(idf_v), np.int32)
    n, width, length = candidates_nkm.shape
    for i in range(n):
        for token in queries_nm[i]:
            if token >= 0:
                weights[token] += idf_v[token]
        for j in range(width):
            used = 0
            for place in range(length):
                token = candidates_nkm[i, j, place]
                if token < 0:
                    break
                counts[token] += 1
                used += 1
            norm = k1 * (1 - b + b * used / mean_length)
            total = 0.0
            for place in range(used):
                token = candidates_nkm[i, j, place]
                if counts[token] > 0:
                    total += weights[token] * counts[token] / (counts[token] + norm)
                    counts[token] = 0
            scores_nk[i, j] = total
        for token in queries_nm[i]:
            if token >= 0:
                weights[token] = 0.0


@numba.njit(cache=True, nogil=True)
def score_all(
    query_m: np.ndarray, offsets_v: np.ndarray, chunks_p: np.ndarray, parts_p: np.ndarray, scores_c: np.ndarray
) -> None:
    """Add to the scores of all chunks the parts of the query's tokens: `offsets_v` says where a token's postings lie,
    chunk ids in `chunks_p` and idf · n / (n + norm) in `parts_p`."""
    for token in query_m:
        if token >= 0:
            for place in range(offsets_v[token], offsets_v[token + 1]):
                scores_c[chunks_p[place]] += parts_p[place]
