"""Documents drawn with replacement, the same draws for all models: intervals of bits per byte and of anything made of
them.

What makes a document hard cancels in a difference (Efron and Tibshirani 1993, §8). Each subset keeps its number of
documents, since the study chose how many it scores. The intervals do not hold the spread between seeds of training.

Legend: b draws, d documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hutch.runs import generator
from hutch.scaling import Interval
from hutch.scaling.intervals import percentile_interval


@dataclass(frozen=True)
class Figure:
    """A figure and what the resampled documents give for it."""

    value: float
    draws: np.ndarray
    """float64 [b]."""

    def __sub__(self, other: "Figure") -> "Figure":
        return Figure(self.value - other.value, self.draws - other.draws)

    def interval(self, level: float) -> Interval:
        """The value with the central `level` of the draws."""
        return percentile_interval(self.value, self.draws, level)


@dataclass(frozen=True)
class Resamples:
    """How often each document is drawn."""

    weights_bd: np.ndarray
    """float64 [b, d]."""
    bytes_d: np.ndarray
    """float64 [d]."""

    @classmethod
    def draw(cls, subset_d: np.ndarray, bytes_d: np.ndarray, draws: int, seed: int) -> "Resamples":
        """As many documents of each subset as there are."""
        random, weights = generator(seed, "held-out documents"), np.zeros((draws, len(subset_d)))
        for subset in np.unique(subset_d):
            members = np.flatnonzero(subset_d == subset)
            weights[:, members] = random.multinomial(len(members), np.full(len(members), 1 / len(members)), size=draws)
        return cls(weights, np.asarray(bytes_d, np.float64))

    def bits_per_byte(self, nats_d: np.ndarray, documents: np.ndarray | None = None) -> Figure:
        """Σ nats / (ln 2 · Σ bytes) of all documents, or of those in a mask; NaN in draws that hold none of them."""
        kept = np.ones(len(self.bytes_d)) if documents is None else np.asarray(documents, np.float64)
        nats, size = np.asarray(nats_d) * kept, self.bytes_d * kept * np.log(2)
        drawn_bytes = self.weights_bd @ size
        draws = np.divide(
            self.weights_bd @ nats, drawn_bytes, out=np.full(len(drawn_bytes), np.nan), where=drawn_bytes > 0
        )
        return Figure(float(nats.sum() / size.sum()), draws)


def mean(figures: Sequence[Figure]) -> Figure:
    """The mean of several figures over the same draws."""
    return Figure(
        float(np.mean([figure.value for figure in figures])), np.mean([figure.draws for figure in figures], axis=0)
    )


def slope(x: Sequence[float], figures: Sequence[Figure]) -> Figure:
    """The slope of a least-squares line through (x, figure); at least two distinct x."""
    centred = np.asarray(x, float) - np.mean(x)
    weights = centred / np.square(centred).sum()
    return Figure(
        float(weights @ [figure.value for figure in figures]), weights @ np.stack([figure.draws for figure in figures])
    )
