"""The objective of approach 3 with analytic derivatives, for many parameter vectors at once.

    Σ_i ω_i · Huber_δ( LSE(a − α·x_i, b − β·y_i, e) − ln L_i )        (Hoffmann et al. 2022, eq. 3)

a sum, not a mean. Legend: θ = (a, b, e, α, β), batch B; x, y are centred ln N, ln D; u, v, w the three terms;
p their softmax shares; r the residual; ψ = clip(r, −δ, δ).
"""

from dataclasses import dataclass

import numpy as np

from hutch.scaling.columns import Array

_CELLS = 150_000
"""Draws × runs worked on at once, so that a batch's arrays stay in cache."""


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

    @classmethod
    def of(cls, parameters: Array, tokens: Array, loss: Array, delta: float) -> "Objective":
        ln_n, ln_d = np.log(parameters), np.log(tokens)
        centre_n, centre_d = float(ln_n.mean()), float(ln_d.mean())
        return cls(ln_n - centre_n, ln_d - centre_d, np.log(loss), centre_n, centre_d, delta)

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
        """Objective f [B], gradient [B, 5], Hessian [B, 5, 5], and the diagonal of the reweighted
        Gauss–Newton Hessian [B, 5], which is positive and sets the scale of each coordinate.

        `theta` is [B, 5], `weights` [B, runs].
        """
        chunk = max(1, _CELLS // len(self.x))
        parts = [
            self._evaluate(theta[start : start + chunk], weights[start : start + chunk])
            for start in range(0, len(theta), chunk)
        ]
        f, g, h, d = (np.concatenate(column) for column in zip(*parts, strict=True))
        return f, g, h, d

    def _evaluate(self, theta: Array, weights: Array) -> tuple[Array, Array, Array, Array]:
        with np.errstate(over="ignore", invalid="ignore"):
            shares, residual = self._shares(theta)
            psi = np.clip(residual, -self.delta, self.delta)
            f = (weights * psi * (residual - psi / 2)).sum(1)
            pull = weights * psi
            inside = np.abs(residual) <= self.delta
            gradient = self._gradient(shares, pull)
            hessian = self._hessian(shares, pull, weights * inside - pull)
            reweighted = weights * self.delta / np.maximum(np.abs(residual), self.delta)
            return f, gradient, hessian, self._scale(shares, reweighted)

    def _shares(self, theta: Array) -> tuple[tuple[Array, Array, Array], Array]:
        """The softmax shares (p_u, p_v, p_w) and the residuals, each [B, runs]."""
        a, b, e, alpha, beta = theta.T[:, :, None]
        u, v = a - alpha * self.x, b - beta * self.y
        top = np.maximum(np.maximum(u, v), e)
        p_u, p_v, p_w = np.exp(u - top), np.exp(v - top), np.exp(e - top)
        total = p_u + p_v + p_w
        return (p_u / total, p_v / total, p_w / total), top + np.log(total) - self.ln_loss

    def _gradient(self, shares: tuple[Array, Array, Array], pull: Array) -> Array:
        """Σ ω·ψ·J with J = (p_u, p_v, p_w, −x·p_u, −y·p_v)."""
        p_u, p_v, p_w = (pull * share for share in shares)
        return np.stack([p_u.sum(1), p_v.sum(1), p_w.sum(1), -(p_u @ self.x), -(p_v @ self.y)], axis=1)

    def _hessian(self, shares: tuple[Array, Array, Array], pull: Array, curve: Array) -> Array:
        """Σ (ω·1(|r| ≤ δ) − ω·ψ)·J·Jᵀ + ω·ψ·Kᵀ·diag(p)·K, from sums over six features of x and y."""
        x, y = self.x, self.y
        one = np.ones_like(x)
        p_u, p_v, p_w = shares
        uu = (curve * p_u * p_u + pull * p_u) @ np.stack([one, -x, x * x], axis=1)
        vv = (curve * p_v * p_v + pull * p_v) @ np.stack([one, -y, y * y], axis=1)
        uv = (curve * p_u * p_v) @ np.stack([one, -x, -y, x * y], axis=1)
        uw = (curve * p_u * p_w) @ np.stack([one, -x], axis=1)
        vw = (curve * p_v * p_w) @ np.stack([one, -y], axis=1)
        ww = (curve * p_w * p_w + pull * p_w).sum(1)
        rows = [
            [uu[:, 0], uv[:, 0], uw[:, 0], uu[:, 1], uv[:, 2]],
            [uv[:, 0], vv[:, 0], vw[:, 0], uv[:, 1], vv[:, 1]],
            [uw[:, 0], vw[:, 0], ww, uw[:, 1], vw[:, 1]],
            [uu[:, 1], uv[:, 1], uw[:, 1], uu[:, 2], uv[:, 3]],
            [uv[:, 2], vv[:, 1], vw[:, 1], uv[:, 3], vv[:, 2]],
        ]
        return np.stack([np.stack(row, axis=1) for row in rows], axis=1)

    def _scale(self, shares: tuple[Array, Array, Array], reweighted: Array) -> Array:
        """Diagonal of Σ ω·min(1, δ/|r|)·J·Jᵀ."""
        uu, vv, ww = (reweighted * share * share for share in shares)
        return np.stack([uu.sum(1), vv.sum(1), ww.sum(1), uu @ self.x**2, vv @ self.y**2], axis=1)
