"""Shards that did not answer: an error that names them, or a part of the answer; never a smaller answer that says
nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hutch.retrieval.sharded.shares import Share
from hutch.runs.errors import HutchError

Missing = Literal["raise", "tell"]
"""What a search does without a shard: fail, or answer by the others and say which are missing."""


@dataclass(frozen=True)
class MissingShard:
    """A shard that did not answer."""

    number: int
    segments: tuple[str, ...]
    chunks: int
    """Chunks that were not searched."""
    reason: str
    """In one line."""

    @classmethod
    def of_share(cls, share: Share, reason: str) -> "MissingShard":
        """The shard with this share."""
        return cls(share.number, share.names, share.chunks, reason)

    def __str__(self) -> str:
        held = f"segment{'s' if len(self.segments) > 1 else ''} {', '.join(self.segments)}; {self.chunks:,} chunks"
        return f"shard {self.number} ({held}) did not answer: {self.reason}"


class ShardsLost(HutchError):
    """Some shards did not answer; the line names each of them and says why."""

    def __init__(self, missing: Iterable[MissingShard]) -> None:
        self.missing = tuple(missing)
        super().__init__("; ".join(map(str, self.missing)))

    def __reduce__(self) -> tuple[type["ShardsLost"], tuple[tuple[MissingShard, ...]]]:
        return ShardsLost, (self.missing,)
