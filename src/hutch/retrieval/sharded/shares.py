"""Which segments of a database a shard holds: whole segments, dealt out so that all shards search about as much."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.database.database import ChunkDatabase
from hutch.runs.errors import BadInput


@dataclass(frozen=True)
class Share:
    """All that a shard needs to know to open its part of a database in another process."""

    number: int
    """From 0, in the order of their first segments."""
    folder: Path
    """The database's, on storage that all machines see at this path."""
    chunk: int
    """Tokens of a chunk."""
    entries: tuple[dict[str, Any], ...]
    """The manifest's entries of its segments, with their digests: a segment that has changed is refused."""
    starts: tuple[int, ...]
    """The number of the first chunk of each in the whole database."""
    limits: tuple[int, ...]
    """How many chunks of each are searched, at least one."""

    @property
    def chunks(self) -> int:
        """Chunks that it searches."""
        return sum(self.limits)

    @property
    def names(self) -> tuple[str, ...]:
        """Its segments."""
        return tuple(entry["name"] for entry in self.entries)

    def holds(self, ids: np.ndarray) -> np.ndarray:
        """Booleans like `ids`: whether each chunk is one that it searches."""
        found = np.zeros(ids.shape, bool)
        for start, limit in zip(self.starts, self.limits, strict=True):
            found |= (ids >= start) & (ids < start + limit)
        return found


def shares_of(database: ChunkDatabase, shards: int | None = None) -> tuple[Share, ...]:
    """Deal out the segments that are searched: the largest first, each to the shard that has least.

    `shards`: None makes one of each segment. Raises BadInput where that is none, or more than there are segments.
    """
    limits = np.clip(len(database) - database.starts[:-1], 0, np.diff(database.starts))
    searched = np.flatnonzero(limits)
    count = len(searched) if shards is None else shards
    if not 1 <= count <= len(searched):
        raise BadInput(
            f"{count} shards were asked for; {database.folder} can be searched by 1 to {len(searched)}, one a segment: "
            "append_to_database adds more"
        )
    held: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for place in sorted(searched.tolist(), key=lambda place: -limits[place]):
        least = loads.index(min(loads))
        held[least].append(place)
        loads[least] += int(limits[place])
    return tuple(
        Share(
            number=number,
            folder=database.folder.absolute(),
            chunk=database.config.chunk,
            entries=tuple(database.manifest["segments"][place] for place in places),
            starts=tuple(int(database.starts[place]) for place in places),
            limits=tuple(int(limits[place]) for place in places),
        )
        for number, places in enumerate(sorted(map(sorted, held)))
    )
