"""What the ledger says: the three fits, the prediction for the held-out budget, and whether it held.

Reads the ledger and nothing else; equal ledgers give equal documents.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hutch.lm import ModelConfig
from hutch.runs import BadInput, LedgerRow
from hutch.scaling import (
    Curve,
    EnvelopeFit,
    Interval,
    ParametricFit,
    ProfilesFit,
    RunTable,
    fit_envelope,
    fit_parametric,
    fit_profiles,
)
from hutch.scaling.fits.envelope import LAST_PART
from hutch.scaling.laws import FLOPS_PER_ND
from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig
from hutch.studies.counting import count, flops_per_token


@dataclass(frozen=True)
class Fits:
    """The three approaches on the runs of the fitted budgets. One that the data cannot carry is None, with the
    reason in `reasons`."""

    profiles: ProfilesFit | None
    envelope: EnvelopeFit | None
    parametric: ParametricFit | None
    reasons: dict[str, str]
    flops_per_nd: float
    """Median of FLOPs / (parameters × tokens): what 6 is in C = 6ND, in this study's count of FLOPs."""

    def best(self) -> tuple[str, Any] | None:
        """The fit that predicts: approach 2, which assumes least about the loss, or else 3, or else 1, whose envelope
        is ragged where runs are few."""
        for name in ("profiles", "parametric", "envelope"):
            fit = getattr(self, name)
            if fit is not None and fit.a is not None:
                return name, fit
        return None


def done(rows: Sequence[LedgerRow], *roles: str) -> list[LedgerRow]:
    """The rows of these roles that ended well."""
    return [row for row in rows if row.role in roles and row.status == "done"]


def model_of(row: LedgerRow) -> ModelConfig:
    """The model that a row's run trained."""
    return ModelConfig(**row.config["model"])


def table_of(runs: Sequence[LedgerRow]) -> RunTable:
    """Finished runs as the table that the fits take; `BadInput` where there is none."""
    return RunTable.of(
        parameters=[count(model_of(row)) for row in runs],
        tokens=np.array([row.tokens for row in runs], float),
        flops=np.array([row.flops for row in runs], float),
        loss=np.array([row.loss for row in runs], float),
        budget=[row.budget for row in runs],
    )


def fit_all(config: ComputeOptimalConfig, rows: Sequence[LedgerRow]) -> Fits:
    """The three approaches on the finished runs of the fitted budgets."""
    runs = done(rows, "profile")
    options: dict[str, Any] = {"bootstraps": config.bootstraps, "level": config.level, "seed": config.seed}
    attempts = {
        # Scale smoke affords three budgets; what a law through three is worth, its claims say.
        "profiles": lambda: fit_profiles(table_of(runs), minimum_budgets=3, **options),
        "envelope": lambda: fit_envelope([curve_of(row) for row in runs], last_part=LAST_PART, **options),
        "parametric": lambda: fit_parametric(table_of(runs), **options),
    }
    found: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name, attempt in attempts.items():
        try:
            found[name] = attempt()
            if found[name].reason:
                reasons[name] = found[name].reason
        except BadInput as error:
            found[name], reasons[name] = None, str(error)
    ratio = table_of(runs).flops_per_nd if runs else FLOPS_PER_ND
    return Fits(found["profiles"], found["envelope"], found["parametric"], reasons, ratio)


def curve_of(row: LedgerRow) -> Curve:
    """The training curve of a finished run: loss of each batch against tokens and FLOPs at its end."""
    model = model_of(row)
    losses = np.asarray(row.curve, float)
    tokens = row.config["sequences"] * model.context * np.arange(1, len(losses) + 1, dtype=float)
    return Curve(parameters=float(count(model)), flops=tokens * flops_per_token(model), tokens=tokens, loss=losses)


def predicted_optimum(config: ComputeOptimalConfig, fits: Fits) -> tuple[str, Interval, Interval] | None:
    """(approach, parameters, tokens) at the held-out budget; None where no approach has a law."""
    best = fits.best()
    if best is None:
        return None
    name, fit = best
    return name, fit.n_opt(config.holdout_budget), fit.d_opt(config.holdout_budget)


def extrapolation(config: ComputeOptimalConfig, fits: Fits, rows: Sequence[LedgerRow]) -> dict[str, Any]:
    """The held-out budget: what the fits said, and what training there gave."""
    document: dict[str, Any] = {"budget": config.holdout_budget, "reason": None}
    predicted = predicted_optimum(config, fits)
    if predicted is None:
        return document | {"reason": "no approach gave a law: " + "; ".join(sorted(set(fits.reasons.values())))}
    approach, parameters, tokens = predicted
    document |= {
        "approach": approach,
        "parameters_predicted": parameters.as_dict(),
        "tokens_predicted": tokens.as_dict(),
    }
    loss = _loss_predicted(config, fits)
    optimal = done(rows, "optimal")
    document["loss_predicted"] = loss.as_dict() if loss else None
    document["loss_measured"] = optimal[0].loss if optimal else None
    document["loss_error"] = loss.value - optimal[0].loss if loss and optimal else None
    return document | _measured_optimum(config, rows, parameters)


def _loss_predicted(config: ComputeOptimalConfig, fits: Fits) -> Interval | None:
    if fits.profiles is not None and fits.profiles.frontier is not None:
        return fits.profiles.loss_opt(config.holdout_budget)
    if fits.parametric is not None and fits.parametric.a is not None:
        return fits.parametric.loss_opt(config.holdout_budget)
    return None


def _measured_optimum(config: ComputeOptimalConfig, rows: Sequence[LedgerRow], predicted: Interval) -> dict[str, Any]:
    """The optimum at the held-out budget by a parabola through the runs there, where there are enough of them."""
    runs = done(rows, "optimal", "holdout", "gopher-like")
    if len(runs) < 4:
        return {
            "parameters_measured": None,
            "parameters_error": None,
            "measured_reason": f"{len(runs)} models were trained at the held-out budget; a parabola needs 4",
        }
    options: dict[str, Any] = {"bootstraps": config.bootstraps, "level": config.level, "seed": config.seed}
    fit = fit_profiles(table_of(runs), **options).profiles[0]
    if fit.n_opt is None:
        return {"parameters_measured": None, "parameters_error": None, "measured_reason": fit.reason}
    return {
        "parameters_measured": fit.n_opt.as_dict(),
        "parameters_error": predicted.value / fit.n_opt.value,
        "measured_reason": None,
    }


def bands(config: ComputeOptimalConfig, fits: Fits, points: int = 40) -> dict[str, Any]:
    """Parameters and tokens of each approach from below the smallest budget to above the held-out one."""
    compute = np.geomspace(config.budgets[0] / 1.5, config.holdout_budget * 1.5, points)
    document: dict[str, Any] = {"compute": compute.tolist()}
    for name in ("profiles", "envelope", "parametric"):
        fit = getattr(fits, name)
        known = fit is not None and fit.a is not None
        document[name] = (
            {"parameters": _band(fit.n_opt(compute)), "tokens": _band(fit.d_opt(compute))} if known else None
        )
    return document


def _band(interval: Interval) -> dict[str, list[float | None]]:
    values = interval.as_dict()
    return {name: values[name] for name in ("value", "low", "high")}


def per_decade(exponent: Interval) -> Interval:
    """What ten times the compute multiplies a size by: 10 to the exponent."""
    return Interval(
        10**exponent.value,
        10**exponent.low if math.isfinite(exponent.low) else exponent.low,
        10**exponent.high if math.isfinite(exponent.high) else exponent.high,
        exponent.level,
    )
