"""What training a model costs, counted before and measured after."""

import os
from dataclasses import dataclass
from typing import Any

from hutch.lm.family import shape_of
from hutch.lm.groups import Group
from hutch.lm.speed import training_tokens_per_second
from hutch.lm.train_config import TrainConfig
from hutch.lm.training import learner_of
from hutch.scaling.flops import flops_6nd, parameters, training_flops_per_token

BYTES_A_PARAMETER = 16
"""Weights, gradients and two moments in float32; activations come on top."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Counts that follow from a configuration."""

    parameters: int
    """Matrices and the tied embedding (`hutch.scaling.flops.parameters`)."""
    tokens: int
    """In whole steps."""
    steps: int
    flops_per_token: int
    """Of training, by Appendix F of Hoffmann et al. 2022 as executed, without what is computed twice: MFU's FLOPs."""
    flops: int
    """For all tokens."""
    flops_recomputed: int
    """`flops` and the second forward pass through the blocks, if the configuration asks for one."""
    flops_6nd: int
    """6·N·D."""


def costs_of(config: TrainConfig) -> Costs:
    """The counts for a whole run."""
    shape, positions = shape_of(config.model), config.model.positions
    size, tokens = parameters(shape, positions), config.steps * config.batch_tokens
    once = training_flops_per_token(shape, "executed", positions)
    again = "full" if config.recompute else "none"
    return Costs(
        parameters=size,
        tokens=tokens,
        steps=config.steps,
        flops_per_token=once,
        flops=once * tokens,
        flops_recomputed=training_flops_per_token(shape, "executed", positions, recomputation=again) * tokens,
        flops_6nd=int(flops_6nd(size, tokens)),
    )


def expected_minutes(config: TrainConfig, group: Group, device: str) -> float | None:
    """Minutes for the whole run, from steps timed here for a second; None for a model that memory cannot hold."""
    costs = costs_of(config)
    if group.any(costs.parameters * BYTES_A_PARAMETER > _free_memory()):
        return None
    return costs.tokens / training_tokens_per_second(learner_of(config, group, device), config) / 60


def achieved(costs: Costs, seconds: float, peak: float) -> dict[str, Any]:
    """Speed of a run that took `seconds`; MFU (Chowdhery et al. 2022, arXiv:2204.02311, App. B) is against `peak`, the
    FLOP/s of matrix products measured on all of its devices."""
    return {
        "seconds": seconds,
        "tokens_per_second": costs.tokens / seconds,
        "flops_per_second": costs.flops / seconds,
        "peak_flops_per_second": peak,
        "mfu": costs.flops / seconds / peak,
    }


def _free_memory() -> float:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return float("inf")
