"""The lowest loss at each budget as a law of compute, extrapolated from the minima of the profiles."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.scaling.columns import Array, positive_values
from hutch.scaling.comparing import ComparesArrays
from hutch.scaling.intervals import Interval, percentile_interval
from hutch.scaling.laws import log_log_lines

OFFSET = "E + k*C^-gamma"
POWER = "k*C^-gamma"
_GAMMAS = np.geomspace(1e-3, 2.0, 40)
_GOLDEN = (np.sqrt(5) - 1) / 2


@dataclass(frozen=True, eq=False)
class Frontier(ComparesArrays):
    """L_opt(C) in one of two forms, stated in `form`: with an irreducible loss E (four budgets or more, E ≥
    0) or a pure power law (three budgets, too few to tell E from γ).

    An E of 0 means that the minima show no floor yet. `k` is at C = 1 FLOP; `draws` is [bootstraps, 3].
    """

    form: str
    E: Interval | None
    k: Interval
    gamma: Interval
    level: float
    point: Array = field(repr=False)
    draws: Array = field(repr=False)

    def loss_opt(self, compute: ArrayLike) -> Interval:
        """Nats per token at `compute` FLOP: one interval for a scalar, a band for an array."""
        return percentile_interval(self.loss_at(compute), self.loss_draws(compute), self.level)

    def loss_at(self, compute: ArrayLike) -> Any:
        """Nats per token at `compute` FLOP, without interval."""
        return _loss(self.point, np.log(positive_values("compute", compute)))

    def loss_draws(self, compute: ArrayLike) -> Array:
        """The same in each draw, [bootstraps, ...]."""
        ln_c = np.log(positive_values("compute", compute))
        draws = self.draws.reshape(-1, 3, *(1,) * ln_c.ndim)
        return _loss(np.moveaxis(draws, 1, 0), ln_c)

    def as_dict(self) -> dict[str, Any]:
        """{"form", "E", "k", "gamma"}."""
        floor = self.E.as_dict() if self.E else None
        return {"form": self.form, "E": floor, "k": self.k.as_dict(), "gamma": self.gamma.as_dict()}


def fit_frontier(compute: Array, loss: Array, draws: Array, level: float) -> Frontier:
    """Least squares on the loss through minima `loss` [budgets] at `compute`; `draws` [bootstraps, budgets].

    NaN entries of `draws` are lost vertices and carry no weight.
    """
    offset = len(compute) >= 4
    ln_c = np.log(compute)
    losses = np.concatenate([loss[None], draws])
    fits = _offset_power_laws(ln_c, losses) if offset else _power_laws(ln_c, losses)
    point, drawn = fits[0], fits[1:]
    E, gamma = (percentile_interval(point[i], drawn[:, i], level) for i in (0, 2))
    k = percentile_interval(np.exp(point[1]), np.exp(drawn[:, 1]), level)
    form = OFFSET if offset else POWER
    return Frontier(form, E if offset else None, k, gamma, level, point, drawn)


def _loss(parts: Array, ln_c: Array) -> Array:
    floor, ln_k, gamma = parts
    return floor + np.exp(ln_k - gamma * ln_c)


def _power_laws(ln_c: Array, losses: Array) -> Array:
    """(0, ln k, γ) for each row of `losses`, by log–log least squares: [rows, 3]."""
    known = np.isfinite(losses)
    ln_k, slope = log_log_lines(ln_c, np.log(np.where(known, losses, 1.0)), known.astype(float))
    ln_k = np.where(known.sum(1) >= 3, ln_k, np.nan)
    return np.stack([np.zeros_like(slope), ln_k, -slope], axis=1)


def _offset_power_laws(ln_c: Array, losses: Array) -> Array:
    """(E, ln k, γ) for each row of `losses` by variable projection: at fixed γ the law is linear in E and
    k, so one dimension is left, scanned and then bracketed by golden section. Rows with fewer than four
    minima: NaN."""
    known = np.isfinite(losses)
    weights, filled = known.astype(float), np.where(known, losses, 0.0)
    x = ln_c - ln_c.mean()
    scan = np.stack([_at_gamma(x, filled, weights, np.full(len(losses), g))[0] for g in _GAMMAS], axis=1)
    best = np.clip(scan.argmin(1), 1, len(_GAMMAS) - 2)
    low, high = np.log(_GAMMAS[best - 1]), np.log(_GAMMAS[best + 1])
    for _ in range(32):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        lower = _at_gamma(x, filled, weights, np.exp(left))[0] < _at_gamma(x, filled, weights, np.exp(right))[0]
        high, low = np.where(lower, right, high), np.where(lower, low, left)
    gamma = np.exp((low + high) / 2)
    _, floor, k = _at_gamma(x, filled, weights, gamma)
    with np.errstate(invalid="ignore", divide="ignore"):
        fits = np.stack([floor, np.log(k) + gamma * ln_c.mean(), gamma], axis=1)
    return np.where((known.sum(1) >= 4)[:, None] & np.isfinite(fits), fits, np.nan)


def _at_gamma(x: Array, losses: Array, weights: Array, gamma: Array) -> tuple[Array, Array, Array]:
    """Residual sum, E ≥ 0 and k at one γ a row."""
    z = np.exp(-gamma[:, None] * x)
    total = weights.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_z, mean_l = (weights * z).sum(1) / total, (weights * losses).sum(1) / total
        k = (weights * (z - mean_z[:, None]) * losses).sum(1) / (weights * (z - mean_z[:, None]) ** 2).sum(1)
        floor = mean_l - k * mean_z
        through_zero = (weights * z * losses).sum(1) / (weights * z * z).sum(1)
    k, floor = np.where(floor < 0, through_zero, k), np.maximum(floor, 0.0)
    residual = (weights * (losses - floor[:, None] - k[:, None] * z) ** 2).sum(1)
    return residual, floor, k
