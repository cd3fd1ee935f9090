"""What approach 3 gives: the law with an interval on each constant, and predictions from the same draws."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, check_bootstrap, positive_values
from hutch.scaling.fits.allocation import Allocates, Optimum
from hutch.scaling.fits.objective import Residuals
from hutch.scaling.intervals import Interval, json_numbers, percentile_interval
from hutch.scaling.laws import ParametricLaw, frontier_loss, ln_g

CONSTANTS = ("E", "A", "B", "alpha", "beta")
_LINES = ("ln_k_n", "a", "ln_k_d", "b")


@dataclass(frozen=True, kw_only=True, eq=False)
class ParametricFit(Allocates):
    """What approach 3 found. Beside the shared `a`, `b`, `k_n`, `k_d`, `n_opt(C)`, `d_opt(C)`: the law, an
    interval for each constant, and how far to trust the optimum.

    `objective` is the Huber sum (½Σr² for an infinite `delta`). `status` is "converged", "flat" (converged,
    but the runs do not hold the constants), "stalled", "iterations" or "no-start" (no law: the losses do not
    fall in both N and D towards a floor). `starts` were polished, `starts_agree` is the share of them within
    1e-6 of the best objective. `slack_a` is how far `a` can move before the objective rises by 1 %.
    `below_floor` counts the runs whose loss is below E. `lost_share` is the share of bootstrap draws that did
    not converge or gave no optimum. `notes` say all that in words.
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
    slack_a: float | None = None
    below_floor: int = 0
    lost_share: float | None = None
    delta: float
    residuals: Residuals = "log"
    tied: bool = False
    floor: float | None = None
    """E where it was held, not fitted."""
    runs: int
    level: float
    notes: tuple[str, ...] = ()
    compute: Array = field(repr=False)
    """κ·N·D of each run."""
    draws: Array = field(default_factory=lambda: np.empty((0, 5)), repr=False)
    """E, A, B, α, β of each draw, [bootstraps, 5]; NaN where lost."""

    def predict(self, parameters: ArrayLike, tokens: ArrayLike) -> Interval:
        """The loss of N parameters after D tokens, with interval or band (of the law: the noise of one more run
        is not in it); `BadInput` where there is no law."""
        law = self._fitted()
        n, d = positive_values("parameters", parameters), positive_values("tokens", tokens)
        try:
            n, d = np.broadcast_arrays(n, d)
        except ValueError as error:
            raise BadInput(f"parameters {n.shape} and tokens {d.shape} do not fit together") from error
        E, A, B, alpha, beta = self._columns(n.ndim)
        with np.errstate(over="ignore", invalid="ignore"):
            draws = E + A * n**-alpha + B * d**-beta
        return percentile_interval(law.loss(n, d), draws, self.level)

    def loss_opt(self, compute: ArrayLike) -> Interval:
        """The lowest loss at `compute` FLOP, with interval or band; `BadInput` where there is no law."""
        self._law()
        compute = positive_values("compute", compute)
        ln_c = np.log(compute / self.flops_per_nd)
        E, A, B, alpha, beta = self._columns(compute.ndim)
        draws = frontier_loss(E, A, B, alpha, beta, ln_c)
        return percentile_interval(self._fitted().loss_opt(compute, self.flops_per_nd), draws, self.level)

    def optimal(self, compute: ArrayLike) -> Optimum:
        """Parameters, tokens and loss at the optimum of `compute` FLOP, each with its interval or band."""
        return Optimum(parameters=self.n_opt(compute), tokens=self.d_opt(compute), loss=self.loss_opt(compute))

    def interval(self, name: str, level: float | None = None) -> Interval:
        """One of E, A, B, alpha, beta, a, b, k_n, k_d at any `level`, from the same draws."""
        law, level = self._fitted(), self.level if level is None else level
        check_bootstrap(0, level)
        if name in CONSTANTS:
            return percentile_interval(getattr(law, name), self.draws[:, CONSTANTS.index(name)], level)
        if name not in ("a", "b", "k_n", "k_d"):
            raise BadInput(f"there is no constant {name!r}: E, A, B, alpha, beta, a, b, k_n or k_d")
        allocation = self._law()
        column = _LINES.index(name if name in _LINES else f"ln_{name}")
        value, draws = allocation.lines[column], allocation.draws[:, column]
        with np.errstate(over="ignore"):
            return percentile_interval(*((np.exp(value), np.exp(draws)) if column in (0, 2) else (value, draws)), level)

    def standard_errors(self) -> dict[str, float]:
        """Standard deviation of the draws of E, A, B, alpha, beta and a; NaN with fewer than two draws, infinite
        where a draw is wild."""
        held = self.draws[np.isfinite(self.draws).all(1)]
        if len(held) < 2:
            return dict.fromkeys((*CONSTANTS, "a"), math.nan)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            columns = np.column_stack([held, held[:, 4] / (held[:, 3] + held[:, 4])])
            return dict(zip((*CONSTANTS, "a"), columns.std(0, ddof=1).tolist(), strict=True))

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: the intervals of all nine constants, "standard_errors", the rest as the fields, no draws."""
        constants = {name: getattr(self, name) for name in CONSTANTS}
        numbers = ("objective", "starts_agree", "slack_a", "lost_share", "delta", "floor", "flops_per_nd", "level")
        plain = ("status", "starts", "iterations", "below_floor", "residuals", "tied", "runs")
        return {
            **{name: interval.as_dict() if interval else None for name, interval in constants.items()},
            **self.allocation_dict(),
            **{name: json_numbers(getattr(self, name)) for name in numbers},
            **{name: getattr(self, name) for name in plain},
            "standard_errors": {name: json_numbers(error) for name, error in self.standard_errors().items()},
            "notes": list(self.notes),
        }

    def _fitted(self) -> ParametricLaw:
        if self.law is None:
            raise BadInput(f"no law to evaluate: {self.reason}")
        return self.law

    def _columns(self, dimensions: int) -> list[Array]:
        """E, A, B, α, β of the draws, each [bootstraps, 1, …] to broadcast over `dimensions` axes."""
        return [column.reshape(-1, *(1,) * dimensions) for column in self.draws.T]


def allocation_lines(natural: Array, kappa: float) -> Array:
    """(ln k_N, a, ln k_D, b) [..., 4] in closed form: k_N = G·κ^−a, k_D = κ^−b / G."""
    _, A, B, alpha, beta = natural.T
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b, g = beta / (alpha + beta), alpha / (alpha + beta), ln_g(A, B, alpha, beta)
    return np.stack([g - a * np.log(kappa), a, -g - b * np.log(kappa), b], axis=1)
