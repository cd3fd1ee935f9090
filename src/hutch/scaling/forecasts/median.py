"""The median year, where there is one before the horizon."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hutch.scaling.columns import Array
from hutch.scaling.forecasts.timeline import crossings
from hutch.scaling.intervals import json_numbers


@dataclass(frozen=True, kw_only=True)
class MedianYear:
    """When the cumulative probability passes one half.

    `low` and `high` hold the Monte Carlo error alone, which more draws make as small as one likes. They say nothing of
    how right the model is.
    """

    year: int | None
    """The first year at or above one half; None outside the years of the forecast."""
    value: float | None
    """The crossing itself, linear between that year and the one before."""
    low: float | None = None
    high: float | None = None
    level: float | None = None
    reason: str | None = None
    """Why there is no year, such as "after 2100"."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "year": self.year,
            **{name: json_numbers(getattr(self, name)) for name in ("value", "low", "high", "level")},
            "reason": self.reason,
        }

    def __str__(self) -> str:
        return str(self.reason if self.year is None else self.year)


def median_year(years: Array, curve: Array, resamples: Array | None = None, level: float | None = None) -> MedianYear:
    """Of a cumulative curve [years], with its interval over resampled curves [resamples, years] if there are any."""
    value = float(crossings(years, curve))
    if value == math.inf:
        return MedianYear(year=None, value=None, reason=f"after {years[-1]:.0f}")
    if value == -math.inf:
        return MedianYear(year=None, value=None, reason=f"{years[0]:.0f} or before")
    year = int(years[int(np.argmax(curve >= 0.5))])
    if resamples is None or level is None:
        return MedianYear(year=year, value=value)
    ordered = np.sort(crossings(years, resamples))
    ends = [ordered[round(q * (len(ordered) - 1))] for q in ((1 - level) / 2, (1 + level) / 2)]
    low, high = (float(end) if math.isfinite(end) else None for end in ends)
    return MedianYear(year=year, value=value, low=low, high=high, level=level)
