"""Downstream error against loss, Err(L) = ε − k·exp(−γ·L), fitted to evaluated models (Gadre et al. 2024,
arXiv:2403.08540, §3)."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs import seeds
from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, check_bootstrap, positive_columns, positive_values
from hutch.scaling.intervals import Interval, json_numbers, lost_note, percentile_interval
from hutch.scaling.overtraining import DownstreamLaw
from hutch.scaling.roots import falling_root

MINIMUM_MODELS = 4
_NAMES = ("epsilon", "k", "gamma")
_NODES = np.linspace(np.log(1e-2), np.log(1e2), 60)
"""ln of γ times the range of the losses. At the lower end the curve is a straight line to 1 part in 200 of its
slope, at the upper end a step."""
_CELLS = 2_000_000


@dataclass(frozen=True, kw_only=True)
class DownstreamFit:
    """What `fit_downstream` found: the law and an interval for each constant, or `reason` why there is none.

    `residual` is the root mean square of error − Err(L). `lost_share` is the share of resamples without a law.
    `draws` [bootstraps, 3] are ε, k, γ of each, NaN where lost.
    """

    law: DownstreamLaw | None
    reason: str | None = None
    epsilon: Interval | None = None
    k: Interval | None = None
    gamma: Interval | None = None
    residual: float | None = None
    models: int
    level: float
    lost_share: float | None = None
    notes: tuple[str, ...] = ()
    draws: Array = field(default_factory=lambda: np.empty((0, 3)), repr=False)

    def error(self, loss: ArrayLike) -> Interval:
        """Error at `loss` with its interval, or a band for an array; `BadInput` where there is no law."""
        if self.law is None:
            raise BadInput(f"no downstream law: {self.reason}")
        loss = positive_values("loss", loss)
        epsilon, k, gamma = (column.reshape(-1, *(1,) * loss.ndim) for column in self.draws.T)
        return percentile_interval(self.law.error(loss), epsilon - k * np.exp(-gamma * loss), self.level)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, without the draws."""
        constants = {name: getattr(self, name) for name in _NAMES}
        return {
            **{name: interval.as_dict() if interval else None for name, interval in constants.items()},
            **{name: json_numbers(getattr(self, name)) for name in ("residual", "level", "lost_share")},
            "reason": self.reason,
            "models": self.models,
            "notes": list(self.notes),
        }


def fit_downstream(
    loss: ArrayLike, error: ArrayLike, *, bootstraps: int = 1000, level: float = 0.8, seed: int = 0
) -> DownstreamFit:
    """Least squares of `error` (top-1, a share) on `loss` (nats per token), one row a model.

    For a given γ the law is linear in ε and k, so one dimension is searched: a grid over γ, then bisection of the
    slope of the squared residual. Intervals are percentiles over resampled models. The fit is refused (law None,
    and `reason`) where the error does not rise with the loss, or where the rise is straight, bends up or is a step,
    so that the data hold no γ. `BadInput` for bad columns or fewer than 4 distinct losses.
    """
    loss, error = positive_columns(loss=loss, error=error)
    check_bootstrap(bootstraps, level)
    if len(np.unique(loss)) < MINIMUM_MODELS:
        raise BadInput(f"{len(np.unique(loss))} distinct losses; ε, k and γ need at least {MINIMUM_MODELS}")
    random = seeds.generator(seed, "downstream")
    counts = random.multinomial(len(loss), np.full(len(loss), 1 / len(loss)), size=bootstraps).astype(float)
    constants = _fits(loss, error, np.vstack([np.ones(len(loss)), counts]))
    point, draws = constants[0], constants[1:]
    if np.isnan(point[0]):
        return DownstreamFit(law=None, reason=_reason(loss, error), models=len(loss), level=level)
    law = DownstreamLaw(*map(float, point))
    lost_share = float(np.isnan(draws[:, 0]).mean()) if len(draws) else 0.0
    return DownstreamFit(
        law=law,
        epsilon=percentile_interval(point[0], draws[:, 0], level),
        k=percentile_interval(point[1], draws[:, 1], level),
        gamma=percentile_interval(point[2], draws[:, 2], level),
        residual=float(np.sqrt(np.mean((error - law.error(loss)) ** 2))),
        models=len(loss),
        level=level,
        lost_share=lost_share,
        notes=tuple(lost_note(lost_share, "law")),
        draws=draws,
    )


def _fits(loss: Array, error: Array, weights: Array) -> Array:
    """ε, k, γ of each row of `weights` [batch, models], NaN where the data hold no γ or the error falls."""
    chunk = max(1, _CELLS // (len(loss) * len(_NODES)))
    parts = [_fit_batch(loss, error, weights[start : start + chunk]) for start in range(0, len(weights), chunk)]
    return np.concatenate(parts)


def _fit_batch(loss: Array, error: Array, weights: Array) -> Array:
    span = np.ptp(loss)
    u = (loss - loss.min()) / span
    squares = np.stack([_linear(u, error, weights, np.full(len(weights), node))[2] for node in _NODES], axis=1)
    node = squares.argmin(1)
    inside = (node > 0) & (node < len(_NODES) - 1)
    middle = np.clip(node, 1, len(_NODES) - 2)

    def descent(ln_rate: Array) -> Array:
        return -_linear(u, error, weights, ln_rate)[3]

    ln_rate = falling_root(descent, _NODES[middle - 1], _NODES[middle + 1])
    offset, slope, _, _ = _linear(u, error, weights, ln_rate)
    gamma = np.exp(ln_rate) / span
    with np.errstate(over="ignore"):
        constants = np.stack([offset, -slope * np.exp(gamma * loss.min()), gamma], axis=1)
    held = inside & (slope < 0) & np.isfinite(constants).all(1)
    return np.where(held[:, None], constants, np.nan)


def _linear(u: Array, error: Array, weights: Array, ln_rate: Array) -> tuple[Array, Array, Array, Array]:
    """Offset and slope of weighted least squares of the error on z = exp(−rate·u), each [batch]; the sum of squared
    residuals, and its derivative in the rate, in which offset and slope take no part."""
    z = np.exp(-np.exp(ln_rate)[:, None] * u)
    total = weights.sum(1, keepdims=True)
    z_mean, error_mean = ((weights * column).sum(1, keepdims=True) / total for column in (z, error))
    deviation = weights * (z - z_mean)
    spread = (deviation * z).sum(1)
    slope = (deviation * error).sum(1) / np.where(spread > 0, spread, np.nan)
    residual = error - error_mean - slope[:, None] * (z - z_mean)
    derivative = 2 * slope * (weights * residual * u * z).sum(1)
    squares = (weights * residual**2).sum(1)
    offset = error_mean[:, 0] - slope * z_mean[:, 0]
    return offset, slope, np.where(np.isnan(squares), np.inf, squares), derivative


def _reason(loss: Array, error: Array) -> str:
    """Why no γ came out."""
    u = (loss - loss.min()) / np.ptp(loss)
    line = np.polyfit(u, error, 1)
    if line[0] <= 1e-9 * error.mean():
        return "the error does not rise with the loss"
    step = _linear(u, error, np.ones((1, len(loss))), _NODES[-1:])[2]
    if step[0] < np.sum((error - np.polyval(line, u)) ** 2):
        return "the error is a step in the loss: models between its two levels are needed to hold γ"
    return "the error rises with the loss in a straight line or bends upwards: no γ above 0 fits better"
