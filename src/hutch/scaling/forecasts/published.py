"""Published figures of the bio anchors report, to check a forecast against."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from hutch.scaling.columns import Array

SOURCE = (
    "Cotra 2020, the best-guess line of the report's sheet, as copied into epoch-research/ftm "
    "(ftm/stats/distributions.py)"
)
FIRST_YEAR = 2024
# fmt: off
PERCENT: tuple[float, ...] = (
    2.00, 2.62, 3.33, 4.20, 5.23, 6.40,
    7.72, 9.13, 10.64, 12.26, 13.98, 15.78, 17.69, 19.66, 21.68, 23.78,
    25.90, 28.06, 30.24, 32.37, 34.48, 36.53, 38.52, 40.41, 42.27, 44.01,
    45.68, 47.24, 48.73, 50.14, 51.51, 52.80, 54.04, 55.23, 56.40, 57.50,
    58.53, 59.60, 60.60, 61.56, 62.52, 63.48, 64.37, 65.24, 66.10, 66.96,
    67.74, 68.52, 69.28, 70.00, 70.66, 71.32, 71.92, 72.47, 72.93, 73.39,
    73.81, 74.18, 74.50, 74.80, 75.04, 75.27, 75.46, 75.66, 75.86, 76.02,
    76.17, 76.34, 76.48, 76.63, 76.79, 76.95, 77.10, 77.22, 77.38, 77.53,
    77.65,
)
# fmt: on
"""Cumulative probability of each year from 2024 to 2100, per cent."""

MEDIANS: dict[str, dict[str, int]] = {
    "aggressive": {"computed": 2036, "reported": 2040},
    "best-guess": {"computed": 2052, "reported": 2052},
    "conservative": {"computed": 2100, "reported": 2090},
}
"""Median years of the three published settings, as the sheet computed and as the author reported them."""


@dataclass(frozen=True, kw_only=True)
class Distance:
    """How far a curve runs from the published one, in percentage points, over the years that both have."""

    largest: float
    """The largest absolute difference."""
    year: int
    """Where it is."""
    rms: float
    """The root of the mean square."""
    first: int
    last: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "max_points": self.largest,
            "max_year": self.year,
            "rms_points": self.rms,
            "years": [self.first, self.last],
        }


def curve() -> tuple[Array, Array]:
    """The years and the published cumulative probability in each, as shares."""
    years = np.arange(FIRST_YEAR, FIRST_YEAR + len(PERCENT), dtype=np.float64)
    return years, np.array(PERCENT) / 100


def distance(years: Array, probability: Array) -> Distance:
    """From the published curve, over the years in common, of which there must be one."""
    theirs_at, theirs = curve()
    both, ours_index, their_index = np.intersect1d(years, theirs_at, return_indices=True)
    points = 100 * (probability[ours_index] - theirs[their_index])
    at = int(np.abs(points).argmax())
    return Distance(
        largest=float(np.abs(points[at])),
        year=int(both[at]),
        rms=float(np.sqrt(np.mean(points**2))),
        first=int(both[0]),
        last=int(both[-1]),
    )
