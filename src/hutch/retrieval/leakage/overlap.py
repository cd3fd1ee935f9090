"""r(C): how much of an evaluation chunk stands in its nearest neighbours (Borgeaud et al. 2021, section 2.6).

    s(C) = tokens of the longest substring that C shares with one of its neighbours,  r(C) = s(C) / m

The neighbours are those of C itself in the training data, each with its continuation. m is 64 for every chunk, also
for the shorter last one of a document: r then is an amount of text, the same everywhere. Over its own length, a last
chunk of three stock words would count as leaked in full and go first; an amount keeps it.

Legend: n chunks, m tokens of a chunk, k neighbours, r tokens of a neighbour and its continuation.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hutch.retrieval.leakage.compiled import compiled
from hutch.runs.errors import BadInput

CHUNK_TOKENS = 64
"""m of the paper."""
AT_ONCE = 4096
"""Chunks whose neighbours are fetched together: 42 MB of int64 for ten neighbours of 128 tokens."""
SLOTS = 256
"""Of the table of a chunk's tokens; a power of two."""


@dataclass(frozen=True)
class Overlaps:
    """The longest substring that each chunk shares with each of its neighbours; of equals the first in the neighbour,
    then in the chunk. Places are 0 where nothing is shared."""

    lengths_nk: np.ndarray
    """int32: tokens."""
    chunk_places_nk: np.ndarray
    """int32: where it begins in the chunk."""
    neighbour_places_nk: np.ndarray
    """int32: where it begins in the neighbour."""

    def lengths(self, neighbours: int | None = None) -> np.ndarray:
        """s of each chunk, int32 [n]; with only its first `neighbours` where that is given."""
        return self.lengths_nk[:, :neighbours].max(1, initial=0)

    def ratios(self, neighbours: int | None = None) -> np.ndarray:
        """r of each chunk, float64 [n] between 0 and 1."""
        return self.lengths(neighbours) / CHUNK_TOKENS

    def best(self) -> np.ndarray:
        """Which neighbour shares the most, int64 [n]; −1 where none shares a token."""
        return np.where(self.lengths() > 0, self.lengths_nk.argmax(1), -1)


@compiled
def _longest(chunks_nm, values_nkr, lengths_nk, chunk_places_nk, neighbour_places_nk):
    m, r = chunks_nm.shape[1], values_nkr.shape[2]
    head = np.empty(SLOTS, dtype=np.int64)
    after = np.empty(m, dtype=np.int64)
    for n in range(len(chunks_nm)):
        chunk = chunks_nm[n]
        head[:] = -1
        # From the last to the first, so that a slot's places come in ascending order.
        for place in range(m - 1, -1, -1):
            if chunk[place] >= 0:
                slot = chunk[place] & (SLOTS - 1)
                after[place] = head[slot]
                head[slot] = place
        for k in range(values_nkr.shape[1]):
            value, best = values_nkr[n, k], 0
            for j in range(r):
                if r - j <= best:
                    break
                if value[j] < 0:
                    continue
                i = head[value[j] & (SLOTS - 1)]
                while i >= 0:
                    # What is longer than `best` agrees at its first token and `best` tokens behind it.
                    if i + best < m and value[j] == chunk[i] and value[j + best] == chunk[i + best]:
                        length = 0
                        while i + length < m and j + length < r and chunk[i + length] == value[j + length] >= 0:
                            length += 1
                        if length > best:
                            best = length
                            chunk_places_nk[n, k], neighbour_places_nk[n, k] = i, j
                    i = after[i]
            lengths_nk[n, k] = best


def longest_overlaps(chunks_nm: np.ndarray, values_nkr: np.ndarray) -> Overlaps:
    """Compare each chunk with its neighbours. Both hold token ids, −1 where there is no token.

    Raises:
        BadInput: shapes that do not belong together, chunks longer than 64 tokens, no integers.
    """
    chunks_nm, values_nkr = np.ascontiguousarray(chunks_nm), np.ascontiguousarray(values_nkr)
    check_shapes(chunks_nm, values_nkr)
    lengths, chunk_places, neighbour_places = np.zeros((3, *values_nkr.shape[:2]), dtype=np.int32)
    _longest(chunks_nm.astype(np.int64, copy=False), values_nkr.astype(np.int64, copy=False),
             lengths, chunk_places, neighbour_places)  # fmt: skip
    return Overlaps(lengths, chunk_places, neighbour_places)


def check_shapes(chunks_nm: np.ndarray, values_nkr: np.ndarray) -> None:
    """Raise BadInput unless these are chunks and as many rows of neighbours."""
    if chunks_nm.ndim != 2 or values_nkr.ndim != 3 or len(chunks_nm) != len(values_nkr):
        raise BadInput(
            f"chunks of shape {chunks_nm.shape} and neighbours of shape {values_nkr.shape}; "
            "they must be [n, m] and [n, k, r]"
        )
    if chunks_nm.shape[1] > CHUNK_TOKENS:
        raise BadInput(f"chunks of {chunks_nm.shape[1]} tokens; r(C) is defined for at most {CHUNK_TOKENS}")
    if chunks_nm.dtype.kind not in "iu" or values_nkr.dtype.kind not in "iu":
        raise BadInput(f"token ids are integers, not {chunks_nm.dtype} and {values_nkr.dtype}")


def neighbour_overlaps(chunks_nm: np.ndarray, neighbours_of: Callable[[np.ndarray], np.ndarray]) -> Overlaps:
    """`longest_overlaps` with neighbours from `neighbours_of` ([n, m] → [n, k, r], −1 padded), a few thousand chunks at
    a time. The neighbours must come from the training data alone."""
    parts = list(_in_batches(chunks_nm, neighbours_of))
    if not parts:
        return Overlaps(*np.zeros((3, 0, 0), dtype=np.int32))
    names = ("lengths_nk", "chunk_places_nk", "neighbour_places_nk")
    return Overlaps(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _in_batches(chunks_nm: np.ndarray, neighbours_of: Callable[[np.ndarray], np.ndarray]) -> Iterator[Overlaps]:
    for start in range(0, len(chunks_nm), AT_ONCE):
        batch = chunks_nm[start : start + AT_ONCE]
        yield longest_overlaps(batch, neighbours_of(batch))


def chunks_of(documents: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Documents of token ids (no end of document) cut into chunks of 64: int64 [n, 64], the last of each document
    padded with −1, and the document of each chunk, int64 [n]."""
    counts = [-(-len(document) // CHUNK_TOKENS) for document in documents]
    chunks = np.full((sum(counts), CHUNK_TOKENS), -1, dtype=np.int64)
    first = 0
    for document, count in zip(documents, counts, strict=True):
        chunks[first : first + count].reshape(-1)[: len(document)] = document
        first += count
    return chunks, np.repeat(np.arange(len(documents)), counts)
