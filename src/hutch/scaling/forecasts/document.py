"""Everything that `hutch forecast` says, as one JSON document."""

from dataclasses import replace
from typing import Any

import numpy as np

from hutch.runs.configuration import plain
from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array
from hutch.scaling.forecasts import published
from hutch.scaling.forecasts.affordability import log_hardware, log_spending
from hutch.scaling.forecasts.anchors import ANCHORS, reweighted
from hutch.scaling.forecasts.configuration import PRESETS, ForecastConfig
from hutch.scaling.forecasts.distributions import Normal
from hutch.scaling.forecasts.explanation import NOTES, TITLE, answer, why
from hutch.scaling.forecasts.forecast import EDGES, Forecast, difference, forecasts_of
from hutch.scaling.forecasts.guesses import guesses
from hutch.scaling.forecasts.median import MedianYear, median_year
from hutch.scaling.forecasts.requirements import DataLaw, Requirements, requirements
from hutch.scaling.forecasts.timeline import arrivals

UPDATED_EXPONENT = 1.0
"""Data in proportion to parameters, the finding of Hoffmann et al. 2022 (arXiv:2203.15556)."""
YEARS = (2030, 2040, 2050, 2100)
"""Where differences of probabilities are given, as far as the horizon reaches."""


def document(
    config: ForecastConfig, *, exponent: Normal | None = None, tokens_per_parameter: float | None = None
) -> dict[str, Any]:
    """The forecast of `config`, of the same with another data exponent, and their difference over the same draws.

    The update moves the mean of the exponent to 1 and leaves its width as it is, unless `exponent` says otherwise: the
    news is about the trend. (A re-implementation also widens it, to 0.5 … 1.5.) Nothing else is updated with it. With
    `tokens_per_parameter`, "reanchored" holds the forecast with the data law itself moved, by `reanchored` on top of
    the update. `BadInput` where the anchors are not those of `ANCHORS`, whatever their terms.
    """
    if [anchor.name for anchor in config.anchors] != [anchor.name for anchor in ANCHORS]:
        raise BadInput(f"a document needs the anchors {', '.join(anchor.name for anchor in ANCHORS)}, in this order")
    exponent = exponent or Normal(UPDATED_EXPONENT, config.data.exponent.sd)
    updated = config.with_exponent(exponent)
    laws = [config.data, updated.data]
    if tokens_per_parameter is not None:
        laws.append(updated.reanchored(tokens_per_parameter).data)
    # Most guesses leave the data law as it is; each law is drawn once.
    drawn_laws = [*laws, *{guess.config.data: None for guess in guesses(config) if guess.config.data not in laws}]
    drawn = requirements(config.anchors, drawn_laws, config.lift, config.draws, config.seed)
    found = forecasts_of(drawn, config, laws)
    baseline, later = found[0], found[1]
    told = _against(baseline, later)
    told["why"] = why(config, exponent, drawn.parameters, told)
    return {
        "kind": "forecast",
        "title": TITLE,
        "answer": answer(baseline, later, told),
        "configuration": plain(config),
        "years": [int(year) for year in baseline.years],
        "requirement_edges": EDGES.tolist(),
        "affordable": _affordable(config),
        "anchors": _anchors(config, drawn.parameters),
        "baseline": baseline.as_dict(),
        "updated": later.as_dict(),
        "difference": told,
        "reanchored": _reanchored(found, tokens_per_parameter),
        "published": _published(baseline),
        "spread": _spread(config, drawn),
        "guesses": _guesses(config, drawn, drawn_laws),
        "notes": list(NOTES),
    }


def _anchors(config: ForecastConfig, parameters: Array) -> list[dict[str, Any]]:
    """The anchors in words, and the sizes of their models."""
    listed = []
    for anchor, sizes in zip(config.anchors, parameters, strict=True):
        size = float(np.median(sizes)) if anchor.data else None
        above = float(np.mean(sizes > config.data.reference_parameters)) if anchor.data else None
        listed.append(
            {
                **{"name": anchor.name, "meaning": anchor.meaning, "weight": anchor.weight},
                **{"log_parameters": size, "share_above_reference": above},
            }
        )
    return listed


def _against(baseline: Forecast, other: Forecast) -> dict[str, Any]:
    """The difference of two forecasts over the same draws, in numbers."""
    gap = difference(baseline, other)
    in_reach = [year for year in YEARS if baseline.years[0] <= year <= baseline.years[-1]]
    rows = []
    for year in in_reach:
        at = year - int(baseline.years[0])
        ends = {name: float(getattr(gap.probability, name)[at]) for name in ("value", "low", "high")}
        rows.append({"year": year, "baseline": baseline.at(year), "updated": other.at(year), "difference": ends})
    medians = gap.median_years.as_dict()
    unknown = [str(f.median) for f in (baseline, other) if f.median.value is None]
    medians["reason"] = f"a median lies outside the forecast: {unknown[0]}" if unknown else None
    names = [anchor.name for anchor in baseline.config.anchors]
    return {
        "median_years": medians,
        "probabilities": rows,
        "level": gap.probability.level,
        "requirement": {name: float(shift) for name, shift in zip(names, gap.requirement, strict=True)},
        "notes": list(gap.notes),
    }


def _reanchored(found: list[Forecast], tokens_per_parameter: float | None) -> dict[str, Any] | None:
    if tokens_per_parameter is None:
        return None
    return {
        "tokens_per_parameter": tokens_per_parameter,
        **found[2].as_dict(),
        "difference": _against(found[0], found[2]),
    }


def _published(baseline: Forecast) -> dict[str, Any]:
    """The published curve, and how far the baseline runs from it."""
    years, probability = published.curve()
    return {
        "source": published.SOURCE,
        "years": [int(year) for year in years],
        "probability": [float(share) for share in probability],
        "median": published.MEDIANS["best-guess"],
        "difference": published.distance(baseline.years, baseline.probability.value).as_dict(),
    }


def _median(drawn: Requirements, config: ForecastConfig, law: int) -> MedianYear:
    """Without an interval: of requirements drawn under the data law of that number."""
    came = arrivals(drawn.needed[law], config)
    return median_year(came.years, came.probability())


def _spread(config: ForecastConfig, drawn: Requirements) -> list[dict[str, Any]]:
    """The median of each preset, with the algorithms, draws and horizon of `config`, beside the published ones."""
    rows = []
    for name, make in PRESETS.items():
        chosen = make()
        weights = {anchor.name: anchor.weight for anchor in chosen.anchors}
        asked = replace(
            config,
            anchors=reweighted(config.anchors, weights),
            spending=chosen.spending,
            hardware=chosen.hardware,
        )
        came = arrivals(drawn.needed[0], asked)
        probability = came.probability()
        rows.append(
            {
                "preset": name,
                "changes": (make.__doc__ or "").split("\n")[0],
                "median": median_year(came.years, probability).as_dict(),
                "probability": probability.tolist(),
                "published": published.MEDIANS[name],
            }
        )
    return rows


def _affordable(config: ForecastConfig) -> list[dict[str, Any]]:
    """log10 FLOP that the largest training run can buy, before algorithms save any."""
    years = np.array([year for year in (2025, 2050, 2100) if config.first_year <= year <= config.until], dtype=float)
    bought = log_spending(years, config.spending) + log_hardware(years, config.hardware)
    return [{"year": int(year), "log_flop": float(flop)} for year, flop in zip(years, bought, strict=True)]


def _guesses(config: ForecastConfig, drawn: Requirements, laws: list[DataLaw]) -> list[dict[str, Any]]:
    """Each soft spot with the median that its alternative gives; `laws` are those of `drawn`."""
    base = _median(drawn, config, 0)
    rows = []
    for guess in guesses(config):
        median = _median(drawn, guess.config, laws.index(guess.config.data))
        shift = None if base.value is None or median.value is None else median.value - base.value
        rows.append(
            {
                **{"name": guess.name, "used": guess.used, "why": guess.why, "alternative": guess.alternative},
                "median": median.as_dict(),
                "shift_years": shift,
            }
        )
    return rows
