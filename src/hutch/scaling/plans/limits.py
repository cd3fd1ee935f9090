"""When the model is also to be served, and when unique tokens run out: the optimum moves."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.inference import inference_optimum
from hutch.scaling.laws import FLOPS_PER_ND, ParametricLaw
from hutch.scaling.plans.figures import Drawn, Figure
from hutch.scaling.plans.loss_laws import LossLaw
from hutch.scaling.repetition import MUENNIGHOFF, RepeatedDataLaw

MOST_DRAWS = 200
"""Draws that an optimum without a closed form is worked out for."""

C4_ONLY = (
    "R_D* = 15.4 and R_N* = 5.3 were fitted on C4 (Muennighoff et al. 2023, arXiv:2305.16264); the trend carries over "
    "to other data, the loss does not, and the law cannot show over-fitting"
)


@dataclass(frozen=True, kw_only=True)
class ServedOptimum:
    """The model that reaches the plan's loss at the least compute over its life, 6·N·D + 2·N·I (Sardana et al. 2024,
    arXiv:2401.00448). Ratios are to the model of the same loss that is cheapest to train."""

    inference_tokens: float
    loss: Figure
    parameters: Figure
    tokens: Figure
    tokens_per_parameter: Figure
    training_flops: Figure
    inference_flops: Figure
    lifetime_flops: Figure
    parameters_ratio: Figure
    tokens_ratio: Figure
    training_flops_ratio: Figure
    lifetime_flops_ratio: Figure


@dataclass(frozen=True, kw_only=True)
class LimitedOptimum:
    """The best N and D when at most `unique_tokens` of the tokens are unique."""

    unique_tokens: float
    enough: bool
    """Whether one epoch suffices, so that nothing changes."""
    parameters: Figure
    tokens: Figure
    epochs: Figure
    loss: Figure
    loss_unlimited: Figure
    penalty: Figure
    """`loss` minus `loss_unlimited`, nats per token."""


def served(loss_law: LossLaw, loss: Drawn, inference_tokens: float) -> ServedOptimum:
    """The optimum for the plan's `loss` when `inference_tokens` will be served; training counts as 6·N·D, in
    whatever count the law has its C, since serving is counted as 2·N·I."""

    def optimum(law: ParametricLaw, target: float) -> dict[str, float]:
        found = inference_optimum(law, inference_tokens=inference_tokens, target_loss=target)
        alone = FLOPS_PER_ND * found.parameters_chinchilla * found.tokens_chinchilla
        names = (
            "loss", "parameters", "tokens", "tokens_per_parameter", "training_flops", "inference_flops",
            "lifetime_flops", "parameters_ratio", "tokens_ratio", "lifetime_flops_ratio",
        )  # fmt: skip
        ratio = {"training_flops_ratio": found.training_flops / alone}
        return {name: getattr(found, name) for name in names} | ratio

    return ServedOptimum(inference_tokens=inference_tokens, **_each_draw(loss_law, optimum, loss))


def limited(loss_law: LossLaw, compute: Drawn, unique_tokens: float, flops_per_nd: float) -> LimitedOptimum:
    """The optimum of κ·N·D = `compute`, κ = `flops_per_nd`, on `unique_tokens` unique ones, under Muennighoff's R* on
    the loss law."""

    def optimum(law: ParametricLaw, budget: float) -> dict[str, float]:
        repeated = RepeatedDataLaw(law, r_d_star=MUENNIGHOFF.r_d_star, r_n_star=MUENNIGHOFF.r_n_star)
        found = repeated.optimal(budget, unique_tokens, flops_per_nd)
        names = ("parameters", "tokens", "epochs", "loss", "loss_unlimited")
        return {name: getattr(found, name) for name in names} | {"penalty": found.loss - found.loss_unlimited}

    found = _each_draw(loss_law, optimum, compute)
    tokens = found["tokens"].value
    return LimitedOptimum(unique_tokens=unique_tokens, enough=tokens is not None and tokens < unique_tokens, **found)


def _each_draw(
    loss_law: LossLaw, optimum: Callable[[ParametricLaw, float], dict[str, float]], given: Drawn
) -> dict[str, Figure]:
    """`optimum` at the point and at up to `MOST_DRAWS` draws of the law; a draw that has none is lost."""
    point = optimum(loss_law.parametric, given.value)
    silent = next((f for f in (*loss_law.constants, given) if not len(f.draws) and not f.exact), None)
    if silent is not None:
        return {name: Drawn(value=value, reason=silent.reason).figure() for name, value in point.items()}
    constants = np.stack([constant.draws for constant in loss_law.constants], axis=1)[:MOST_DRAWS]
    inputs = np.full(len(constants), given.value) if given.exact else given.draws[: len(constants)]
    rows = [_one(optimum, row, value) for row, value in zip(constants, inputs, strict=False)]
    return {
        name: Drawn(
            value=value, draws=np.array([row.get(name, np.nan) for row in rows]), level=loss_law.constants[0].level
        ).figure()
        for name, value in point.items()
    }


def _one(
    optimum: Callable[[ParametricLaw, float], dict[str, float]], constants: np.ndarray, given: float
) -> dict[str, float]:
    if not (np.isfinite(constants).all() and np.isfinite(given)):
        return {}
    try:
        return optimum(ParametricLaw(*map(float, constants)), float(given))
    except BadInput:
        return {}
