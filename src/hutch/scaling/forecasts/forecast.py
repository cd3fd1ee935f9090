"""A forecast: the probability of each year, the median, and what each anchor asks for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hutch.runs import seeds
from hutch.scaling.columns import Array
from hutch.scaling.forecasts.configuration import ForecastConfig
from hutch.scaling.forecasts.median import MedianYear, median_year
from hutch.scaling.forecasts.requirements import DataLaw, Requirements, requirements
from hutch.scaling.forecasts.timeline import Arrivals, arrivals, crossings, resampled
from hutch.scaling.intervals import Interval, lost_note, percentile_interval

PERCENTILES = (10, 50, 90)
EDGES = np.arange(20.0, 76.5, 0.5)
"""log10 FLOP between which the draws of a requirement are counted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast:
    """What one configuration gives; intervals are Monte Carlo errors at its level."""

    config: ForecastConfig
    years: Array
    """[years]"""
    probability: Interval
    """Cumulative, arrays [years]."""
    median: MedianYear
    by_horizon: Array
    """Of each anchor's draws, the share reached by the last year, [anchors]."""
    percentiles: Array
    """10th, 50th and 90th percentile of log10 F, [anchors, 3]."""
    counted: Array
    """Of each anchor's draws, the share between neighbouring `EDGES`, [anchors, edges − 1]."""
    curves: Array
    """Cumulative probabilities of the resamples, [resamples, years]."""

    @property
    def never(self) -> float:
        """The probability that the horizon comes first."""
        return float(1 - self.probability.value[-1])

    def at(self, year: int) -> float:
        """The cumulative probability of a year of the forecast."""
        return float(self.probability.value[year - int(self.years[0])])

    def as_dict(self) -> dict[str, Any]:
        law = self.config.data
        low, high = law.exponent.interval
        return {
            "data_exponent": {"mean": law.exponent.mean, "low": low, "high": high, "level": 0.9},
            "reference_parameters": law.reference_parameters,
            "reference_samples": law.reference_samples,
            "probability": self.probability.as_dict(),
            "median": self.median.as_dict(),
            "never_by_horizon": self.never,
            "requirement": {
                anchor.name: {
                    **{f"p{p}": float(v) for p, v in zip(PERCENTILES, row, strict=True)},
                    "reached_by_horizon": float(share),
                    "counted": counted.tolist(),
                }
                for anchor, row, share, counted in zip(
                    self.config.anchors, self.percentiles, self.by_horizon, self.counted, strict=True
                )
            },
        }


def forecast(config: ForecastConfig) -> Forecast:
    """The forecast of one configuration."""
    return forecasts(config, [config.data])[0]


def forecasts(config: ForecastConfig, laws: Sequence[DataLaw]) -> list[Forecast]:
    """One forecast for each data law, all else equal, over the same draws and the same resamples of them."""
    drawn = requirements(config.anchors, laws, config.lift, config.draws, config.seed)
    return forecasts_of(drawn, config, laws)


def forecasts_of(drawn: Requirements, config: ForecastConfig, laws: Sequence[DataLaw]) -> list[Forecast]:
    """The same from requirements drawn before, the first of which belong to `laws` in their order."""
    came = [arrivals(drawn.needed[i], config) for i in range(len(laws))]
    curves = resampled(came, config.resamples, seeds.generator(config.seed, "forecast-resamples"))
    return [_forecast(replace(config, data=law), drawn.needed[i], came[i], curves[i]) for i, law in enumerate(laws)]


def _forecast(config: ForecastConfig, needed: Array, came: Arrivals, curves: Array) -> Forecast:
    probability = came.probability()
    return Forecast(
        config=config,
        years=came.years,
        probability=percentile_interval(probability, curves, config.level),
        median=median_year(came.years, probability, curves, config.level),
        by_horizon=came.shares()[:, -1],
        percentiles=np.percentile(needed, PERCENTILES, axis=1).T,
        counted=np.stack([np.histogram(row, EDGES)[0] for row in needed]) / needed.shape[1],
        curves=curves,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Difference:
    """A forecast minus a baseline over the same draws; the intervals are those of the difference."""

    median_years: Interval
    """Years by which the median comes later; NaN where either has none before the horizon."""
    probability: Interval
    """Of the cumulative probabilities, arrays [years]."""
    requirement: Array
    """Of the medians of log10 F, [anchors]."""
    notes: tuple[str, ...] = ()


def difference(baseline: Forecast, updated: Forecast) -> Difference:
    """How far `updated` differs from `baseline`; both come from one call of `forecasts`."""
    level = baseline.config.level
    values = [f.median.value if f.median.value is not None else np.nan for f in (baseline, updated)]
    with np.errstate(invalid="ignore"):
        shifts = crossings(updated.years, updated.curves) - crossings(baseline.years, baseline.curves)
    known = np.isfinite(values).all()
    shifts = np.where(np.isfinite(shifts) & known, shifts, np.nan)
    lost = float(np.isnan(shifts).mean()) if known else None
    return Difference(
        median_years=percentile_interval(values[1] - values[0], shifts, level),
        probability=percentile_interval(
            updated.probability.value - baseline.probability.value, updated.curves - baseline.curves, level
        ),
        requirement=updated.percentiles[:, 1] - baseline.percentiles[:, 1],
        notes=tuple(lost_note(lost, "median before the horizon")),
    )
