"""Holding out by size: fit the smaller runs, predict the larger ones, and say how far off the prediction was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hutch.runs import seeds
from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, positive_number
from hutch.scaling.comparing import ComparesArrays
from hutch.scaling.curves import Curve
from hutch.scaling.fits.allocation import Allocates
from hutch.scaling.fits.envelope import fit_envelope
from hutch.scaling.fits.parametric import fit_parametric
from hutch.scaling.fits.profiles import fit_profiles
from hutch.scaling.intervals import Interval, json_numbers, percentile_interval
from hutch.scaling.run_table import RunTable

Quantity = Literal["loss", "parameters"]
_TESTS = 5
"""Fewer tests are too few to resample: their errors get no interval."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Holdout(ComparesArrays):
    """What a law fitted below `above` FLOP said of what lies above.

    `flops`, `measured` and `predicted` (a band) have one entry a thing predicted: a run's loss, or a budget's
    best size. `mean_absolute_error` and `bias` are of predicted/measured − 1, their intervals over resampled
    tests; how unsure the fit is shows in the bands of `predicted`. `reach` is the largest test's FLOP over the
    largest fitted run's. Where nothing could be fitted or tested they are None and `reason` says why.
    """

    above: float
    quantity: Quantity
    fitted: int
    tested: int = 0
    reach: float | None = None
    flops: Array | None = None
    measured: Array | None = None
    predicted: Interval | None = None
    mean_absolute_error: Interval | None = None
    bias: Interval | None = None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; the predictions as "rows" of {"flops", "measured", "predicted"}."""
        errors = {name: getattr(self, name) for name in ("mean_absolute_error", "bias")}
        return {
            **{name: getattr(self, name) for name in ("above", "quantity", "fitted", "tested", "reason")},
            "reach": json_numbers(self.reach),
            **{name: error.as_dict() if error else None for name, error in errors.items()},
            "rows": self._rows(),
        }

    def _rows(self) -> list[dict[str, Any]]:
        if self.flops is None or self.measured is None or self.predicted is None:
            return []
        band, level = self.predicted, self.predicted.level
        return [
            {
                "flops": float(self.flops[i]),
                "measured": float(self.measured[i]),
                "predicted": Interval(band.value[i], band.low[i], band.high[i], level).as_dict(),
            }
            for i in range(len(self.flops))
        ]


def hold_out_parametric(runs: RunTable, above: float, **options: Any) -> Holdout:
    """Approach 3 on the runs below `above` FLOP, the loss of each run from there on; `options` are
    `fit_parametric`'s."""
    small, large = _split(runs, above)
    known: dict[str, Any] = {"above": above, "quantity": "loss", "fitted": len(small)}
    fit = fit_parametric(small, **options)
    if fit.law is None:
        return Holdout(**known, reason=fit.reason)
    n, d = large.parameters, large.tokens
    with np.errstate(over="ignore", invalid="ignore"):
        E, A, B, alpha, beta = (column[:, None] for column in fit.draws.T)
        draws = E + A * n**-alpha + B * d**-beta
    return _compared(
        known, small.flops.max(), large.flops, large.loss, fit.law.loss(n, d), draws, fit.level, options.get("seed", 0)
    )


def hold_out_profiles(runs: RunTable, above: float, *, quantity: Quantity = "parameters", **options: Any) -> Holdout:
    """Approach 2 on the budgets below `above` FLOP; the best size of each budget from there on, or its lowest
    loss. `options` are `fit_profiles`'s."""
    runs = runs.with_budgets()
    assert runs.budget is not None
    if not np.isfinite(runs.budget).any():
        raise BadInput("no run belongs to a budget")
    small, large = _split(runs.select(np.isfinite(runs.budget)), above)
    known: dict[str, Any] = {"above": above, "quantity": quantity, "fitted": len(small)}
    fit, whole = fit_profiles(small, **options), fit_profiles(large, **options)
    if fit.allocation is None or (quantity == "loss" and fit.frontier is None):
        return Holdout(**known, reason=fit.reason or "the minima do not fall")
    if not whole.used:
        refused = "; ".join(f"{profile.budget:.3g}: {profile.reason}" for profile in whole.profiles)
        return Holdout(**known, reason=f"no budget above has a minimum inside: {refused}")
    flops = np.array([profile.compute for profile in whole.used])
    vertex = np.array([profile.vertex for profile in whole.used])
    if quantity == "loss":
        assert fit.frontier is not None
        predicted, draws, measured = fit.frontier.loss_at(flops), fit.frontier.loss_draws(flops), vertex[:, 2]
    else:
        predicted, draws, measured = *_sizes(fit, flops), np.exp(vertex[:, 0])
    level, seed = fit.allocation.level, options.get("seed", 0)
    return _compared(known, small.flops.max(), flops, measured, predicted, draws, level, seed)


def hold_out_envelope(curves: Sequence[Curve], above: float, **options: Any) -> Holdout:
    """Approach 1 on the runs that end below `above` FLOP; the best size on the envelope of all runs from there
    on. `options` are `fit_envelope`'s."""
    if not curves:
        raise BadInput("no training curves to hold out from")
    ends = np.array([curve.flops[-1] for curve in curves])
    small = [curve for curve, end in zip(curves, ends, strict=True) if end < above]
    _check_sides(len(small), len(curves) - len(small), above, float(ends.min()), float(ends.max()))
    known: dict[str, Any] = {"above": above, "quantity": "parameters", "fitted": len(small)}
    fit, whole = fit_envelope(small, **options), fit_envelope(curves, **options)
    if fit.allocation is None:
        return Holdout(**known, reason=fit.reason)
    late = whole.used & (whole.flops >= above)
    if not late.any():
        return Holdout(**known, reason="no point of the envelope that counts lies above")
    predicted, draws = _sizes(fit, whole.flops[late])
    level, seed = fit.allocation.level, options.get("seed", 0)
    return _compared(
        known, max(c.flops[-1] for c in small), whole.flops[late], whole.n[late], predicted, draws, level, seed
    )


def _split(runs: RunTable, above: float) -> tuple[RunTable, RunTable]:
    positive_number("holdout-above", above)
    where = runs.flops if runs.budget is None else np.where(np.isfinite(runs.budget), runs.budget, runs.flops)
    large = where >= above
    _check_sides(int(np.sum(~large)), int(np.sum(large)), above, float(where.min()), float(where.max()))
    return runs.select(~large), runs.select(large)


def _check_sides(small: int, large: int, above: float, least: float, most: float) -> None:
    if not small or not large:
        side = "below" if not small else "at or above"
        raise BadInput(f"nothing lies {side} {above:g} FLOP to hold out by: the runs spent {least:.3g} to {most:.3g}")


def _sizes(fit: Allocates, flops: Array) -> tuple[Array, Array]:
    """N_opt [flops] and its draws [bootstraps, flops]."""
    allocation = fit.allocation
    assert allocation is not None
    with np.errstate(over="ignore"):
        draws = np.exp(allocation.draws[:, :1] + allocation.draws[:, 1:2] * np.log(flops))
    return np.exp(allocation.lines[0] + allocation.lines[1] * np.log(flops)), draws


def _compared(
    known: dict[str, Any],
    largest_fitted: float,
    flops: Array,
    measured: Array,
    predicted: Array,
    draws: Array,
    level: float,
    seed: int,
) -> Holdout:
    """The errors of `predicted` [tests] with intervals from `draws` [bootstraps, tests]."""
    off = predicted / measured - 1
    picks = seeds.generator(seed, "holdout").integers(len(off), size=(len(draws), len(off)))

    def interval(errors: Array) -> Interval:
        drawn = errors[picks].mean(1) if len(off) >= _TESTS else np.empty(0)
        return percentile_interval(float(errors.mean()), drawn, level)

    return Holdout(
        **known,
        tested=len(measured),
        reach=float(flops.max() / largest_fitted),
        flops=flops,
        measured=measured,
        predicted=percentile_interval(predicted, draws, level),
        mean_absolute_error=interval(np.abs(off)),
        bias=interval(off),
    )
