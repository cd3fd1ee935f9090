"""The best model when it is also to be served: least lifetime compute for a loss, or least loss for a lifetime
compute (Sardana et al. 2024, arXiv:2401.00448).

Training costs κ·N·D FLOP and serving I tokens costs 2·N·I, so a lifetime costs κ·N·(D + J), J = 2·I/κ.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, positive_number, positive_values
from hutch.scaling.intervals import json_numbers
from hutch.scaling.laws import FLOPS_PER_ND, ParametricLaw
from hutch.scaling.roots import falling_root
from hutch.scaling.scalars import plain

FORWARD_PER_ND = 2.0
"""FLOP of a forward pass per parameter and token."""


@dataclass(frozen=True, kw_only=True)
class InferenceOptimum:
    """The model to train and serve; each figure a float, or an array where an input was one.

    `*_chinchilla` is the model of the same loss that is cheapest to train alone; `*_ratio` is this one over it.
    """

    parameters: Any
    tokens: Any
    loss: Any
    inference_tokens: Any
    training_flops: Any
    inference_flops: Any
    parameters_chinchilla: Any
    tokens_chinchilla: Any
    lifetime_flops_chinchilla: Any

    @property
    def lifetime_flops(self) -> Any:
        return self.training_flops + self.inference_flops

    @property
    def tokens_per_parameter(self) -> Any:
        return self.tokens / self.parameters

    @property
    def parameters_ratio(self) -> Any:
        return self.parameters / self.parameters_chinchilla

    @property
    def tokens_ratio(self) -> Any:
        return self.tokens / self.tokens_chinchilla

    @property
    def lifetime_flops_ratio(self) -> Any:
        return self.lifetime_flops / self.lifetime_flops_chinchilla

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: every field and every ratio."""
        derived = ("lifetime_flops", "tokens_per_parameter", "parameters_ratio", "tokens_ratio", "lifetime_flops_ratio")
        return {name: json_numbers(getattr(self, name)) for name in (*self.__dataclass_fields__, *derived)}


def inference_optimum(
    law: ParametricLaw,
    *,
    inference_tokens: ArrayLike,
    target_loss: ArrayLike | None = None,
    compute: ArrayLike | None = None,
    budget: ArrayLike | None = None,
    flops_per_nd: float = FLOPS_PER_ND,
) -> InferenceOptimum:
    """The N and D of least κ·N·D + 2·N·I, I = `inference_tokens` ≥ 0, under exactly one of three conditions.

    `target_loss`: L(N, D) = ℓ, in nats per token. `compute`: the loss that this many training FLOP reach at their
    own optimum. `budget`: lifetime FLOP, κ·N·D + 2·N·I = C, with the loss as low as it goes. Arguments broadcast.
    `BadInput` where ℓ is at or below E, which no model reaches.
    """
    kappa = positive_number("flops_per_nd", flops_per_nd)
    served = non_negative_values("inference_tokens", inference_tokens)
    extra = FORWARD_PER_ND * served / kappa
    n, d = optimum_with_extra_tokens(
        law, extra, target_loss=target_loss, compute=compute, budget=budget, flops_per_nd=kappa
    )
    n, d, served, n_0, d_0 = map(plain, np.broadcast_arrays(n, d, served, *chinchilla_match(law, n, d)))
    return InferenceOptimum(
        parameters=n,
        tokens=d,
        loss=law.loss(n, d),
        inference_tokens=served,
        training_flops=kappa * n * d,
        inference_flops=FORWARD_PER_ND * n * served,
        parameters_chinchilla=n_0,
        tokens_chinchilla=d_0,
        lifetime_flops_chinchilla=n_0 * (kappa * d_0 + FORWARD_PER_ND * served),
    )


def optimum_with_extra_tokens(
    law: ParametricLaw,
    extra: Array,
    *,
    target_loss: ArrayLike | None = None,
    compute: ArrayLike | None = None,
    budget: ArrayLike | None = None,
    flops_per_nd: float = FLOPS_PER_ND,
) -> tuple[Array, Array]:
    """N and D of least N·(D + J), J = `extra`; the conditions are those of `inference_optimum`."""
    given = [name for name, value in _conditions(target_loss, compute, budget).items() if value is not None]
    if len(given) != 1:
        raise BadInput(f"one of target_loss, compute and budget is needed, not {' and '.join(given) or 'none'}")
    if budget is not None:
        return _of_budget(law, extra, positive_values("budget", budget) / flops_per_nd)
    if compute is not None:
        # Not through the loss itself, from which subtracting E would take the digits.
        ln_n = np.log(law.n_opt(compute, flops_per_nd))
        return _of_gap(law, extra, np.log(law.A * (1 + law.alpha / law.beta)) - law.alpha * ln_n)
    assert target_loss is not None  # the only one left
    return _of_gap(law, extra, np.log(_gap(law, positive_values("target_loss", target_loss))))


def _conditions(target_loss: Any, compute: Any, budget: Any) -> dict[str, Any]:
    return {"target_loss": target_loss, "compute": compute, "budget": budget}


def chinchilla_match(law: ParametricLaw, parameters: Array, tokens: Array) -> tuple[Array, Array]:
    """N and D that reach the loss of `parameters` and `tokens` for the fewest training FLOP: J = 0 in `_of_gap`."""
    ln_gap = np.log(law.A * parameters**-law.alpha + law.B * tokens**-law.beta)
    return (
        np.exp((np.log(law.A * (1 + law.alpha / law.beta)) - ln_gap) / law.alpha),
        np.exp((np.log(law.B * (1 + law.beta / law.alpha)) - ln_gap) / law.beta),
    )


def _of_gap(law: ParametricLaw, extra: Array, ln_gap: Array) -> tuple[Array, Array]:
    """(βB/α)·D^−β·(1 + J/D) + B·D^−β = ℓ − E, whose left side falls in D; then N = (A/(ℓ − E − B·D^−β))^(1/α).

    `ln_gap` is ln(ℓ − E). At J = 0 the root is the lower end. Where D ≥ J, 1 + J/D ≤ 2 gives the upper end in closed
    form.
    """
    ln_extra, ln_b, ratio = _ln(extra), np.log(law.B), law.beta / law.alpha
    low = (ln_b + np.log1p(ratio) - ln_gap) / law.beta
    high = np.maximum((ln_b + np.log1p(2 * ratio) - ln_gap) / law.beta, ln_extra)

    def excess(ln_d: Array) -> Array:
        return ln_b - law.beta * ln_d + np.log1p(ratio * (1 + np.exp(ln_extra - ln_d))) - ln_gap

    ln_d = falling_root(excess, low, high)
    data_share = np.exp(ln_b - law.beta * ln_d - ln_gap)
    return (
        _exp("parameters", (np.log(law.A) - ln_gap - np.log1p(-data_share)) / law.alpha),
        _exp("tokens", ln_d),
    )


def _of_budget(law: ParametricLaw, extra: Array, product: Array) -> tuple[Array, Array]:
    """N·(D + J) = P, `product`, and αA·N^−α·D/(D + J) = βB·D^−β, whose sides part ways monotonically in D.

    In logs: α·ln(D + J) − ln(1 + J/D) + β·ln D = ln(βB/αA) + α·ln P; the left side rises.
    """
    alpha, beta, ln_extra = law.alpha, law.beta, _ln(extra)
    target = np.log(beta * law.B) - np.log(alpha * law.A) + alpha * np.log(product)
    alone = target / (alpha + beta)
    # Where D ≥ J, ln(D + J) is within ln 2 of ln D.
    high = np.maximum(alone + abs(alpha - 1) * np.log(2) / (alpha + beta), ln_extra)
    low = np.minimum(alone, (target - (alpha - 1) * np.logaddexp(alone, ln_extra)) / (1 + beta))

    def shortfall(ln_d: Array) -> Array:
        return target - (alpha - 1) * np.logaddexp(ln_d, ln_extra) - (1 + beta) * ln_d

    ln_d = falling_root(shortfall, low, high)
    return _exp("parameters", np.log(product) - np.logaddexp(ln_d, ln_extra)), _exp("tokens", ln_d)


def _gap(law: ParametricLaw, loss: Array) -> Array:
    """ℓ − E above 0, else `BadInput`."""
    gap = loss - law.E
    if np.any(gap <= 0):
        raise BadInput(f"target loss {np.min(loss):g} is not above {law.E:g}, the law's E, which no model reaches")
    return gap


def non_negative_values(name: str, values: ArrayLike) -> Array:
    """A scalar or an array as float64, all finite and not below 0, else `BadInput`."""
    array = np.asarray(values, dtype=np.float64)
    if not np.all(np.isfinite(array) & (array >= 0)):
        raise BadInput(f"{name} holds a value that is not a finite number from 0")
    return array


def _ln(values: Array) -> Array:
    """ln, with ln 0 = −∞."""
    with np.errstate(divide="ignore"):
        return np.log(values)


def _exp(name: str, ln: Array) -> Array:
    if np.any(ln > 700):
        raise BadInput(f"{name} needed are beyond all floats; the target loss is too near the law's E")
    return np.exp(ln)
