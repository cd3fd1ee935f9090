"""What decides what a database holds and how it is searched."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from hutch.retrieval.index.rule import IndexConfig
from hutch.runs.errors import BadInput

Retriever = Literal["dense", "reranked", "bm25"]
"""Nearest vectors; nearest vectors re-ranked by BM25; BM25 alone."""

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total): "embedding" in chunks, "indexing" in segments, "joining" in chunks."""


def silent(stage: str, done: int, total: int) -> None:
    """The progress that nobody looks at."""


@dataclass(frozen=True, kw_only=True)
class DatabaseConfig:
    """Everything besides texts, tokenizer and embedder that decides what a database holds."""

    chunk: int = 64
    """m: tokens of a chunk."""
    value: int = 128
    """r: tokens of a value, the chunk and its continuation."""
    documents: int | None = None
    """Take only the first so many documents of each shard, None: all."""
    retriever: Retriever = "dense"
    """How a search ranks that does not say; "bm25" keeps an inverted file beside the vectors."""
    candidates: int = 100
    """Chunks near by vector that BM25 re-ranks."""
    index: IndexConfig = field(default_factory=IndexConfig)
    block: int = 16_384
    """Chunks that are embedded at once; a killed build goes on from its last whole block."""

    def __post_init__(self) -> None:
        for name in ("chunk", "candidates", "block"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.value < self.chunk:
            raise BadInput(f"value is {self.value} tokens; it must hold the chunk of {self.chunk} at least")
        if self.documents is not None and self.documents < 1:
            raise BadInput(f"documents is {self.documents}; it must be at least 1, or None for all")
        if self.retriever not in get_args(Retriever):
            raise BadInput(f"retriever is {self.retriever!r}; it must be one of {', '.join(get_args(Retriever))}")
