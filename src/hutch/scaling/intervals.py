"""Intervals, and the paired bootstrap that compares two language models over the same documents."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs import seeds
from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, check_bootstrap, positive_columns


@dataclass(frozen=True)
class Interval:
    """A figure and the range that holds it at `level`; one number, or arrays of one shape for a band.

    `low` and `high` are NaN where no interval could be drawn (no bootstraps, or nearly all of them lost).
    """

    value: Any
    low: Any
    high: Any
    level: float

    @property
    def width(self) -> Any:
        return self.high - self.low

    def contains(self, value: ArrayLike) -> Any:
        """Whether low ≤ value ≤ high: a bool, or an array of them for a band."""
        inside = (np.asarray(self.low) <= value) & (np.asarray(value) <= self.high)
        return bool(inside) if np.ndim(inside) == 0 else inside

    def as_dict(self) -> dict[str, Any]:
        """{"value", "low", "high", "level"}, fit for JSON: lists for arrays, None for NaN."""
        return {
            "value": json_numbers(self.value),
            "low": json_numbers(self.low),
            "high": json_numbers(self.high),
            "level": self.level,
        }


def json_numbers(value: Any) -> Any:
    """Floats and arrays as JSON can hold them: NaN and infinity become None."""
    if value is None:
        return None
    if np.ndim(value):
        return [json_numbers(item) for item in value]
    number = float(value)
    return number if math.isfinite(number) else None


def percentile_interval(value: Any, draws: ArrayLike, level: float) -> Interval:
    """`value` with the central `level` of `draws` [draws, ...]; lost draws are NaN and left out.

    With fewer than 20 draws left the ends are NaN.
    """
    draws = np.asarray(draws, dtype=np.float64)
    kept = np.isfinite(draws).sum(0)
    ends = np.full((2, *draws.shape[1:]), np.nan)
    if draws.shape[0] and np.any(kept >= 20):
        tail = 50 * (1 - level)
        padded = np.where(kept >= 20, draws, 0.0)
        padded = np.where(np.isfinite(padded), padded, np.nan)
        ends = np.where(kept >= 20, np.nanpercentile(padded, [tail, 100 - tail], axis=0), np.nan)
    low, high = ends
    if draws.ndim == 1:
        return Interval(float(value), float(low), float(high), level)
    return Interval(np.asarray(value), low, high, level)


LOST = 0.1
"""Share of lost resamples from which a fit says so."""


def lost_note(lost_share: float | None, what: str) -> list[str]:
    """What to know of an interval whose draws were lost for want of `what`; nothing where few were."""
    if lost_share is None or lost_share <= LOST:
        return []
    return [f"{lost_share:.0%} of the resamples gave no {what}; the interval is too narrow"]


def paired_ratio_difference(
    nats_a: ArrayLike,
    nats_b: ArrayLike,
    bytes_: ArrayLike,
    *,
    bootstraps: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Bits per byte of model a minus those of model b, over the same documents, with its interval.

        (Σ nats_a − Σ nats_b) / (ln 2 · Σ bytes)

    Each argument has one entry a document: the summed negative log-likelihoods in nats, and the length in
    bytes. Documents are resampled whole and for both models at once, so that what makes a document hard
    cancels (Efron and Tibshirani 1993, §8). Below 0 where a is the better model. `BadInput` names a bad row.
    """
    nats_a, nats_b, lengths = positive_columns(nats_a=nats_a, nats_b=nats_b, bytes_=bytes_)
    check_bootstrap(bootstraps, level)
    if len(lengths) < 2:
        raise BadInput("one document; an interval over documents needs at least two")
    gap, size = nats_a - nats_b, lengths * math.log(2)
    draws = _resampled_ratios(gap, size, bootstraps, seeds.generator(seed, "paired-ratio-difference"))
    return percentile_interval(gap.sum() / size.sum(), draws, level)


def _resampled_ratios(top: Array, bottom: Array, bootstraps: int, random: np.random.Generator) -> Array:
    """Σ top / Σ bottom over `bootstraps` resamples of the rows, [bootstraps]."""
    rows = len(top)
    chunk = max(1, 2_000_000 // rows)
    ratios = np.empty(bootstraps)
    for start in range(0, bootstraps, chunk):
        picks = random.integers(rows, size=(min(chunk, bootstraps - start), rows))
        ratios[start : start + chunk] = top[picks].sum(1) / bottom[picks].sum(1)
    return ratios
