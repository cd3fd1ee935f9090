"""A batch of minimisations of one objective: each member has its own weights, all share the restriction."""

from dataclasses import dataclass, field

import numpy as np

from hutch.scaling.columns import Array
from hutch.scaling.fits.objective import Objective
from hutch.scaling.fits.restriction import Restriction

_CELLS = 150_000
"""Members × runs worked on at once, so that a batch's arrays stay in cache."""


@dataclass(frozen=True)
class Problem:
    """`weights` is [members, runs]. With a prior on E, `prior_means` is [members] and `prior_precision` its weight
    in the objective: ½·precision·(E − mean)²."""

    objective: Objective
    weights: Array
    restriction: Restriction = field(default_factory=Restriction)
    prior_means: Array | None = None
    prior_precision: float = 0.0

    @property
    def perfect(self) -> Array:
        """The objective of each member below which the fit is perfect."""
        return self.objective.perfect * self.weights.sum(1)

    def evaluate(self, phi: Array, members: np.ndarray) -> tuple[Array, Array, Array, Array]:
        """f [B], gradient [B, k], Hessian [B, k, k] and scale [B, k] of `members` at φ [B, k]."""
        chunk = max(1, _CELLS // self.weights.shape[1])
        parts = [
            self._evaluate(phi[start : start + chunk], members[start : start + chunk])
            for start in range(0, len(phi), chunk)
        ]
        f, g, h, d = (np.concatenate(column) for column in zip(*parts, strict=True))
        return f, g, h, d

    def _evaluate(self, phi: Array, members: np.ndarray) -> tuple[Array, Array, Array, Array]:
        theta = self.restriction.full(phi)
        f, g, h, d = self.objective.evaluate(theta, self.weights[members])
        if self.prior_means is not None:
            f, g, h, d = self._with_prior(theta, self.prior_means[members], f, g, h, d)
        basis = self.restriction.basis
        return f, g @ basis, basis.T @ h @ basis, d @ basis**2

    def _with_prior(
        self, theta: Array, means: Array, f: Array, g: Array, h: Array, d: Array
    ) -> tuple[Array, Array, Array, Array]:
        with np.errstate(over="ignore", invalid="ignore"):
            E, precision = np.exp(theta[:, 2]), self.prior_precision
            off = E - means
            g[:, 2] += precision * off * E
            h[:, 2, 2] += precision * (E * E + off * E)
            d[:, 2] += precision * E * E
            return f + 0.5 * precision * off * off, g, h, d
