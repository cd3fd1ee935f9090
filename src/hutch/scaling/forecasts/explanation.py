"""A forecast in words: what it answers, why it moves as it does, and what must be known to read it."""

from typing import Any

import numpy as np

from hutch.scaling.columns import Array
from hutch.scaling.forecasts.configuration import ForecastConfig
from hutch.scaling.forecasts.distributions import Normal
from hutch.scaling.forecasts.forecast import Forecast

TITLE = "When could the training compute for a transformative model be afforded?"
NOTES = (
    "The Monte Carlo intervals hold the error of a finite number of draws and nothing else. How unsure the forecast is "
    "shows in the spread between the presets and in what each guess moves.",
    "The presets change only what the sources name, and how the other weights make room for short is a guess. The "
    "published aggressive and conservative medians lie further apart: the spread of the model is wider than shown.",
    "The exponent is updated for every anchor whose data grow with its model. A re-implementation leaves genome out, "
    "and its median then moves a little further.",
    "All parameters of the model come from public re-implementations and summaries of Cotra 2020, not from the report.",
    "The model counts compute alone: no year in it is one in which such a model would be built, only one in which its "
    "training could be paid for.",
)


def answer(baseline: Forecast, updated: Forecast, difference: dict[str, Any]) -> str:
    """The forecast in one or two sentences."""
    before, after = (f"{f.config.data.exponent.mean:.2f}" for f in (baseline, updated))
    years = difference["median_years"]["value"]
    if years is None:
        moved = ""
    elif abs(years) < 0.05:
        moved = ", the same"
    else:
        moved = f", {abs(years):.1f} years {'later' if years > 0 else 'sooner'}"
    return (
        f"With a data exponent of {before} the training compute is affordable with even odds "
        f"{_when(baseline)}; with {after} {_when(updated)}{moved}. "
        f"By {baseline.years[-1]:.0f} the odds are {_percent(baseline)} and {_percent(updated)}."
    )


def _when(forecast: Forecast) -> str:
    return f"in {forecast.median}" if forecast.median.year is not None else str(forecast.median)


def _percent(forecast: Forecast) -> str:
    return f"{100 * forecast.probability.value[-1]:.1f} %"


def why(config: ForecastConfig, exponent: Normal, parameters: Array, difference: dict[str, Any]) -> str:
    """Why the median moves in the direction in which it does; `parameters` is log10 P, [anchors, n]."""
    law, rise = config.data, exponent.mean - config.data.exponent.mean
    if abs(rise) < 1e-9:
        return "The mean of the exponent is the same, so only its width can move anything."
    sizes = {
        anchor.name: float(np.median(row))
        for anchor, row in zip(config.anchors, parameters, strict=True)
        if anchor.data
    }
    large = {name: size for name, size in sizes.items() if size > law.reference_parameters}
    small = {name: size for name, size in sizes.items() if size <= law.reference_parameters}
    asks, others = ("more", "less") if rise > 0 else ("less", "more")
    words = [
        f"The size of a model is fixed here by the brain or the genome, not chosen for a budget. The data law pivots "
        f"on 10^{law.reference_parameters:g} parameters: above it a {'larger' if rise > 0 else 'smaller'} exponent "
        f"asks for {asks} data for the same model, below it for {others}."
    ]
    if large:
        words.append(f"{_names(large)} above, and {_needs(large, difference)}.")
    if small:
        words.append(f"{_names(small)} below, and {_needs(small, difference)}.")
    years = difference["median_years"]["value"]
    if years is not None and abs(years) >= 0.05:
        words.append(f"Together the median comes {'later' if years > 0 else 'sooner'}.")
    if rise > 0:
        words.append("In the usual reading the budget is fixed, and the same finding makes the best model smaller.")
    return " ".join(words)


def _names(sizes: dict[str, float]) -> str:
    listed = ", ".join(sizes)
    return (
        f"{listed[0].upper()}{listed[1:]} (median 10^{np.mean(list(sizes.values())):.1f}) lie{'s' * (len(sizes) == 1)}"
    )


def _needs(sizes: dict[str, float], difference: dict[str, Any]) -> str:
    shift = float(np.mean([difference["requirement"][name] for name in sizes]))
    verb = "needs" if len(sizes) == 1 else "need"
    return f"{verb} {abs(shift):.1f} OOM {'more' if shift > 0 else 'less'} compute"
