"""An inverted file: for each token the chunks that hold it and its part of their BM25 score, mapped in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hutch.retrieval.embedders.bm25 import K1, B, Bm25, compiled_scores
from hutch.runs.atomic import atomic_path
from hutch.runs.errors import HutchError

FILES = ("offsets.npy", "chunks.npy", "parts.npy")
READ_AT_ONCE = 65_536
"""Chunks that are read at once while the postings are made."""

ReadChunks = Callable[[int, int], np.ndarray]
"""(start, stop) to the tokens of those chunks, integers [n, m], −1 for no token."""


@dataclass(frozen=True)
class Postings:
    """Of all chunks of a segment: about 8 bytes for each distinct token of each chunk."""

    offsets_v: np.ndarray
    """int64 [vocabulary + 1]."""
    chunks_p: np.ndarray
    """int32 [postings]."""
    parts_p: np.ndarray
    """float32 [postings]."""
    chunks: int

    @classmethod
    def build(cls, read: ReadChunks, chunks: int, weights: Bm25, folder: Path) -> None:
        """Write the three files into `folder`: one pass counts, one fills."""
        vocabulary = len(weights.idf_v)
        counts = np.zeros(vocabulary, np.int64)
        for start in range(0, chunks, READ_AT_ONCE):
            tokens, *_ = counted(read(start, min(start + READ_AT_ONCE, chunks)))
            counts += np.bincount(tokens, minlength=vocabulary)
        offsets = np.concatenate([[0], np.cumsum(counts)])
        with atomic_path(folder / FILES[1]) as at_chunks, atomic_path(folder / FILES[2]) as at_parts:
            places = np.lib.format.open_memmap(at_chunks, "w+", np.int32, (int(offsets[-1]),))
            parts = np.lib.format.open_memmap(at_parts, "w+", np.float32, (int(offsets[-1]),))
            cursors = offsets[:-1].copy()
            for start in range(0, chunks, READ_AT_ONCE):
                block = read(start, min(start + READ_AT_ONCE, chunks))
                _fill(places, parts, cursors, block, start, weights)
            places.flush()
            parts.flush()
        with atomic_path(folder / FILES[0]) as temporary, temporary.open("wb") as handle:
            np.save(handle, offsets)

    @classmethod
    def open(cls, folder: Path, chunks: int) -> "Postings":
        """Map what `build` wrote."""
        try:
            offsets, places, parts = (np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in FILES)
        except (OSError, ValueError) as error:
            raise HutchError(f"the BM25 index in {folder} cannot be read: {error}") from error
        return cls(np.asarray(offsets), places, parts, chunks)

    def search(self, queries_nm: np.ndarray, k: int, limit: int) -> tuple[np.ndarray, np.ndarray]:
        """The k best of the first `limit` chunks for each query: (ids int64 [n, k], −score float32 [n, k]), −1 and
        inf where fewer chunks share a token with it."""
        kernels = compiled_scores()
        ids, distances = np.full((len(queries_nm), k), -1, np.int64), np.full((len(queries_nm), k), np.inf, np.float32)
        for row, query in enumerate(np.ascontiguousarray(queries_nm, np.int64)):
            scores = np.zeros(self.chunks, np.float32)
            kernels.score_all(query, self.offsets_v, self.chunks_p, self.parts_p, scores)
            scores = scores[:limit]
            width = min(k, len(scores))
            best = np.argpartition(-scores, width - 1)[:width]
            best = best[np.lexsort((best, -scores[best]))]
            best = best[scores[best] > 0]
            ids[row, : len(best)], distances[row, : len(best)] = best, -scores[best]
        return ids, distances


def counted(block_nm: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct tokens of each row: (token, row, how often), ordered by token and then by row."""
    ordered = np.sort(block_nm, axis=1)
    first = np.ones(ordered.shape, bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    starts = np.flatnonzero(first)
    times = np.diff(np.append(starts, ordered.size))
    tokens, rows = ordered.ravel()[starts], starts // ordered.shape[1]
    there = tokens >= 0
    tokens, rows, times = tokens[there], rows[there], times[there]
    order = np.argsort(tokens, kind="stable")
    return tokens[order], rows[order], times[order]


def _fill(
    places: np.ndarray, parts: np.ndarray, cursors: np.ndarray, block: np.ndarray, start: int, weights: Bm25
) -> None:
    """Put the postings of one block where the cursors of their tokens stand, and move those."""
    tokens, rows, times = counted(block)
    present, begins, amounts = np.unique(tokens, return_index=True, return_counts=True)
    at = cursors[tokens] + np.arange(len(tokens)) - np.repeat(begins, amounts)
    norm = K1 * (1 - B + B * (block >= 0).sum(axis=1) / weights.mean_length)
    places[at] = start + rows
    parts[at] = weights.idf_v[tokens] * times / (times + norm[rows])
    cursors[present] += amounts
