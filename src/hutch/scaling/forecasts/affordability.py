"""How much training compute can be bought in a year, and how much less of it better algorithms need.

    spending:    S = S₀·2^(t/τ_s) / (1 + S₀·2^(t/τ_s) / (φ·GDP₀·g^t))      dollars for the largest training run
    hardware:    H = H₀·2^(t/τ_h) / (1 + H₀·2^(t/τ_h) / H_max)             FLOP per dollar
    algorithms:  ρ = max(0, log10 2^(t/τ_a) − log10(1 + 2^(t/τ_a) / 10^cap))

t counts years from a base year. A requirement F is reached in the first year with F − ρ ≤ log10 S + log10 H. (Cotra
2020, through rethinkpriorities/future-assessment-model.)
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hutch.scaling.columns import Array
from hutch.scaling.forecasts.anchors import Anchor

AlgorithmRule = Literal["by-requirement", "fixed"]
_LOG_2 = math.log10(2)
_STEP = 0.5
"""Years by which the doubling time of algorithms shortens, every 2 OOM."""


@dataclass(frozen=True, kw_only=True)
class Spending:
    """Dollars that somebody will pay for the largest training run."""

    start: float = 1e9
    """S₀, dollars in the base year."""
    doubling: float = 2.5
    """τ_s, years. Two re-implementations take 2.5 and a summary 2."""
    share: float = 0.01
    """φ, the part of the gross domestic product that spending levels off at."""
    product: float = 24e12
    """GDP₀, dollars a year, of the country that trains the model."""
    growth: float = 1.03
    """g, its growth a year."""
    year: float = 2025
    """Base year."""


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """FLOP that a dollar buys."""

    start: float = 17.6
    """log10 H₀ in the base year."""
    ceiling: float = 24.0
    """log10 H_max."""
    doubling: float = 2.5
    """τ_h, years."""
    year: float = 2025
    """Base year. That H₀ belongs to 2025, like all else, is a guess."""


@dataclass(frozen=True, kw_only=True)
class Algorithms:
    """What better algorithms save, counted from the algorithms of 2020."""

    rule: AlgorithmRule = "by-requirement"
    """"by-requirement": τ_a and cap follow from F, as in a re-implementation; "fixed": each anchor has its own, as in a
    summary, with guessed caps."""
    doubling: tuple[float, float] = (2.0, 3.5)
    """Fastest and slowest τ_a, years, by requirement."""
    cap: tuple[float, float] = (2.0, 5.0)
    """Least and most log10 savings, by requirement."""
    year: float = 2025
    """Base year."""


def log_spending(years: ArrayLike, spending: Spending) -> Array:
    """log10 dollars in each year."""
    t = np.asarray(years, dtype=np.float64) - spending.year
    wanted = math.log10(spending.start) + _LOG_2 * t / spending.doubling
    most = math.log10(spending.share * spending.product) + math.log10(spending.growth) * t
    return _levelled(wanted, most)


def log_hardware(years: ArrayLike, hardware: Hardware) -> Array:
    """log10 FLOP per dollar in each year."""
    t = np.asarray(years, dtype=np.float64) - hardware.year
    return _levelled(hardware.start + _LOG_2 * t / hardware.doubling, hardware.ceiling)


def log_savings(years: ArrayLike, doubling: float, cap: float, base: float) -> Array:
    """ρ in each year: log10 of the factor by which algorithms lower a requirement, never below 0."""
    t = np.asarray(years, dtype=np.float64) - base
    return np.maximum(0.0, _levelled(_LOG_2 * t / doubling, cap))


def _levelled(log_value: Array, log_ceiling: float | Array) -> Array:
    """log10 of x / (1 + x / c), from log10 x and log10 c; nothing overflows, however late the year."""
    return -np.logaddexp(-math.log(10) * log_value, -math.log(10) * np.asarray(log_ceiling)) / math.log(10)


def algorithm_classes(
    requirement: Array, anchor: Anchor, algorithms: Algorithms
) -> tuple[NDArray[np.int16], list[tuple[float, float]]]:
    """Which pace of algorithms each requirement meets: an index [n] into a list of (τ_a, cap).

    By requirement, τ_a = clip(3.5 − round((F − 29)/2)/2, 2, 3.5) and cap = clip(2 + round((F − 32)/4), 2, 5).
    """
    if algorithms.rule == "fixed":
        return np.zeros(len(requirement), dtype=np.int16), [(anchor.algorithm_doubling, anchor.algorithm_cap)]
    (fast, slow), (least, most) = algorithms.doubling, algorithms.cap
    last_speed, last_cap = math.ceil((slow - fast) / _STEP), math.ceil(most - least)
    speed = np.clip(np.round((requirement - 29) / 2), 0, last_speed).astype(np.int16)
    cap = np.clip(np.round((requirement - 32) / 4), 0, last_cap).astype(np.int16)
    doublings = [max(fast, slow - _STEP * step) for step in range(last_speed + 1)]
    caps = [min(most, least + step) for step in range(last_cap + 1)]
    return speed * len(caps) + cap, [(doubling, limit) for doubling in doublings for limit in caps]


def first_years(
    requirement: Array,
    anchor: Anchor,
    years: Array,
    spending: Spending,
    hardware: Hardware,
    algorithms: Algorithms,
) -> NDArray[np.int16]:
    """The index into `years` at which each requirement is first affordable, [n]; len(years) where it never is."""
    bought = log_spending(years, spending) + log_hardware(years, hardware)
    which, paces = algorithm_classes(requirement, anchor, algorithms)
    first = np.empty(len(requirement), dtype=np.int16)
    for index in np.flatnonzero(np.bincount(which, minlength=len(paces))):
        # What was affordable once stays so, even where the product shrinks.
        within_reach = np.maximum.accumulate(bought + log_savings(years, *paces[index], algorithms.year))
        mine = np.flatnonzero(which == index)
        first[mine] = np.searchsorted(within_reach, requirement[mine])
    return first
