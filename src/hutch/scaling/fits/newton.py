"""A damped, saddle-free Newton method that solves many small problems as one batch and proves convergence
by the predicted decrease, not by a flag: the objective is about 1e-3, where absolute tolerances stop far
too early."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hutch.scaling.columns import Array
from hutch.scaling.fits.objective import Objective

Status = Literal["converged", "stalled", "iterations"]
"""`converged`: the next step promises less than 1e-11 of the objective; `stalled`: no step lowers it, however
damped; `iterations`: out of iterations."""

_PREDICTED = 1e-11
_EIGENVALUE_FLOOR = 1e-9
_DAMPING_START = 1e-3
_DAMPING_LIMIT = 1e7


@dataclass
class Minimum:
    """Where a batch of minimisations ended: θ [B, 5], objective [B], status and iterations [B]."""

    theta: Array
    objective: Array
    status: np.ndarray
    iterations: np.ndarray

    @property
    def converged(self) -> np.ndarray:
        return self.status == "converged"


def minimise(objective: Objective, theta: Array, weights: Array, iterations: int = 3000) -> Minimum:
    """Minimise from each θ [B, 5] under its own weights [B, runs].

    About ten iterations are usual; a few resamples of 25 runs crawl along a kinked valley for a thousand,
    which is cheap, as only they are still worked on.
    """
    theta = np.array(theta, dtype=float)
    batch = len(theta)
    status = np.full(batch, "iterations", dtype="<U10")
    spent = np.zeros(batch, dtype=int)
    damping = np.full(batch, _DAMPING_START)
    f, g, h, d = objective.evaluate(theta, weights)
    # A perfect fit has f = 0: below this a run's ln loss is matched to 1e-11·δ.
    floor = 1e-22 * objective.delta**2 * weights.sum(1)
    status[~np.isfinite(f)] = "stalled"
    active = np.flatnonzero(np.isfinite(f))
    for _ in range(iterations):
        if not active.size:
            break
        step, predicted = _steps(g[active], h[active], d[active], damping[active])
        # Strong damping shrinks the promise too, so only a nearly free step may claim convergence.
        done = (predicted <= _PREDICTED * f[active] + floor[active]) & (damping[active] <= 1e-1)
        status[active[done]] = "converged"
        active, step, predicted = active[~done], step[~done], predicted[~done]
        if not active.size:
            break
        spent[active] += 1
        trial = theta[active] + step
        f_new, g_new, h_new, d_new = objective.evaluate(trial, weights[active])
        fell = f_new < f[active]
        good = fell & (f[active] - f_new > 0.25 * predicted)
        damping[active] *= np.where(good, 0.1, np.where(fell, 2.0, 8.0))
        damping[active] = np.maximum(damping[active], 1e-12)
        moved = active[fell]
        theta[moved], f[moved], g[moved], h[moved], d[moved] = (
            new[fell] for new in (trial, f_new, g_new, h_new, d_new)
        )
        stuck = damping[active] >= _DAMPING_LIMIT
        status[active[stuck]] = "stalled"
        active = active[~stuck]
    return Minimum(theta, f, status, spent)


def _steps(g: Array, h: Array, d: Array, damping: Array) -> tuple[Array, Array]:
    """Steps [B, 5] and predicted decreases [B], in coordinates scaled by √d.

    |λ| for each eigenvalue λ of the scaled Hessian makes a step descend from a saddle too.
    """
    scale = np.sqrt(np.maximum(d, 1e-300))
    scaled = h / (scale[:, :, None] * scale[:, None, :])
    # A plateau, where a term has died out: no curvature to use, so the damping decides.
    scaled = np.where(np.isfinite(scaled), scaled, 0.0)
    values, vectors = np.linalg.eigh(scaled)
    values = np.maximum(np.abs(values), _EIGENVALUE_FLOOR) + damping[:, None]
    z = np.einsum("bji,bj->bi", vectors, g / scale)
    step = -np.einsum("bij,bj->bi", vectors, z / values) / scale
    return step, 0.5 * (z * z / values).sum(1)
