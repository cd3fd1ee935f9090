"""Static word vectors learned from the database's own chunks: no download, and the CPU's default.

A chunk is the sum of its tokens' vectors, each of unit length times the token's inverse document frequency, less the
first principal component of such sums (Arora, Liang and Ma 2017, "A simple but tough-to-beat baseline for sentence
embeddings"; their weights a/(a + p) did as well). All of that is linear up to the last division by the length, so it
is folded into one table [vocabulary, d].

Measured by what two neighbours from other documents hold of the chunk that follows (60,000 chunks of books, web, news,
encyclopedia and dialogue, 8,192 tokens; mean longest common run, share of its 3-grams, of its rare tokens): these
vectors, d = 256: 4.40, .069, .144; latent semantic analysis, d = 384: 4.23, .066, .119; BM25: 4.58, .073, .149; the
former re-ranked by BM25: 4.53, .073, .148.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.embedders.bm25 import document_frequencies, inverse_document_frequencies
from hutch.retrieval.embedders.protocol import unit_length
from hutch.retrieval.embedders.word_vectors import cooccurrence, factorised, positive_information
from hutch.runs.atomic import atomic_path
from hutch.runs.errors import BadInput, HutchError
from hutch.text.tokenizer import Tokenizer

TABLE = "static.safetensors"
COMPONENT_FROM = 10_000
"""Chunks that the first principal component is found from."""


@dataclass(frozen=True, kw_only=True)
class StaticConfig:
    """How the vectors are learned."""

    dimensions: int = 256
    """d; 256 and 384 hardly differ, and a vector is 2 d bytes of the database."""
    window: int = 8
    """Tokens within so many places of each other count as near."""
    chunks: int = 100_000
    """At most so many chunks, drawn at random, are learned from."""
    seed: int = 0
    """Of that draw and of the decomposition."""

    def __post_init__(self) -> None:
        for name in ("dimensions", "window", "chunks"):
            if getattr(self, name) < 1:
                raise BadInput(f"static vectors: {name} is {getattr(self, name)}; it must be at least 1")


class StaticEmbedder:
    """A table of one vector a token."""

    name = "static word vectors"

    def __init__(self, table_vd: np.ndarray, tokenizer_digest: str) -> None:
        """`table_vd`: [vocabulary, d], the weights folded in. It is rounded to float16, as the vectors of chunks are,
        so that a small database is not mostly its table."""
        self.table_vd = np.ascontiguousarray(table_vd, dtype=np.float16)
        self.tokenizer_digest = tokenizer_digest

    @classmethod
    def learn(cls, tokens_nm: np.ndarray, tokenizer: Tokenizer, config: StaticConfig) -> "StaticEmbedder":
        """Learn from chunks, integers [n, m] with −1 for no token; equal chunks and seed give equal vectors."""
        information = positive_information(cooccurrence(tokens_nm, tokenizer.vocabulary, config.window))
        vectors_vd = unit_length(factorised(information, config.dimensions, config.seed))
        weights_v = inverse_document_frequencies(document_frequencies(tokens_nm, tokenizer.vocabulary), len(tokens_nm))
        weighted = cls(vectors_vd * weights_v[:, None].astype(np.float32), tokenizer.digest)
        sample_nd = weighted.embed(tokens_nm[:: max(1, len(tokens_nm) // COMPONENT_FROM)], tokenizer)
        component_d = np.linalg.eigh(sample_nd.T @ sample_nd)[1][:, -1]
        table_vd = weighted.table_vd.astype(np.float32)
        return cls(table_vd - np.outer(table_vd @ component_d, component_d), tokenizer.digest)

    @property
    def dimensions(self) -> int:
        """d."""
        return self.table_vd.shape[1]

    @cached_property
    def digest(self) -> str:
        """The table's hash."""
        return hashlib.sha256(self.tokenizer_digest.encode() + self.table_vd.tobytes()).hexdigest()[:16]

    @cached_property
    def _bag(self) -> Any:
        """The table with a row of zeros behind it, which −1 reads."""
        import torch

        return torch.from_numpy(np.vstack([self.table_vd, np.zeros((1, self.dimensions))]).astype(np.float32))

    def embed(self, tokens_nm: np.ndarray, tokenizer: Tokenizer) -> np.ndarray:
        """See `Embedder`. Raises BadInput for the tokens of another tokenizer than it learned from."""
        import torch
        from torch.nn.functional import embedding_bag

        if tokenizer.digest != self.tokenizer_digest:
            raise BadInput(
                f"the static vectors were learned from tokens of {self.tokenizer_digest}, not of {tokenizer.digest}"
            )
        ids = np.where(np.asarray(tokens_nm) < 0, len(self.table_vd), tokens_nm).astype(np.int32)
        with torch.no_grad():
            sums_nd = embedding_bag(torch.from_numpy(ids), self._bag, mode="sum").numpy()
        return unit_length(sums_nd)

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the table."""
        from safetensors.numpy import save_file

        with atomic_path(folder / TABLE) as temporary:
            save_file({"table": self.table_vd}, temporary, {"tokenizer": self.tokenizer_digest})
        return {"kind": "static"}

    @classmethod
    def load(cls, folder: Path) -> "StaticEmbedder":
        """Read what `save` wrote. Raises HutchError, naming the file, where that is damaged."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(folder / TABLE, framework="np") as handle:
                return cls(handle.get_tensor("table"), (handle.metadata() or {})["tokenizer"])
        except (OSError, SafetensorError, KeyError) as error:
            raise HutchError(f"{folder / TABLE} cannot be read: {error}") from error
