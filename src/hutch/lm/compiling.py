"""Whether torch.compile pays for itself within a run: timed on the run's own steps, not guessed.

Compiling takes from half a minute to some minutes, and what it gains depends on size, precision and device: on a CPU in
float32 next to nothing (docs/log.md). torch keeps what it compiled (`TORCHINDUCTOR_CACHE_DIR`), so that the runs of a
sweep that share a shape, and a run that goes on, compile once.
"""

import dataclasses
import time

from hutch.lm.groups import Group
from hutch.lm.speed import gemm_peak, training_tokens_per_second
from hutch.lm.train_config import TrainConfig
from hutch.lm.train_costs import costs_of, expected_minutes
from hutch.lm.training import learner_of

LEAST_SECONDS = 900.0
"""Shorter runs are not asked: the measurement alone would be a part of them that counts."""
LEAST_MFU = 0.05
"""No run is so slow that it uses less of a device, so that short ones are known without a step."""
LEAST_GAIN = 1.05
"""What is not clearly faster is left alone."""


def compiling_pays(config: TrainConfig, group: Group, device: str) -> bool:
    """Whether the whole run, compilation included, would be clearly shorter. Every process of the group must call it;
    all get the answer of the slowest."""
    least_seconds = costs_of(config).flops / gemm_peak(device, config.precision)
    if not group.any(least_seconds > LEAST_MFU * LEAST_SECONDS):
        return False
    minutes = expected_minutes(config, group, device)
    if minutes is None or not group.any(minutes * 60 >= LEAST_SECONDS):
        return False
    eager, tokens = minutes * 60, config.steps * config.batch_tokens
    trial = dataclasses.replace(config, compiled=True)
    began = time.perf_counter()
    try:
        rate = training_tokens_per_second(learner_of(trial, group, device), trial)
    except Exception:  # whatever a compiler may raise: without one, or for a model that it cannot compile
        return False
    setup = time.perf_counter() - began
    return not group.any(not worthwhile(eager, setup, tokens / rate))


def worthwhile(eager_seconds: float, setup_seconds: float, compiled_seconds: float) -> bool:
    """Whether a run of so many seconds is clearly shorter compiled, what it takes to compile included."""
    return setup_seconds + compiled_seconds < eager_seconds / LEAST_GAIN
