"""Batches with the neighbours of each chunk, a pure function of (seed, step) like those without.

Legend: b sequences, t positions, l chunks of a sequence, m tokens of a chunk, k neighbours, r tokens of one.
"""

from collections.abc import Callable

import numpy as np

from hutch.retrieval.database import ChunkDatabase, JoinConfig
from hutch.retrieval.database.neighbours import joiner
from hutch.runs.errors import BadInput
from hutch.text import Batches, Shard

Values = Callable[[np.ndarray], np.ndarray]
"""Ids of chunks, [...], −1 for none, to their tokens, int64 [..., r], −1 where there is none
(`ChunkDatabase.values`)."""
Found = np.ndarray | Callable[[np.ndarray], np.ndarray]
"""What was found for each chunk of a text, best first: a table [chunks, at least k] (`NeighbourTable.ids`), or what
looks the chunks with these numbers up, int64 [n] to [n, at least k]."""


class NeighbourBatches:
    """Windows that start at whole chunks, with what was found for each chunk."""

    def __init__(self, batches: Batches, found: Found, values: Values, neighbours: int) -> None:
        """`batches` start at multiples of the chunk (their grain). Raises BadInput where a table is another text's or
        holds fewer than so many neighbours."""
        self.chunks = len(batches.tokens) // batches.grain
        if isinstance(found, np.ndarray):
            if len(found) != self.chunks:
                raise BadInput(
                    f"neighbours of {len(found):,} chunks are given for a text of {self.chunks:,}: join it anew"
                )
            if found.shape[1] < neighbours:
                raise BadInput(f"{neighbours} neighbours are asked for and the table holds {found.shape[1]}: join anew")
        self.batches, self.found, self.values, self.neighbours = batches, found, values, neighbours

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(inputs_bt, targets_bt, neighbours_blkr) of step 0, 1, ..., all int64."""
        batches = self.batches
        inputs_bt, targets_bt = batches.batch(step)
        rows = range(step * batches.sequences, (step + 1) * batches.sequences)
        first_b = np.array([batches.start(row) for row in rows]) // batches.grain
        # A window at the end of the ring goes on at its beginning.
        chunks_bl = (first_b[:, None] + np.arange(batches.context // batches.grain)) % self.chunks
        return inputs_bt, targets_bt, self.values(self._ids(chunks_bl)[..., : self.neighbours])

    def _ids(self, chunks_bl: np.ndarray) -> np.ndarray:
        if isinstance(self.found, np.ndarray):
            return self.found[chunks_bl]
        return self.found(chunks_bl.ravel()).reshape(*chunks_bl.shape, -1)


def looked_up(shard: Shard, database: ChunkDatabase, config: JoinConfig) -> Callable[[np.ndarray], np.ndarray]:
    """What looks chunks of a shard up when they are needed, with the answers of a join by `config`. It is the cheaper
    way where training reads less than the shard holds."""
    find = joiner(shard, database, config, np.dtype(np.int64))

    def found(chunks_n: np.ndarray) -> np.ndarray:
        # Runs of consecutive chunks are searched at once.
        cuts = np.flatnonzero(np.diff(chunks_n) != 1) + 1
        return np.concatenate([find(int(run[0]), int(run[-1]) + 1) for run in np.split(chunks_n, cuts)])

    return found
