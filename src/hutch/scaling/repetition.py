"""Training on repeated data, and the exact optimum when unique tokens run out (Muennighoff et al. 2023,
arXiv:2305.16264, §3.1 and §5)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, positive_number, positive_values
from hutch.scaling.intervals import json_numbers
from hutch.scaling.laws import FLOPS_PER_ND, ParametricLaw
from hutch.scaling.published import MUENNIGHOFF_LAW
from hutch.scaling.roots import falling_root
from hutch.scaling.scalars import plain


@dataclass(frozen=True, kw_only=True)
class RepeatedOptimum:
    """The best N and D for a budget on limited data; each figure a float, or an array where an input was one.

    `unique_tokens` are those used, at most those at hand. `*_unlimited` is the optimum with data to spare.
    """

    parameters: Any
    tokens: Any
    unique_tokens: Any
    epochs: Any
    loss: Any
    effective_parameters: Any
    effective_tokens: Any
    parameters_unlimited: Any
    tokens_unlimited: Any
    loss_unlimited: Any

    def as_dict(self) -> dict[str, Any]:
        return {name: json_numbers(getattr(self, name)) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class RepeatedDataLaw:
    """L = E + A·N'^−α + B·D'^−β, where repeated tokens and surplus parameters count for less and less.

        D' = U_D·(1 + R_D*·(1 − exp(−R_D/R_D*))),   R_D = D/U_D − 1
        N' = U_N·(1 + R_N*·(1 − exp(−R_N/R_N*))),   R_N = N/U_N − 1,   U_N = min(N, G·(G·U_D)^(β/α))

    U_D are unique tokens, U_N the parameters that they can use. D' never falls with D, so over-fitting is not in
    it. Every method takes scalars or arrays; `BadInput` where there are more unique tokens than tokens.
    """

    law: ParametricLaw
    r_d_star: float
    r_n_star: float

    def __post_init__(self) -> None:
        positive_number("r_d_star", self.r_d_star)
        positive_number("r_n_star", self.r_n_star)

    def loss(self, parameters: ArrayLike, tokens: ArrayLike, unique_tokens: ArrayLike) -> Any:
        """Nats per token of N parameters after D tokens, U_D of them unique."""
        n = self.effective_parameters(parameters, unique_tokens)
        return self.law.loss(n, self.effective_tokens(tokens, unique_tokens))

    def effective_tokens(self, tokens: ArrayLike, unique_tokens: ArrayLike) -> Any:
        """D': the unique tokens worth as much as D with repeats."""
        tokens, unique = positive_values("tokens", tokens), positive_values("unique_tokens", unique_tokens)
        if np.any(unique > tokens):
            raise BadInput("unique_tokens above tokens: a run cannot hold more unique tokens than tokens")
        return plain(unique * saturation(tokens / unique - 1, self.r_d_star))

    def effective_parameters(self, parameters: ArrayLike, unique_tokens: ArrayLike) -> Any:
        """N': the parameters worth as much as N on so few unique tokens; N itself up to U_N."""
        n, useful = positive_values("parameters", parameters), np.asarray(self.useful_parameters(unique_tokens))
        useful = np.minimum(n, useful)
        return plain(useful * saturation(n / useful - 1, self.r_n_star))

    def useful_parameters(self, unique_tokens: ArrayLike) -> Any:
        """G·(G·U_D)^(β/α): the N for which one epoch of U_D tokens is compute-optimal."""
        law = self.law
        unique = positive_values("unique_tokens", unique_tokens)
        return plain(law.G * (law.G * unique) ** (law.beta / law.alpha))

    def optimal(
        self, compute: ArrayLike, unique_tokens: ArrayLike, flops_per_nd: float = FLOPS_PER_ND
    ) -> RepeatedOptimum:
        """The N and D of least loss with κ·N·D = C and at most `unique_tokens` unique ones; arguments broadcast.

        Exact. Where one epoch's optimum fits into the unique tokens, it is the answer. Else the answer has
        D > U and N > U_N, and solves αA·N'^−α·q_N = βB·D'^−β·q_D with q the elasticity of N' in N and of D' in D.
        Along κ·N·D = C the left side rises with D and the right side falls; at D = U the right side is the
        larger, at N = U_N the left: one root, and no optimum at a kink.
        """
        kappa = positive_number("flops_per_nd", flops_per_nd)
        compute, unique = np.broadcast_arrays(
            positive_values("compute", compute), positive_values("unique_tokens", unique_tokens)
        )
        free_n, free_d = self.law.n_opt(compute, kappa), np.asarray(self.law.d_opt(compute, kappa))
        limited = free_d > unique
        tokens = np.where(limited, self._repeated_tokens(np.log(compute / kappa), unique), free_d)
        used = np.where(limited, unique, tokens)
        n = np.where(limited, compute / (kappa * tokens), free_n)
        return RepeatedOptimum(
            parameters=plain(n),
            tokens=plain(tokens),
            unique_tokens=plain(used),
            epochs=plain(tokens / used),
            loss=self.loss(n, tokens, used),
            effective_parameters=self.effective_parameters(n, used),
            effective_tokens=self.effective_tokens(tokens, used),
            parameters_unlimited=free_n,
            tokens_unlimited=plain(free_d),
            loss_unlimited=self.law.loss_opt(compute, kappa),
        )

    def _repeated_tokens(self, ln_product: Array, unique: Array) -> Array:
        """The root in D at N·D = exp(ln_product), where one epoch's optimum needs more than `unique` tokens."""
        law, ln_u = self.law, np.log(unique)
        ln_useful = np.log(self.useful_parameters(unique))
        ln_sides = np.log(law.beta * law.B) - np.log(law.alpha * law.A)

        def excess(ln_d: Array) -> Array:
            ln_d_gain, ln_d_elasticity = _ln_saturation(ln_d - ln_u, self.r_d_star)
            ln_n_gain, ln_n_elasticity = _ln_saturation(ln_product - ln_d - ln_useful, self.r_n_star)
            right = ln_sides - law.beta * (ln_u + ln_d_gain) + ln_d_elasticity
            return right + law.alpha * (ln_useful + ln_n_gain) - ln_n_elasticity

        # Where data suffice the ends cross and the result is not used.
        ln_d = falling_root(excess, ln_u, np.maximum(ln_product - ln_useful, ln_u))
        return np.exp(np.maximum(ln_d, ln_u))


def saturation(surplus: ArrayLike, star: ArrayLike) -> Any:
    """1 + R*·(1 − exp(−R/R*)): what 1 + R copies are worth, R = `surplus` ≥ 0."""
    return 1 - star * np.expm1(-np.asarray(surplus) / star)


def _ln_saturation(ln_multiple: Array, star: float) -> tuple[Array, Array]:
    """ln of `saturation` at 1 + R = exp(ln_multiple), and ln of its elasticity (1 + R)·exp(−R/R*)/saturation."""
    surplus = np.maximum(np.expm1(ln_multiple), 0.0)
    gain = np.log(saturation(surplus, star))
    return gain, np.maximum(ln_multiple, 0.0) - surplus / star - gain


MUENNIGHOFF = RepeatedDataLaw(MUENNIGHOFF_LAW, r_d_star=15.387756, r_n_star=5.309743)
"""Muennighoff et al. 2023 on C4, fitted to 182 runs; their own code's digits. Trends carry over to other data,
absolute losses do not.

How loosely those runs hold the two: this is a local minimum of the objective. The lowest is 0.13 % lower, at
R_D* 95 and R_N* 1.7, and a sixth of resamples set no bound on R_D* at all (`fits.repetition`)."""
