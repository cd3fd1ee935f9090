"""When: from requirements to the probability of each year, with the error of the Monte Carlo.

The draws are stratified: every anchor has the same number of them, and the probability of a year is the weighted mean
over the anchors of the share of draws reached by then. Resampling draws whole, within each anchor, gives the Monte
Carlo error (Efron and Tibshirani 1993, §8), and for two forecasts over the same draws that of their difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hutch.scaling.columns import Array
from hutch.scaling.forecasts.affordability import first_years
from hutch.scaling.forecasts.configuration import ForecastConfig


@dataclass(frozen=True, kw_only=True, eq=False)
class Arrivals:
    """The first year in which each draw is affordable."""

    years: Array
    """[years]"""
    weights: Array
    """[anchors]"""
    first: NDArray[np.int16]
    """Indices into `years`, len(years) where the horizon comes first, [anchors, draws]."""

    def shares(self) -> Array:
        """Of each anchor's draws, those reached by each year, [anchors, years]."""
        counts = np.stack([np.bincount(row, minlength=len(self.years) + 1) for row in self.first])
        return counts[:, :-1].cumsum(1) / self.first.shape[1]

    def probability(self) -> Array:
        """Cumulative, [years]."""
        return self.weights @ self.shares()


def arrivals(needed: Array, config: ForecastConfig) -> Arrivals:
    """When requirements (log10 F, [anchors, draws]) become affordable."""
    years = np.arange(config.first_year, config.until + 1, dtype=np.float64)
    first = np.stack(
        [
            first_years(row, anchor, years, config.spending, config.hardware, config.algorithms)
            for row, anchor in zip(needed, config.anchors, strict=True)
        ]
    )
    return Arrivals(years=years, weights=np.array([a.weight for a in config.anchors]), first=first)


def resampled(forecasts: Sequence[Arrivals], resamples: int, random: np.random.Generator) -> Array:
    """Cumulative probabilities of forecasts over resamples of their common draws, [forecasts, resamples, years].

    Draws that fall in the same year in every forecast are alike, so a resample is one multinomial over such groups.
    """
    years = len(forecasts[0].years)
    curves = np.zeros((len(forecasts), resamples, years))
    for anchor in range(len(forecasts[0].first)):
        alike, count = np.unique(
            np.ravel_multi_index([f.first[anchor].astype(np.int64) for f in forecasts], (years + 1,) * len(forecasts)),
            return_counts=True,
        )
        total = int(count.sum())
        shares = random.multinomial(total, count / total, size=resamples) / total
        for f, falls in enumerate(np.unravel_index(alike, (years + 1,) * len(forecasts))):
            by_year = np.zeros((len(alike), years + 1))
            by_year[np.arange(len(alike)), falls] = 1.0
            curves[f] += forecasts[f].weights[anchor] * (shares @ by_year)[:, :-1].cumsum(1)
    return curves


def crossings(years: Array, curves: Array) -> Array:
    """The time at which each cumulative curve [..., years] crosses one half, linear between years, [...].

    +inf where it stays below to the last year, −inf where it begins at or above one half.
    """
    above = curves >= 0.5
    after = above.argmax(-1)
    before = np.maximum(after - 1, 0)
    low = np.take_along_axis(curves, before[..., None], -1)[..., 0]
    high = np.take_along_axis(curves, after[..., None], -1)[..., 0]
    rise = np.where(high > low, high - low, 1.0)
    crossed = years[before] + (years[after] - years[before]) * (0.5 - low) / rise
    return np.where(~above[..., -1], np.inf, np.where(above[..., 0], -np.inf, crossed))
