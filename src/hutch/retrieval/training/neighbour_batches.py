"""Batches with the neighbours of each chunk, a pure function of (seed, step) like those without.

Legend: b sequences, t positions, l chunks of a sequence, m tokens of a chunk, k neighbours, r tokens of one.
"""

from collections.abc import Callable

import numpy as np

from hutch.runs.errors import BadInput
from hutch.text import Batches

Values = Callable[[np.ndarray], np.ndarray]
"""Ids of chunks, [...], −1 for none, to their tokens, int64 [..., r], −1 where there is none
(`ChunkDatabase.values`)."""


class NeighbourBatches:
    """Windows that start at whole chunks, with what was found for each chunk."""

    def __init__(self, batches: Batches, ids: np.ndarray, values: Values, neighbours: int) -> None:
        """`batches` start at multiples of the chunk (their grain); `ids` [chunks of the stream, at least
        `neighbours`] name the neighbours of each, best first (`NeighbourTable.ids`).

        Raises BadInput where the table is another stream's or holds fewer neighbours.
        """
        chunks = len(batches.tokens) // batches.grain
        if len(ids) != chunks:
            raise BadInput(f"neighbours of {len(ids):,} chunks are given for a text of {chunks:,}: join it anew")
        if ids.shape[1] < neighbours:
            raise BadInput(f"{neighbours} neighbours are asked for and the table holds {ids.shape[1]}: join again")
        self.batches, self.ids, self.values, self.neighbours = batches, ids, values, neighbours

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(inputs_bt, targets_bt, neighbours_blkr) of step 0, 1, ..., all int64."""
        batches = self.batches
        inputs_bt, targets_bt = batches.batch(step)
        rows = range(step * batches.sequences, (step + 1) * batches.sequences)
        first_b = np.array([batches.start(row) for row in rows]) // batches.grain
        # A window at the end of the ring goes on at its beginning.
        chunks_bl = (first_b[:, None] + np.arange(batches.context // batches.grain)) % len(self.ids)
        return inputs_bt, targets_bt, self.values(self.ids[chunks_bl, : self.neighbours])
