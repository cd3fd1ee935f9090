"""What decides what a leakage scan finds, and how it says how far it is."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hutch.retrieval.leakage.overlap import CHUNK_TOKENS
from hutch.retrieval.leakage.verdicts import VerdictConfig
from hutch.runs.errors import BadInput

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total): "indexing the evaluation set" and "reading the training text" in documents (total
0: unknown), "comparing with the sources" in documents."""


@dataclass(frozen=True, kw_only=True)
class ScanConfig:
    """Everything that decides what a scan finds."""

    verdicts: VerdictConfig = field(default_factory=VerdictConfig)

    passages: int = 5
    """Passages shown of each document at most; 0: none, and the training text is read once only."""

    passage_characters: int = 400
    """Characters of a passage that are shown, of each side."""

    shortest: int = 8
    """Exact mode: matches of fewer tokens count as none; 8 of 64 is the 12.5 % of the paper."""

    longest: int = CHUNK_TOKENS
    """Exact mode: matches are followed so far, and r(C) needs no more than a chunk."""

    def __post_init__(self) -> None:
        if self.passages < 0 or self.passage_characters < 20:
            raise BadInput(
                f"passages is {self.passages} and passage_characters {self.passage_characters}; "
                "at least 0 and 20 are needed"
            )


def silent(stage: str, done: int, total: int) -> None:
    """The progress that nobody looks at."""
