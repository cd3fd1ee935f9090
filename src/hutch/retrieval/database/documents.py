"""The identity of a document: a hash of its tokens, by which it is known again in another shard."""

import hashlib
from dataclasses import dataclass

import numpy as np

from hutch.text.shards import Shard

NO_DOCUMENT = 0
"""The hash of no document."""


@dataclass(frozen=True)
class DocumentEntry:
    """A document of a database."""

    subset: str
    segment: int
    """Number of the segment that it came in."""
    index: int
    """Its place in that segment, which is its place in the shard."""
    hash: int
    """Of its tokens, 64 bits, not 0."""
    tokens: int
    """Without the end of document."""
    first_chunk: int
    chunks: int


def document_hashes(tokens: np.ndarray, documents: np.ndarray) -> np.ndarray:
    """int64 [documents]: the first eight bytes of BLAKE2b of the tokens as uint32, the end of document left out. Two
    documents have one hash if their tokens are the same (or by a chance of 2⁻⁶⁴); 0 stands for none."""
    found = np.empty(len(documents), np.int64)
    for row, (start, count) in enumerate(zip(documents["start"], documents["tokens"], strict=True)):
        text = tokens[start : start + count - 1].astype("<u4").tobytes()
        found[row] = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little", signed=True) or 1
    return found


class DocumentWindows:
    """Which documents of a shard lie in windows of its token stream, as hashes."""

    def __init__(self, shard: Shard) -> None:
        self.starts = np.asarray(shard.documents["start"], np.int64)
        self.hashes = document_hashes(shard.tokens, shard.documents)
        self.tokens = len(shard.tokens)

    def overlapping(self, starts_n: np.ndarray, stops_n: np.ndarray) -> np.ndarray:
        """Hashes of all documents with a token, or their end, in [start, stop) of the stream: int64 [n, most], 0 where
        there are fewer, none where start ≥ stop."""
        first = np.searchsorted(self.starts, starts_n, side="right") - 1
        last = np.where(starts_n < stops_n, np.searchsorted(self.starts, stops_n - 1, side="right") - 1, first - 1)
        places = first[:, None] + np.arange(int((last - first).max(initial=-1)) + 1)
        inside = places <= last[:, None]
        return np.where(inside, self.hashes[np.minimum(places, len(self.hashes) - 1)], NO_DOCUMENT)

    def overlapping_on_ring(self, starts_n: np.ndarray, stops_n: np.ndarray) -> np.ndarray:
        """The same where the stream's end is followed by its start, as in training batches: start may lie below 0,
        stop beyond the end."""
        end, zero = self.tokens, np.zeros_like(starts_n)
        return np.concatenate(
            [
                self.overlapping(np.maximum(starts_n, 0), np.minimum(stops_n, end)),
                self.overlapping(np.where(starts_n < 0, np.maximum(end + starts_n, 0), end), zero + end),
                self.overlapping(zero, np.clip(stops_n - end, 0, end)),
            ],
            axis=1,
        )
