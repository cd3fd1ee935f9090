"""The best model when training and serving are paid for: least lifetime dollars for a loss (Sardana et al. 2024,
arXiv:2401.00448, §4).

Training costs κ·N·D·p_t, reading T_in and writing T_out tokens 2·N·(T_in·p_in + T_out·p_out), with p the dollars of
a FLOP put to use; so a lifetime costs κ·N·p_t·(D + J), J = 2·(T_in·p_in + T_out·p_out)/(κ·p_t).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.scaling.columns import positive_number, positive_values
from hutch.scaling.devices import Rate
from hutch.scaling.inference import (
    FORWARD_PER_ND,
    chinchilla_match,
    non_negative_values,
    optimum_with_extra_tokens,
)
from hutch.scaling.intervals import json_numbers
from hutch.scaling.laws import FLOPS_PER_ND, ParametricLaw
from hutch.scaling.scalars import plain

REQUEST_TOKENS_IN, REQUEST_TOKENS_OUT = 70, 215
"""Tokens of a request and of its answer, defaults of Sardana et al."""


@dataclass(frozen=True, kw_only=True)
class CostOptimum:
    """The model to train and serve for the least money; each figure a float, or an array where an input was one.

    `*_chinchilla` is the model of the same loss that is cheapest to train alone; `*_ratio` is this one over it.
    """

    parameters: Any
    tokens: Any
    loss: Any
    training_dollars: Any
    inference_dollars: Any
    parameters_chinchilla: Any
    tokens_chinchilla: Any
    dollars_chinchilla: Any

    @property
    def dollars(self) -> Any:
        return self.training_dollars + self.inference_dollars

    @property
    def parameters_ratio(self) -> Any:
        return self.parameters / self.parameters_chinchilla

    @property
    def tokens_ratio(self) -> Any:
        return self.tokens / self.tokens_chinchilla

    @property
    def dollars_ratio(self) -> Any:
        return self.dollars / self.dollars_chinchilla

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: every field and every ratio."""
        derived = ("dollars", "parameters_ratio", "tokens_ratio", "dollars_ratio")
        return {name: json_numbers(getattr(self, name)) for name in (*self.__dataclass_fields__, *derived)}


def cost_optimum(
    law: ParametricLaw,
    *,
    tokens_in: ArrayLike,
    tokens_out: ArrayLike,
    training: Rate,
    prefill: Rate,
    decode: Rate,
    target_loss: ArrayLike | None = None,
    compute: ArrayLike | None = None,
    dollars: ArrayLike | None = None,
    flops_per_nd: float = FLOPS_PER_ND,
) -> CostOptimum:
    """The N and D of least lifetime dollars under exactly one of three conditions.

    `tokens_in` are read (prefill) and `tokens_out` written (decode) over the lifetime. `target_loss` in nats per
    token; `compute`: the loss that this many training FLOP reach at their own optimum; `dollars`: a lifetime budget,
    with the loss as low as it goes. `BadInput` as in `inference_optimum`.
    """
    kappa = positive_number("flops_per_nd", flops_per_nd)
    p_t = training.dollars_per_flop
    serving = FORWARD_PER_ND * (
        non_negative_values("tokens_in", tokens_in) * prefill.dollars_per_flop
        + non_negative_values("tokens_out", tokens_out) * decode.dollars_per_flop
    )
    budget = None if dollars is None else positive_values("dollars", dollars) / p_t
    n, d = optimum_with_extra_tokens(
        law, serving / (kappa * p_t), target_loss=target_loss, compute=compute, budget=budget, flops_per_nd=kappa
    )
    n, d, serving, n_0, d_0 = map(plain, np.broadcast_arrays(n, d, serving, *chinchilla_match(law, n, d)))
    return CostOptimum(
        parameters=n,
        tokens=d,
        loss=law.loss(n, d),
        training_dollars=kappa * n * d * p_t,
        inference_dollars=n * serving,
        parameters_chinchilla=n_0,
        tokens_chinchilla=d_0,
        dollars_chinchilla=n_0 * (kappa * d_0 * p_t + serving),
    )
