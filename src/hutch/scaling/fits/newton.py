"""A damped, saddle-free Newton method that solves many small problems as one batch and proves convergence
by the predicted decrease, not by a flag: the objective is about 1e-3, where absolute tolerances stop far
too early."""

from dataclasses import dataclass, fields
from typing import Literal, Protocol

import numpy as np

from hutch.scaling.columns import Array


class Problem(Protocol):
    """A batch of minimisations."""

    @property
    def perfect(self) -> Array:
        """The objective of each member below which its fit is perfect, [members]."""
        ...

    def evaluate(self, phi: Array, members: np.ndarray) -> tuple[Array, Array, Array, Array]:
        """f [B], gradient [B, k], Hessian [B, k, k] and the scale of each coordinate [B, k] of `members` at φ."""
        ...


Status = Literal["converged", "stalled", "iterations"]
"""`converged`: the next step promises less than 1e-11 of the objective; `stalled`: no step lowers it, however
damped; `iterations`: out of iterations."""

_PREDICTED = 1e-11
_EIGENVALUE_FLOOR = 1e-9
_DAMPING_START = 1e-3
_DAMPING_LIMIT = 1e7


@dataclass
class Minimum:
    """Where a batch of minimisations ended: φ [B, k], objective [B], status and iterations [B]."""

    phi: Array
    objective: Array
    status: np.ndarray
    iterations: np.ndarray

    @property
    def converged(self) -> np.ndarray:
        return self.status == "converged"

    def joined(self, other: "Minimum") -> "Minimum":
        """Both batches as one."""
        return Minimum(*(np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)))


def minimise(problem: Problem, phi: Array, iterations: int = 3000) -> Minimum:
    """Minimise every member of `problem` from its φ [B, k].

    About ten iterations are usual; a few resamples of 25 runs crawl along a kinked valley for a thousand,
    which is cheap, as only they are still worked on.
    """
    phi = np.array(phi, dtype=float)
    batch = len(phi)
    status = np.full(batch, "iterations", dtype="<U10")
    spent = np.zeros(batch, dtype=int)
    damping = np.full(batch, _DAMPING_START)
    f, g, h, d = problem.evaluate(phi, np.arange(batch))
    perfect = problem.perfect
    status[~np.isfinite(f)] = "stalled"
    active = np.flatnonzero(np.isfinite(f))
    for _ in range(iterations):
        if not active.size:
            break
        step, predicted = _steps(g[active], h[active], d[active], damping[active])
        # Strong damping shrinks the promise too, so only a nearly free step may claim convergence.
        done = (predicted <= _PREDICTED * f[active] + perfect[active]) & (damping[active] <= 1e-1)
        status[active[done]] = "converged"
        active, step, predicted = active[~done], step[~done], predicted[~done]
        if not active.size:
            break
        spent[active] += 1
        trial = phi[active] + step
        f_new, g_new, h_new, d_new = problem.evaluate(trial, active)
        fell = f_new < f[active]
        good = fell & (f[active] - f_new > 0.25 * predicted)
        damping[active] *= np.where(good, 0.1, np.where(fell, 2.0, 8.0))
        damping[active] = np.maximum(damping[active], 1e-12)
        moved = active[fell]
        phi[moved], f[moved], g[moved], h[moved], d[moved] = (new[fell] for new in (trial, f_new, g_new, h_new, d_new))
        stuck = damping[active] >= _DAMPING_LIMIT
        status[active[stuck]] = "stalled"
        active = active[~stuck]
    return Minimum(phi, f, status, spent)


def _steps(g: Array, h: Array, d: Array, damping: Array) -> tuple[Array, Array]:
    """Steps [B, k] and predicted decreases [B], in coordinates scaled by √d.

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
