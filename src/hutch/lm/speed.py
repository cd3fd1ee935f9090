"""How fast a device multiplies, and how fast a group of them trains: both timed, not read off a name."""

import time

import numpy as np
import torch

from hutch.lm.precision import gemm_flops_per_second, measured_precision
from hutch.lm.train_config import Precision, TrainConfig
from hutch.lm.training import Learner, train_step

GPU_SIZE, GPU_SECONDS = 8192, 0.5
WARM_UP_STEPS, LEAST_STEPS = 2, 3


def gemm_peak(device: str, precision: Precision) -> float:
    """FLOP/s of square matrix products in `precision` on one device (of a CPU, with the threads of this process)."""
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    if torch.device(device).type == "cpu":
        return gemm_flops_per_second(dtype)
    a, b = torch.randn(2, GPU_SIZE, GPU_SIZE, device=device).to(dtype)
    best, end = float("inf"), time.perf_counter() + GPU_SECONDS
    while best == float("inf") or time.perf_counter() < end:
        start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        a @ b
        stop.record()
        torch.cuda.synchronize(device)
        best = min(best, start.elapsed_time(stop) / 1e3)
    return 2 * GPU_SIZE**3 / best


def fastest_precision(device: str) -> Precision:
    """The precision in which `device` multiplies fastest."""
    if torch.device(device).type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return measured_precision()[0]


def training_tokens_per_second(learner: Learner, config: TrainConfig, seconds: float = 1.0) -> float:
    """Tokens/s of real steps on random tokens, over all processes of the learner's group; its weights are spoilt."""
    shape = (2, config.sequences, config.model.context)
    inputs, targets = np.random.default_rng(0).integers(config.model.vocabulary, size=shape)
    steps, began = -WARM_UP_STEPS, time.perf_counter()
    while steps < LEAST_STEPS or learner.group.any(time.perf_counter() - began < seconds):
        if steps == 0:
            began = time.perf_counter()
        train_step(learner, (inputs, targets), config, 0)
        steps += 1
    return steps * config.batch_tokens / (time.perf_counter() - began)
