"""The objective of the repeated-data fit with analytic derivatives, for many pairs of constants at once.

    Σ_i ω_i · Huber_δ( ln L̂(N_i, D_i, U_i) − ln L_i )        (Muennighoff et al. 2023, arXiv:2305.16264, §5)

a sum, over φ = (ln R_D*, ln R_N*), the single-epoch law being given. Legend: batch B; x = R/R*; `gain` is what
1 + R copies are worth; p_N, p_D are the shares of A·N'^−α and B·D'^−β in the loss.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from hutch.scaling.columns import Array
from hutch.scaling.laws import ParametricLaw
from hutch.scaling.repetition import RepeatedDataLaw

_CELLS = 150_000
"""Members × runs worked on at once, so that a batch's arrays stay in cache."""


@dataclass(frozen=True)
class RepetitionProblem:
    """`weights` [members, runs]. Of each run: `repeats` R_D, `surplus` R_N, ln L, and the loss terms A·U_N^−α and
    B·U_D^−β, to which repeats and surplus are applied."""

    law: ParametricLaw
    repeats: Array
    surplus: Array
    parameter_term: Array
    data_term: Array
    ln_loss: Array
    delta: float
    weights: Array

    @classmethod
    def of(
        cls,
        law: ParametricLaw,
        parameters: Array,
        tokens: Array,
        unique_tokens: Array,
        loss: Array,
        *,
        delta: float,
        weights: Array,
    ) -> "RepetitionProblem":
        useful = np.minimum(parameters, RepeatedDataLaw(law, 1.0, 1.0).useful_parameters(unique_tokens))
        return cls(
            law,
            repeats=tokens / unique_tokens - 1,
            surplus=parameters / useful - 1,
            parameter_term=law.A * useful**-law.alpha,
            data_term=law.B * unique_tokens**-law.beta,
            ln_loss=np.log(loss),
            delta=delta,
            weights=weights,
        )

    @property
    def perfect(self) -> Array:
        """The objective of each member below which the fit is perfect."""
        return 1e-22 * min(self.delta, 1e-3) ** 2 * self.weights.sum(1)

    def select(self, members: np.ndarray) -> "RepetitionProblem":
        """The problem of some members, in the order given and as often as given."""
        return replace(self, weights=self.weights[members])

    def huber(self, phi: Array) -> Array:
        """Huber_δ of each run's residual, [B, runs], unweighted."""
        residual = self._residual(np.exp(phi))
        psi = np.clip(residual, -self.delta, self.delta)
        return psi * (residual - psi / 2)

    def evaluate(self, phi: Array, members: np.ndarray) -> tuple[Array, Array, Array, Array]:
        """f [B], gradient [B, 2], Hessian [B, 2, 2] and the reweighted Gauss–Newton diagonal [B, 2] of `members`."""
        chunk = max(1, _CELLS // len(self.ln_loss))
        parts = [
            self._evaluate(phi[start : start + chunk], self.weights[members[start : start + chunk]])
            for start in range(0, len(phi), chunk)
        ]
        f, g, h, d = (np.concatenate(column) for column in zip(*parts, strict=True))
        return f, g, h, d

    def _huber_weight(self, residual: Array) -> Array:
        """min(1, δ/|r|)."""
        if math.isinf(self.delta):
            return np.ones_like(residual)
        return self.delta / np.maximum(np.abs(residual), self.delta)

    def _residual(self, star: Array) -> Array:
        terms = self._terms(star)
        return np.log(self.law.E + terms[0] + terms[1]) - self.ln_loss

    def _terms(self, star: Array) -> tuple[Array, Array]:
        """A·N'^−α and B·D'^−β, each [B, runs]."""
        gain_d, gain_n = _gain(self.repeats, star[:, :1]), _gain(self.surplus, star[:, 1:])
        return self.parameter_term * gain_n**-self.law.alpha, self.data_term * gain_d**-self.law.beta

    def _evaluate(self, phi: Array, weights: Array) -> tuple[Array, Array, Array, Array]:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            star = np.exp(phi)
            term_n, term_d = self._terms(star)
            total = self.law.E + term_n + term_d
            residual = np.log(total) - self.ln_loss
            s_d, s_dd = _slopes(self.repeats, star[:, :1], self.law.beta, term_d / total)
            s_n, s_nn = _slopes(self.surplus, star[:, 1:], self.law.alpha, term_n / total)
            psi = np.clip(residual, -self.delta, self.delta)
            pull, curve = weights * psi, weights * (np.abs(residual) <= self.delta)
            # ∂²r/∂φ_D∂φ_N = −(∂r/∂φ_D)·(∂r/∂φ_N), as only the total ties the two terms.
            cross = ((curve - pull) * s_d * s_n).sum(1)
            dd = (curve * s_d * s_d + pull * s_dd).sum(1)
            nn = (curve * s_n * s_n + pull * s_nn).sum(1)
            reweighted = weights * self._huber_weight(residual)
            f = (pull * (residual - psi / 2)).sum(1)
        gradient = np.stack([(pull * s_d).sum(1), (pull * s_n).sum(1)], axis=1)
        hessian = np.stack([np.stack([dd, cross], axis=1), np.stack([cross, nn], axis=1)], axis=1)
        scale = np.stack([(reweighted * s_d * s_d).sum(1), (reweighted * s_n * s_n).sum(1)], axis=1)
        return f, gradient, hessian, scale


def _gain(copies: Array, star: Array) -> Array:
    """1 + R*·(1 − exp(−R/R*))."""
    return 1 - star * np.expm1(-copies / star)


def _slopes(copies: Array, star: Array, exponent: float, share: Array) -> tuple[Array, Array]:
    """First and second derivative of ln L̂ in ln R*, of a term ∝ gain^−exponent with `share` of the loss.

    With g = ∂ ln gain/∂ ln R*: ∂ ln L̂ = −exponent·share·g, and ∂ share = −exponent·g·share·(1 − share).
    """
    x = copies / star
    fade = np.exp(-x)
    gain = 1 - star * np.expm1(-x)
    # 1 − (1 + x)·e^−x, of which cancellation leaves nothing for small x.
    rise = np.where(x < 1e-4, x * x * (0.5 - x / 3), -np.expm1(-x) - x * fade)
    g = star * rise / gain
    bend = (star * rise - star * x * x * fade) / gain - g * g
    return -exponent * share * g, -exponent * share * (bend - exponent * g * g * (1 - share))
