"""What is asked of a table of runs: which approaches, with which options; and the fits, or why there are none."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.columns import check_bootstrap, positive_number
from hutch.scaling.fits.envelope import fit_envelope
from hutch.scaling.fits.holdout import Holdout, hold_out_envelope, hold_out_parametric, hold_out_profiles
from hutch.scaling.fits.objective import Residuals
from hutch.scaling.fits.parametric import fit_parametric
from hutch.scaling.fits.profiles import MINIMUM_BUDGETS, fit_profiles
from hutch.scaling.fits.restriction import FloorPrior
from hutch.scaling.fits.saved import Fit
from hutch.scaling.fits.valleys import Method
from hutch.scaling.intervals import json_numbers
from hutch.scaling.run_table import RunTable

Approach = Literal["envelope", "isoflop", "parametric"]
APPROACHES: tuple[Approach, ...] = get_args(Approach)


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """Everything that a fit depends on beside the table."""

    approaches: tuple[Approach, ...] = APPROACHES
    """Which of the three; several are fitted side by side."""
    bootstraps: int = 1000
    """Resamples behind each interval."""
    level: float = 0.8
    """Share of the resamples that an interval holds."""
    seed: int = 0
    """Of the resamples."""
    pairs: bool = False
    """Approaches 2 and 3: draw runs with replacement, instead of their own ways (`fit_profiles`, `fit_parametric`)."""
    drop_top_loss: int = 0
    """Rows with the highest losses to leave out, as Besiroglu et al. 2024 leave out 5."""
    residuals: Residuals = "log"
    """Approach 3: of ln loss, or raw."""
    delta: float = 1e-3
    """Approach 3: where the Huber loss turns linear; infinite for least squares."""
    tied: bool = False
    """Approach 3: hold α = β."""
    floor: float | None = None
    """Approach 3: hold E, nats per token."""
    floor_prior: FloorPrior | None = None
    """Approach 3: what is known of E beforehand."""
    subsample: float | None = None
    """Approach 3: intervals from draws of this share of the runs without replacement (Hoffmann: 0.8)."""
    method: Method = "parabola"
    """Approach 2: how a profile's minimum is found."""
    within: float | None = None
    """Approach 2: only runs within this factor in size of the profile's minimum."""
    minimum_budgets: int = MINIMUM_BUDGETS
    """Approach 2: usable budgets below which there is no law."""
    window: float = 10.0
    """Approach 1: standard deviation of the smoothing, in points of the curve."""
    points: int = 1500
    """Approach 1: log-spaced FLOPs at which the lowest curve is found."""
    keep_edges: bool = False
    """Approach 1: keep points won by the smallest or largest size that competes."""
    last_part: float = 1.0
    """Approach 1: only points in this last share of their run."""
    holdout_above: float | None = None
    """FLOP from which runs are held out and predicted."""
    at: tuple[float, ...] = ()
    """FLOPs at which to print the optimum."""

    def __post_init__(self) -> None:
        check_bootstrap(self.bootstraps, self.level)
        if self.drop_top_loss < 0:
            raise BadInput(f"drop-top-loss is {self.drop_top_loss}; a number of rows from 0 is needed")
        if not self.delta > 0:
            raise BadInput(f"delta is {self.delta:g}; a number above 0 is needed")
        if self.subsample is not None and not 0 < self.subsample < 1:
            raise BadInput(f"subsample is {self.subsample:g}; a share between 0 and 1 is needed, such as 0.8")
        if not (math.isfinite(self.window) and self.window >= 0):
            raise BadInput(f"window is {self.window:g}; a number of points from 0 is needed")
        if not 0 < self.last_part <= 1:
            raise BadInput(f"last-part is {self.last_part:g}; a share above 0 and up to 1 is needed")
        if self.minimum_budgets < 3:
            raise BadInput(f"minimum-budgets is {self.minimum_budgets}; a line through two budgets cannot be tested")
        for name in ("at", "floor", "within", "holdout_above"):
            value = getattr(self, name)
            for number in value if isinstance(value, tuple) else [value] if value is not None else []:
                positive_number(name.replace("_", "-"), number)

    def options(self, approach: Approach) -> dict[str, Any]:
        """The keyword arguments of the approach's fit."""
        names = {
            "parametric": ("residuals", "delta", "tied", "floor", "floor_prior", "subsample"),
            "isoflop": ("method", "within", "minimum_budgets"),
            "envelope": ("window", "points", "keep_edges", "last_part"),
        }
        options = {name: getattr(self, name) for name in ("bootstraps", "level", "seed", *names[approach])}
        return options | ({"resample": "pairs"} if self.pairs and approach != "envelope" else {})

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; an infinite delta is the word "infinite"."""
        plain = asdict(self)
        plain["delta"] = json_numbers(self.delta) if math.isfinite(self.delta) else "infinite"
        return plain | {"approaches": list(self.approaches), "at": list(self.at)}


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The fits by approach; one that the table cannot carry is None, or has no law, and `reasons` says why."""

    runs: RunTable
    fits: dict[Approach, Fit | None]
    reasons: dict[Approach, str]
    holdouts: dict[Approach, tuple[Holdout, ...]]

    @property
    def lawful(self) -> dict[Approach, Fit]:
        """The fits that have a law."""
        return {name: fit for name, fit in self.fits.items() if fit is not None and fit.allocation is not None}


def fit_table(runs: RunTable, request: FitRequest) -> Fitted:
    """All approaches asked for. A refusal of one is a reason, not an error: the others stand."""
    runs = without_top_losses(runs, request.drop_top_loss)
    _check_against(runs, request)
    fits: dict[Approach, Fit | None] = {}
    reasons: dict[Approach, str] = {}
    holdouts: dict[Approach, tuple[Holdout, ...]] = {}
    for approach in request.approaches:
        try:
            fit = fits[approach] = _FITS[approach](runs, request.options(approach))
            if fit.allocation is None:
                reasons[approach] = str(fit.reason)
            elif request.holdout_above is not None:
                holdouts[approach] = _hold_out(approach, runs, request)
        except BadInput as error:
            fits[approach], reasons[approach] = None, str(error)
    return Fitted(runs=runs, fits=fits, reasons=reasons, holdouts=holdouts)


def _check_against(runs: RunTable, request: FitRequest) -> None:
    """`BadInput` for options that no approach could follow on this table."""
    floor, above = request.floor, request.holdout_above
    if floor is not None and floor >= runs.loss.min():
        raise BadInput(
            f"E is held at {floor:g}, but a run has a loss of {runs.loss.min():g}: E must lie below every loss"
        )
    if above is not None and not runs.flops.min() < above <= runs.flops.max():
        raise BadInput(
            f"holdout-above {above:g} parts no runs from others: they spent {runs.flops.min():.3g} to "
            f"{runs.flops.max():.3g} FLOP"
        )


def without_top_losses(runs: RunTable, count: int) -> RunTable:
    """The table less the `count` rows of highest loss."""
    if not count:
        return runs
    if count >= len(runs):
        raise BadInput(f"drop-top-loss {count} leaves none of {len(runs)} rows")
    return runs.select(np.sort(np.argsort(runs.loss, kind="stable")[: len(runs) - count]))


def _envelope(runs: RunTable, options: dict[str, Any]) -> Fit:
    if runs.curves is None:
        raise BadInput("the envelope needs training curves: a table with several rows a run, and --curves")
    return fit_envelope(runs.curves, **options)


_FITS: dict[Approach, Callable[[RunTable, dict[str, Any]], Fit]] = {
    "envelope": _envelope,
    "isoflop": lambda runs, options: fit_profiles(runs, **options),
    "parametric": lambda runs, options: fit_parametric(runs, **options),
}


def _hold_out(approach: Approach, runs: RunTable, request: FitRequest) -> tuple[Holdout, ...]:
    """What a law of the smaller runs says of the larger; for profiles of their best sizes and lowest losses."""
    above, options = float(request.holdout_above or 0), request.options(approach)
    try:
        if approach == "parametric":
            return (hold_out_parametric(runs, above, **options),)
        if approach == "isoflop":
            return (
                hold_out_profiles(runs, above, **options),
                hold_out_profiles(runs, above, quantity="loss", **options),
            )
        return (hold_out_envelope(runs.curves or (), above, **options),)
    except BadInput as error:
        return (Holdout(above=above, quantity="loss", fitted=0, reason=str(error)),)
