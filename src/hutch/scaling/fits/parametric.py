"""Approach 3: the parametric loss L = E + A·N^−α + B·D^−β fitted to all runs (Hoffmann et al. 2022, §3.3,
D.2)."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs import seeds
from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, check_bootstrap, positive_columns, positive_number, positive_values
from hutch.scaling.fits.allocation import Allocates, Allocation
from hutch.scaling.fits.newton import Minimum, minimise
from hutch.scaling.fits.objective import Objective
from hutch.scaling.fits.screen import starting_points
from hutch.scaling.intervals import Interval, json_numbers, lost_note, percentile_interval
from hutch.scaling.laws import FLOPS_PER_ND, ParametricLaw, frontier_loss, ln_g

MINIMUM_RUNS = 6
_NAMES = ("E", "A", "B", "alpha", "beta")
_AGREE = 1e-6
_MOST = 0.5
"""Share of the starts that must end at the optimum for it to pass without a note."""


@dataclass(frozen=True, kw_only=True)
class ParametricFit(Allocates):
    """What approach 3 found. Beside the shared `a`, `b`, `k_n`, `k_d`, `n_opt(C)`, `d_opt(C)`: the law, an
    interval for each constant, and how far to trust the optimum.

    `objective` is the Huber sum. `status` is "converged", "stalled", "iterations" or "no-start" (no law: the
    losses do not fall in both N and D towards a floor). `starts` were polished, `starts_agree` is the share
    of them within 1e-6 of the best objective. `lost_share` is the share of bootstrap draws that did not
    converge or gave no optimum. `notes` name constants that the data do not hold, and an optimum that is not sure.
    """

    law: ParametricLaw | None
    E: Interval | None = None
    A: Interval | None = None
    B: Interval | None = None
    alpha: Interval | None = None
    beta: Interval | None = None
    objective: float | None = None
    status: str
    starts: int = 0
    starts_agree: float | None = None
    iterations: int = 0
    lost_share: float | None = None
    delta: float
    runs: int
    flops_per_nd: float
    notes: tuple[str, ...] = ()
    compute: Array = field(repr=False)
    """κ·N·D of each run."""
    draws: Array = field(default_factory=lambda: np.empty((0, 5)), repr=False)
    """E, A, B, α, β of each draw, [bootstraps, 5]; NaN where lost."""

    def loss_opt(self, compute: ArrayLike) -> Interval:
        """The lowest loss at `compute` FLOP, with interval or band; `BadInput` where there is no law."""
        allocation, law = self._law(), self.law
        assert law is not None  # an allocation comes with its law
        compute = positive_values("compute", compute)
        E, A, B, alpha, beta = (column.reshape(-1, *(1,) * compute.ndim) for column in self.draws.T)
        draws = frontier_loss(E, A, B, alpha, beta, np.log(compute / self.flops_per_nd))
        return percentile_interval(law.loss_opt(compute, self.flops_per_nd), draws, allocation.level)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: the intervals "E", "A", "B", "alpha", "beta", "a", "b", "k_n", "k_d", "reason",
        "objective", "status", "starts", "starts_agree", "iterations", "lost_share", "delta", "runs",
        "flops_per_nd", "notes"."""
        constants = {name: getattr(self, name) for name in _NAMES}
        numbers = ("objective", "starts_agree", "lost_share", "delta", "flops_per_nd")
        return {
            **{name: interval.as_dict() if interval else None for name, interval in constants.items()},
            **self.allocation_dict(),
            **{name: json_numbers(getattr(self, name)) for name in numbers},
            **{name: getattr(self, name) for name in ("status", "starts", "iterations", "runs")},
            "notes": list(self.notes),
        }


def fit_parametric(
    parameters: ArrayLike,
    tokens: ArrayLike,
    loss: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    delta: float = 1e-3,
    bootstraps: int = 1000,
    level: float = 0.8,
    seed: int = 0,
    subsample: float | None = None,
    flops_per_nd: float = FLOPS_PER_ND,
) -> ParametricFit:
    """Minimise Σ ω·Huber_δ(ln L̂ − ln L) over (E, A, B, α, β); one row a run, losses in nats per token.

    A closed-form screen over (α, β) gives the starts, a damped Newton method with exact derivatives polishes
    them. Intervals are percentiles over resampled runs, or, with `subsample` = 0.8, over draws of 80 % of the
    runs without replacement (Hoffmann's Table 2; narrower). Each draw is a vector of weights, and all are
    solved as one batch from the optimum. `flops_per_nd` is κ in κ·N·D = C, for a, k_n and the rest.

    `BadInput` for bad columns, fewer than 6 runs, or fewer than three distinct N or D.
    """
    parameters, tokens, loss = positive_columns(parameters=parameters, tokens=tokens, loss=loss)
    weights = np.ones_like(loss) if weights is None else positive_columns(loss=loss, weights=weights)[1]
    delta, kappa = positive_number("delta", delta), positive_number("flops_per_nd", flops_per_nd)
    check_bootstrap(bootstraps, level)
    _check_enough(parameters, tokens, subsample)
    objective = Objective.of(parameters, tokens, loss, delta)
    base: dict[str, Any] = {
        "delta": delta,
        "runs": len(loss),
        "flops_per_nd": kappa,
        "compute": kappa * parameters * tokens,
    }
    starts = starting_points(objective, weights)
    if not len(starts):
        reason = "the losses do not fall in both N and D towards a floor: no start with E, A, B above 0"
        return ParametricFit(law=None, allocation=None, status="no-start", reason=reason, **base)
    polished = minimise(objective, starts, np.broadcast_to(weights, (len(starts), len(loss))))
    best = int(np.argmin(np.where(polished.converged, polished.objective, polished.objective * (1 + _AGREE))))
    counts = _draw_counts(len(loss), bootstraps, subsample, seeds.generator(seed, "parametric"))
    drawn = (
        minimise(objective, np.broadcast_to(polished.theta[best], (bootstraps, 5)), counts * weights)
        if bootstraps
        else None
    )
    return _result(objective, polished, best, drawn, level, loss, base)


def _check_enough(parameters: Array, tokens: Array, subsample: float | None) -> None:
    if len(parameters) < MINIMUM_RUNS:
        raise BadInput(f"{len(parameters)} runs; the five constants need at least {MINIMUM_RUNS}")
    for name, column in (("parameters", parameters), ("tokens", tokens)):
        if len(np.unique(column)) < 3:
            raise BadInput(f"{name} takes {len(np.unique(column))} distinct values; its exponent needs at least 3")
    if subsample is not None and not 0 < subsample < 1:
        raise BadInput(f"subsample is {subsample}; a share between 0 and 1 is needed, such as 0.8")


def _draw_counts(runs: int, bootstraps: int, subsample: float | None, random: np.random.Generator) -> Array:
    """How often each run is drawn, [bootstraps, runs]."""
    if subsample is None:
        return random.multinomial(runs, np.full(runs, 1 / runs), size=bootstraps).astype(float)
    kept = max(1, round(subsample * runs))
    ranks = random.random((bootstraps, runs)).argsort(1).argsort(1)
    return (ranks < kept).astype(float)


def _result(
    objective: Objective,
    polished: Minimum,
    best: int,
    drawn: Minimum | None,
    level: float,
    loss: Array,
    base: dict[str, Any],
) -> ParametricFit:
    point = objective.natural(polished.theta[best])
    draws = np.empty((0, 5))
    if drawn is not None:
        draws = objective.natural(drawn.theta)
        held = drawn.converged & (draws[:, 3] > 0) & (draws[:, 4] > 0) & np.isfinite(draws).all(1)
        draws[~held] = np.nan
    held_point = point[3] > 0 and point[4] > 0 and np.isfinite(point).all()
    reason = None if held_point else "an exponent is not above 0, or out of all bounds: no finite optimum"
    lines, line_draws = _lines(point[None], base["flops_per_nd"])[0], _lines(draws, base["flops_per_nd"])
    f, status = polished.objective, str(polished.status[best])
    starts_agree = float(np.mean(f <= f[best] * (1 + _AGREE) + 1e-20 * len(loss)))
    lost_share = float(np.isnan(draws[:, 0]).mean()) if len(draws) else 0.0
    notes = [
        *_unsure(status, starts_agree),
        *_not_held(point, loss),
        *lost_note(lost_share, "optimum"),
    ]
    constants: dict[str, Any] = {
        name: percentile_interval(point[i], draws[:, i], level) for i, name in enumerate(_NAMES)
    }
    return ParametricFit(
        law=ParametricLaw(*map(float, point)),
        **constants,
        allocation=None if reason else Allocation.from_lines(lines, line_draws, level),
        reason=reason,
        objective=float(f[best]),
        status=status,
        starts=len(f),
        starts_agree=starts_agree,
        iterations=int(polished.iterations[best]),
        lost_share=lost_share,
        notes=tuple(notes),
        draws=draws,
        **base,
    )


def _lines(natural: Array, kappa: float) -> Array:
    """(ln k_N, a, ln k_D, b) [..., 4] in closed form: k_N = G·κ^−a, k_D = κ^−b / G."""
    _, A, B, alpha, beta = natural.T
    a, b, g = beta / (alpha + beta), alpha / (alpha + beta), ln_g(A, B, alpha, beta)
    return np.stack([g - a * np.log(kappa), a, -g - b * np.log(kappa), b], axis=1)


def _unsure(status: str, starts_agree: float) -> list[str]:
    """Why the optimum may not be the lowest there is."""
    notes = []
    if status != "converged":
        why = {"stalled": "no step lowered the objective", "iterations": "it ran out of iterations"}[status]
        notes.append(f"the search for the optimum did not converge: {why}")
    if starts_agree < _MOST:
        notes.append(f"{starts_agree:.0%} of the starts ended at this optimum, the others above it")
    return notes


def _not_held(point: Array, loss: Array) -> list[str]:
    """Constants that the data do not hold, said and not clamped."""
    E, _, _, alpha, beta = point
    notes = []
    if 1e-2 * loss.min() > E:
        notes.append(f"E is {E:.2g}: these runs show no floor of the loss")
    for name, exponent in (("alpha", alpha), ("beta", beta)):
        if exponent < 0.02 or exponent > 3:
            notes.append(f"{name} is {exponent:.3g}: these runs do not hold it")
    return notes
