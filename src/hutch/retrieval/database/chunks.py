"""Where the chunks of a table of documents lie: arithmetic on cumulative counts, no stored table of chunks.

A document is cut into chunks of m tokens from its start; its last chunk may be shorter, and its end of document is
part of none. The value of a chunk is (N, F): the chunk and its continuation, r tokens that stop at the document's end
(Borgeaud et al. 2022, arXiv:2112.04426, §2.2–2.3: m = 64, r = 128).
"""

import numpy as np

MISSING = -1
"""Stands for a token, or for a chunk, that is not there."""


class ChunkTable:
    """The chunks of consecutive documents, numbered from 0 in the order of the tokens."""

    def __init__(self, documents: np.ndarray, chunk: int) -> None:
        """`documents`: rows with `start` and `tokens` (the end of document counted), see `hutch.text.shards`."""
        self.chunk = chunk
        self.starts = np.asarray(documents["start"], dtype=np.int64)
        self.ends = self.starts + np.asarray(documents["tokens"], dtype=np.int64) - 1
        """One past the last token of each document, its end of document left out."""
        counts = -((self.starts - self.ends) // chunk)
        self.first = np.concatenate([[0], np.cumsum(counts)])
        """int64 [documents + 1]: the first chunk of each document, and the number of chunks."""

    def __len__(self) -> int:
        """Number of chunks."""
        return int(self.first[-1])

    def document_of(self, chunks: np.ndarray) -> np.ndarray:
        """The document of each chunk; chunks must exist."""
        return np.searchsorted(self.first, chunks, side="right") - 1

    def spans(self, chunks: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
        """(start, stop) in the tokens of each chunk and what follows it, `length` tokens or to the document's end."""
        documents = self.document_of(chunks)
        starts = self.starts[documents] + (chunks - self.first[documents]) * self.chunk
        return starts, np.minimum(starts + length, self.ends[documents])

    def read(self, tokens: np.ndarray, chunks: np.ndarray, length: int) -> np.ndarray:
        """The tokens of the spans of `chunks` [n]: int64 [n, length], −1 behind the end."""
        starts, stops = self.spans(chunks, length)
        places = starts[:, None] + np.arange(length)
        inside = places < stops[:, None]
        return np.where(inside, tokens[np.minimum(places, len(tokens) - 1)].astype(np.int64), MISSING)
