"""A figure of a plan: its value, the range around it, and why there is none where there is none."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hutch.scaling.columns import Array
from hutch.scaling.intervals import Interval, json_numbers, percentile_interval

GIVEN = "given"
FOLLOWS = "follows exactly from what was given"
_NONE: Array = np.empty(0)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of a plan as the document shows it: {"value", "low", "high", "level", "reason"}."""

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    """Share of the draws between the ends; None where the ends are no interval but those of an assumed range."""
    reason: str | None = None
    """Why a value or its interval is missing, or what the ends are; None for an ordinary interval."""

    @classmethod
    def of(cls, interval: Interval, reason: str | None = None) -> "Figure":
        """From an `Interval`; NaN ends become None."""
        value, low, high = (json_numbers(end) for end in (interval.value, interval.low, interval.high))
        return cls(value=value, low=low, high=high, level=None if low is None else interval.level, reason=reason)

    @classmethod
    def missing(cls, reason: str) -> "Figure":
        return cls(value=None, reason=reason)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A number with the draws behind it, so that what follows from it gets its interval from the same draws.

    Without draws it is exact (`given`, such as a budget that was asked for, or `following` from such) or a point
    whose `reason` says why nobody knows its interval.
    """

    value: float
    draws: Array = field(default_factory=lambda: _NONE, repr=False)
    """[draws], NaN where a draw was lost; empty where there are none."""
    level: float | None = None
    reason: str | None = None

    @classmethod
    def given(cls, value: float) -> "Drawn":
        return cls(value=float(value), reason=GIVEN)

    @classmethod
    def following(cls, value: float) -> "Drawn":
        return cls(value=float(value), reason=FOLLOWS)

    @property
    def exact(self) -> bool:
        return self.reason in (GIVEN, FOLLOWS)

    @property
    def lost_share(self) -> float:
        """Share of the draws that gave no number."""
        return float(np.mean(~np.isfinite(self.draws))) if len(self.draws) else 0.0

    def figure(self) -> Figure:
        """The value with the percentile interval of its draws, or with the reason for having none."""
        if not len(self.draws) or self.level is None:
            return Figure(value=json_numbers(self.value), reason=self.reason)
        found = Figure.of(percentile_interval(self.value, self.draws, self.level))
        return found if found.low is not None else dataclasses.replace(found, reason="too few draws are left")


def through(function: Callable[..., Any], *figures: Drawn) -> Drawn:
    """`function` of the values, and of the draws side by side: draw i of one goes with draw i of the others.

    Exact figures take part in every draw. Where a figure has no draws and is not exact, neither has the result,
    for the same reason. Draws that overflow are lost.
    """
    with np.errstate(all="ignore"):
        value = float(function(*(np.float64(figure.value) for figure in figures)))
        silent = next((f for f in figures if not len(f.draws) and not f.exact), None)
        if silent is not None:
            return Drawn(value=value, reason=silent.reason)
        drawn = [figure for figure in figures if len(figure.draws)]
        if not drawn:
            return Drawn.following(value)
        shortest = min(len(figure.draws) for figure in drawn)
        columns = (f.draws[:shortest] if len(f.draws) else np.full(shortest, f.value) for f in figures)
        draws = np.asarray(function(*columns), dtype=np.float64)
    return Drawn(value=value, draws=np.where(np.isfinite(draws), draws, np.nan), level=drawn[0].level)


def scaled(figure: Figure, factor: float) -> Figure:
    """`factor` times the figure and its ends; what was given is so no longer, but follows."""
    ends = {name: None if (end := getattr(figure, name)) is None else end * factor for name in ("value", "low", "high")}
    return Figure(**ends, level=figure.level, reason=FOLLOWS if figure.reason == GIVEN else figure.reason)


def plain(value: Any) -> Any:
    """Dataclasses, mappings and arrays as JSON holds them: NaN and infinity become None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return json_numbers(value)
