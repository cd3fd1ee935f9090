"""When the expert is there: expert dropout (Bhoopchand et al. 2023, Introduction and Probe tasks).

Legend: n episodes, t steps.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from hutch.runs.errors import BadInput
from hutch.runs.seeds import generator

Kind = Literal["full", "none", "half", "random"]


@dataclass(frozen=True, kw_only=True)
class DropOut:
    """A schedule of presence.

    `full`: always there; `none`: never; `half`: the first half of the episode (the three conditions of the cultural
    transmission metric). `random`: a chain of two states with the transition matrix [[1 − appear, appear],
    [vanish, 1 − vanish]] from absent and present, each step; training.
    """

    kind: Kind = "random"
    appear: float = 0.02
    """Probability of coming back, each step absent (ours)."""
    vanish: float = 0.02
    """Probability of leaving, each step present (ours)."""
    begin: float = 1.0
    """Probability of being there at the first step."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise BadInput(f"the drop-out schedule is {self.kind!r}; it must be {', '.join(get_args(Kind))}")
        for name in ("appear", "vanish", "begin"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(f"the drop-out's {name} is {getattr(self, name)}; it must lie between 0 and 1")

    @classmethod
    def from_matrix(cls, matrix: np.ndarray, begin: float = 1.0) -> "DropOut":
        """The schedule of a transition matrix [2, 2], rows from absent and present, each summing to 1."""
        matrix = np.asarray(matrix, np.float64)
        if matrix.shape != (2, 2) or (matrix < 0).any() or not np.allclose(matrix.sum(axis=1), 1):
            raise BadInput(f"the transition matrix is {matrix.tolist()}; it must have two rows of two that sum to 1")
        return cls(kind="random", appear=float(matrix[0, 1]), vanish=float(matrix[1, 0]), begin=begin)

    def matrix(self) -> np.ndarray:
        """The transition matrix, float64 [2, 2]."""
        return np.array([[1 - self.appear, self.appear], [self.vanish, 1 - self.vanish]])


def presence(
    schedule: DropOut,
    episodes: int,
    steps: int,
    *seed: int | str,
    appear: np.ndarray | None = None,
    vanish: np.ndarray | None = None,
) -> np.ndarray:
    """Who is there when: bool [n, t]. A pure function of its arguments.

    `appear`, `vanish`: [n] each, probabilities of each episode in place of the schedule's, for `random`.
    """
    appears, vanishes = (
        np.broadcast_to(one if many is None else np.asarray(many, np.float64), episodes)
        for one, many in ((schedule.appear, appear), (schedule.vanish, vanish))
    )
    if ((appears < 0) | (appears > 1) | (vanishes < 0) | (vanishes > 1)).any():
        raise BadInput("a probability of appearing or vanishing is outside 0 to 1; each must lie between")
    there = np.zeros((episodes, steps), np.bool_)
    if schedule.kind == "full":
        there[:] = True
    elif schedule.kind == "half":
        there[:, : (steps + 1) // 2] = True
    elif schedule.kind == "random":
        chance = generator("dropout", *seed).random((steps, episodes))
        now = chance[0] < schedule.begin
        for t in range(steps):
            if t > 0:
                now = np.where(now, chance[t] >= vanishes, chance[t] < appears)
            there[:, t] = now
    return there
