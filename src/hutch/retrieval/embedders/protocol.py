"""What an embedder can do."""

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from hutch.text.tokenizer import Tokenizer


@runtime_checkable
class Embedder(Protocol):
    """Token ids to vectors of unit length; near vectors stand for like texts."""

    @property
    def name(self) -> str:
        """A few words for a person."""
        ...

    @property
    def dimensions(self) -> int:
        """d."""
        ...

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits: equal ones embed equally."""
        ...

    def embed(self, tokens_nm: np.ndarray, tokenizer: Tokenizer) -> np.ndarray:
        """Integers [n, m], −1 where a row has no token, to float32 [n, dimensions] of unit length. A row in which
        there is nothing to embed is all zeros."""
        ...

    def save(self, folder: Path) -> dict[str, Any]:
        """Write into `folder` what is needed to open it again, and return {"kind": ..., ...} for a manifest."""
        ...


def unit_length(vectors_nd: np.ndarray) -> np.ndarray:
    """Each row divided by its length; rows of length zero stay."""
    lengths = np.linalg.norm(vectors_nd, axis=1, keepdims=True)
    return np.divide(vectors_nd, lengths, out=np.zeros_like(vectors_nd), where=lengths > 1e-12)
