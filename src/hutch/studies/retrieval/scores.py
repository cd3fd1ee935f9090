"""Nats of held-out tokens as sums over chunks and documents.

Legend: n chunks of 64 tokens, d documents, s settings, t tokens.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hutch.runs import HutchError

NATS = "nats.npy"
"""float32 [s, t] in a run's folder: each token of the held-out documents in each setting."""


@dataclass(frozen=True)
class HeldOut:
    """The held-out text in chunks of 64 tokens, document by document; the last of a document is shorter."""

    document: np.ndarray
    """int64 [n]: the document of each chunk."""
    bytes: np.ndarray
    """int64 [n]: UTF-8 bytes behind it."""
    tokens: np.ndarray
    """int64 [n]."""
    by_neighbours: np.ndarray
    """float64 [n]: r(C) of the paper, by ten neighbours of the chunk itself in the training text."""
    exact: np.ndarray
    """float64 [n]: r(C) by the longest match anywhere in the training text."""
    subset: np.ndarray
    """int32 [d]: the subset of each document."""

    @classmethod
    def open(cls, path: Path) -> "HeldOut":
        """Read what the study kept; a `HutchError` names a file that is broken."""
        try:
            with np.load(path) as arrays:
                return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})
        except (OSError, ValueError, KeyError) as error:
            raise HutchError(f"{path} is damaged ({error}): remove it and run the same command again") from error

    @property
    def starts(self) -> np.ndarray:
        """int64 [n]: the first token of each chunk among all held-out tokens."""
        return np.cumsum(self.tokens) - self.tokens

    @property
    def document_bytes(self) -> np.ndarray:
        """float64 [d]."""
        return self.by_document(self.bytes)

    def by_chunk(self, values_t: np.ndarray) -> np.ndarray:
        """Sums over chunks, float64 [..., n]."""
        return np.add.reduceat(np.asarray(values_t, np.float64), self.starts, axis=-1)

    def by_document(self, values_n: np.ndarray) -> np.ndarray:
        """Sums of values of chunks over documents, float64 [..., d]."""
        first = np.flatnonzero(np.diff(self.document, prepend=-1))
        return np.add.reduceat(np.asarray(values_n, np.float64), first, axis=-1)


def bits_per_byte(nats_d: np.ndarray, bytes_d: np.ndarray) -> float:
    """Σ nats / (ln 2 · Σ bytes): every held-out byte counts once."""
    return float(np.sum(nats_d) / (np.log(2) * np.sum(bytes_d)))
