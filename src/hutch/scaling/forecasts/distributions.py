"""The three shapes that an uncertain quantity takes here, each made from the interval that holds 90 % of it."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array

_REACH = NormalDist().inv_cdf(0.95)
"""Standard deviations from the middle of a normal to either end of its 90 % interval: 1.645."""


class Distribution(Protocol):
    """Something to draw from."""

    def draw(self, random: np.random.Generator, size: int) -> Array:
        """`size` independent draws, [size]."""
        ...


@dataclass(frozen=True)
class Normal:
    """A normal; a constant where `sd` is 0."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.sd) and self.sd >= 0):
            raise BadInput(f"a normal needs a finite mean and a finite sd from 0, not {self.mean:g} and {self.sd:g}")

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the central 90 %."""
        return self.mean - _REACH * self.sd, self.mean + _REACH * self.sd

    def at(self, z: ArrayLike) -> Array:
        """The values that lie `z` standard deviations above the mean."""
        return self.mean + self.sd * np.asarray(z, dtype=np.float64)

    def draw(self, random: np.random.Generator, size: int) -> Array:
        return self.at(random.standard_normal(size))


@dataclass(frozen=True)
class LogNormal:
    """e to the power of a normal; `mean` and `sd` are those of the natural logarithm."""

    mean: float
    sd: float

    def draw(self, random: np.random.Generator, size: int) -> Array:
        return np.exp(Normal(self.mean, self.sd).draw(random, size))


@dataclass(frozen=True)
class Halves:
    """Each draw is from either part, with even chances."""

    first: Distribution
    second: Distribution

    def draw(self, random: np.random.Generator, size: int) -> Array:
        first, second = self.first.draw(random, size), self.second.draw(random, size)
        return np.where(random.random(size) < 0.5, first, second)


def constant(value: float) -> Normal:
    """No uncertainty at all."""
    return Normal(value, 0.0)


def normal_90(low: float, high: float) -> Normal:
    """The normal with 5 % below `low` and 5 % above `high`; `BadInput` unless both are finite and in order."""
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise BadInput(f"the interval {low:g} … {high:g} needs two finite ends, the lower one first")
    return Normal((low + high) / 2, (high - low) / 2 / _REACH)


def lognormal_90(low: float, high: float) -> LogNormal:
    """The lognormal with 5 % below `low` and 5 % above `high`; `BadInput` unless 0 < low ≤ high."""
    if not 0 < low <= high < math.inf:
        raise BadInput(f"the interval {low:g} … {high:g} of a lognormal needs two ends above 0, the lower one first")
    logarithm = normal_90(math.log(low), math.log(high))
    return LogNormal(logarithm.mean, logarithm.sd)
