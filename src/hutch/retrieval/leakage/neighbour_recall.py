"""How much of the leakage r(C) by nearest neighbours finds, against the exact longest match in the training text.

The paper's r(C) can only see what the index returns. In a measurement ten neighbours found 62 % of the chunks with an
eighth of a chunk in common, and 85 % of those with nine tenths.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput

THRESHOLDS = (0.125, 0.25, 0.5, 0.9)


@dataclass(frozen=True)
class RecallRow:
    """Chunks with r of at least `threshold`."""

    threshold: float
    exact_share: float
    """Share of all chunks, by the exact longest match."""
    neighbour_share: float
    """Share of all chunks, by neighbours."""
    recall: float | None
    """Of the former the share that the neighbours find; None where there are none."""


def neighbour_recall(
    exact: ArrayLike, by_neighbours: ArrayLike, thresholds: Sequence[float] = THRESHOLDS
) -> tuple[RecallRow, ...]:
    """Compare r of the same chunks in both modes, [n] each. Thresholds under `shortest` / 64 say nothing, since the
    exact mode looks for no shorter matches. Raises BadInput for arrays of other shapes."""
    exact, by_neighbours = np.asarray(exact, dtype=np.float64), np.asarray(by_neighbours, dtype=np.float64)
    if exact.ndim != 1 or exact.shape != by_neighbours.shape or not len(exact):
        raise BadInput(f"r of shapes {exact.shape} and {by_neighbours.shape}; one entry a chunk is needed in both")
    rows = []
    for threshold in thresholds:
        there, seen = exact >= threshold, by_neighbours >= threshold
        recall = float((there & seen).sum() / there.sum()) if there.any() else None
        rows.append(RecallRow(float(threshold), float(there.mean()), float(seen.mean()), recall))
    return tuple(rows)
