"""The objective of approach 3 with analytic derivatives, for many parameter vectors at once.

    Σ_i ω_i · Huber_δ( LSE(a − α·x_i, b − β·y_i, e) − ln L_i )        (Hoffmann et al. 2022, eq. 3)

a sum, not a mean; or the same of residuals on the loss itself, exp(LSE) − L_i, where an infinite δ is least
squares. Legend: θ = (a, b, e, α, β), batch B; x, y are centred ln N, ln D; u, v, w the three terms; p their
softmax shares; r the residual; ψ = clip(r, −δ, δ).
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array

Residuals = Literal["log", "raw"]
"""Of ln loss, or of the loss in nats per token."""

Terms = tuple[Array, Array, Array]


@dataclass(frozen=True)
class Objective:
    """Runs in logs, centred: a = ln A − α·mean ln N and b = ln B − β·mean ln D, which removes most of the
    correlation between the parameters."""

    x: Array
    y: Array
    ln_loss: Array
    centre_x: float
    centre_y: float
    delta: float
    residuals: Residuals = "log"

    @classmethod
    def of(
        cls, parameters: Array, tokens: Array, loss: Array, delta: float, residuals: Residuals = "log"
    ) -> "Objective":
        if not delta > 0:
            raise BadInput(f"delta is {delta:g}; a number above 0 is needed, or infinity for least squares")
        if residuals not in ("log", "raw"):
            raise BadInput(f"residuals is {residuals!r}; log or raw is needed")
        ln_n, ln_d = np.log(parameters), np.log(tokens)
        centre_n, centre_d = float(ln_n.mean()), float(ln_d.mean())
        return cls(ln_n - centre_n, ln_d - centre_d, np.log(loss), centre_n, centre_d, delta, residuals)

    @property
    def perfect(self) -> float:
        """An objective a unit of weight below which a run's loss is matched to all digits that matter."""
        return 1e-22 * min(self.delta, 1e-3) ** 2

    def natural(self, theta: Array) -> Array:
        """(E, A, B, α, β) [..., 5] of θ [..., 5]."""
        a, b, e, alpha, beta = np.moveaxis(theta, -1, 0)
        with np.errstate(over="ignore"):
            A, B = np.exp(a + alpha * self.centre_x), np.exp(b + beta * self.centre_y)
            return np.stack([np.exp(e), A, B, alpha, beta], axis=-1)

    def theta(self, natural: Array) -> Array:
        """θ of (E, A, B, α, β): the inverse of `natural`."""
        E, A, B, alpha, beta = np.moveaxis(np.asarray(natural, dtype=float), -1, 0)
        a, b = np.log(A) - alpha * self.centre_x, np.log(B) - beta * self.centre_y
        return np.stack([a, b, np.log(E), alpha, beta], axis=-1)

    def evaluate(self, theta: Array, weights: Array) -> tuple[Array, Array, Array, Array]:
        """Objective f [B], gradient [B, 5], Hessian [B, 5, 5], and the reweighted Gauss–Newton diagonal
        [B, 5], which is positive and sets the scale of each coordinate.

        `theta` is [B, 5], `weights` [B, runs].
        """
        with np.errstate(over="ignore", invalid="ignore"):
            slopes, bends, residual = self.terms(theta)
            psi = np.clip(residual, -self.delta, self.delta)
            f = (weights * psi * (residual - psi / 2)).sum(1)
            pull = weights * psi
            curve = weights * (np.abs(residual) <= self.delta)
            if self.residuals == "log":
                curve = curve - pull
            gradient = self._gradient(slopes, pull)
            hessian = self._hessian(slopes, bends, pull, curve)
            reweighted = weights * self.huber_weight(residual)
            return f, gradient, hessian, self._scale(slopes, reweighted)

    def residual(self, theta: Array) -> Array:
        """r [B, runs]."""
        return self.terms(theta)[2]

    def huber_weight(self, residual: Array) -> Array:
        """min(1, δ/|r|)."""
        if math.isinf(self.delta):
            return np.ones_like(residual)
        return self.delta / np.maximum(np.abs(residual), self.delta)

    def terms(self, theta: Array) -> tuple[Terms, Terms, Array]:
        """∂r/∂(u, v, w), the diagonal of the second derivative that is not ∂r·∂rᵀ, and r, each [B, runs].

        On ln loss the derivatives are the softmax shares, on the loss the three terms themselves; the second
        derivative is their diagonal in both, less the outer product of the shares on ln loss.
        """
        a, b, e, alpha, beta = theta.T[:, :, None]
        u, v = a - alpha * self.x, b - beta * self.y
        if self.residuals == "raw":
            terms = np.exp(u), np.exp(v), np.broadcast_to(np.exp(e), u.shape)
            return terms, terms, terms[0] + terms[1] + terms[2] - np.exp(self.ln_loss)
        top = np.maximum(np.maximum(u, v), e)
        p_u, p_v, p_w = np.exp(u - top), np.exp(v - top), np.exp(e - top)
        total = p_u + p_v + p_w
        shares = p_u / total, p_v / total, p_w / total
        return shares, shares, top + np.log(total) - self.ln_loss

    @cached_property
    def _features(self) -> tuple[Array, Array, Array]:
        """(1, −x, x²), (1, −y, y²), (1, −x, −y, xy), each [runs, ·]: all that the sums below need."""
        one = np.ones_like(self.x)
        return (
            np.stack([one, -self.x, self.x**2], axis=1),
            np.stack([one, -self.y, self.y**2], axis=1),
            np.stack([one, -self.x, -self.y, self.x * self.y], axis=1),
        )

    def _gradient(self, slopes: Terms, pull: Array) -> Array:
        """Σ ω·ψ·J with J = (s_u, s_v, s_w, −x·s_u, −y·s_v)."""
        of_x, of_y, _ = self._features
        g = np.empty((len(pull), 5))
        g[:, [0, 3]] = (pull * slopes[0]) @ of_x[:, :2]
        g[:, [1, 4]] = (pull * slopes[1]) @ of_y[:, :2]
        g[:, 2] = np.einsum("bi,bi->b", pull, slopes[2])
        return g

    def _hessian(self, slopes: Terms, bends: Terms, pull: Array, curve: Array) -> Array:
        """Σ curve·J·Jᵀ + ω·ψ·Kᵀ·diag(bends)·K."""
        of_x, of_y, of_xy = self._features
        s_u, s_v, s_w = slopes
        curve_u, curve_v, curve_w = curve * s_u, curve * s_v, curve * s_w
        uu, vv = (curve_u * s_u + pull * bends[0]) @ of_x, (curve_v * s_v + pull * bends[1]) @ of_y
        uv = (curve_u * s_v) @ of_xy
        h = np.empty((len(pull), 5, 5))
        h[:, 0, 0], h[:, 0, 3], h[:, 3, 3] = uu.T
        h[:, 1, 1], h[:, 1, 4], h[:, 4, 4] = vv.T
        h[:, 0, 1], h[:, 1, 3], h[:, 0, 4], h[:, 3, 4] = uv.T
        h[:, 0, 2], h[:, 2, 3] = ((curve_u * s_w) @ of_x[:, :2]).T
        h[:, 1, 2], h[:, 2, 4] = ((curve_v * s_w) @ of_y[:, :2]).T
        h[:, 2, 2] = (curve_w * s_w + pull * bends[2]).sum(1)
        lower = ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (4, 0), (4, 1), (4, 2), (4, 3))
        for row, column in lower:
            h[:, row, column] = h[:, column, row]
        return h

    def _scale(self, slopes: Terms, reweighted: Array) -> Array:
        """Diagonal of Σ ω·min(1, δ/|r|)·J·Jᵀ."""
        of_x, of_y, _ = self._features
        d = np.empty((len(reweighted), 5))
        d[:, [0, 3]] = (reweighted * slopes[0] * slopes[0]) @ of_x[:, ::2]
        d[:, [1, 4]] = (reweighted * slopes[1] * slopes[1]) @ of_y[:, ::2]
        d[:, 2] = (reweighted * slopes[2] * slopes[2]).sum(1)
        return d
