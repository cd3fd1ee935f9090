"""Which precision this processor multiplies fastest in: measured, not read off a name."""

import os
import time

import torch

from hutch.lm.train_config import Precision
from hutch.runs.errors import HutchError

WORTHWHILE = 1.3
"""How much faster bfloat16 products must be before the casts around them are worth it."""


def gemm_flops_per_second(dtype: torch.dtype, size: int = 768, seconds: float = 0.15) -> float:
    """The best rate seen over square matrix products of one thread, in FLOP/s."""
    a, b = torch.randn(2, size, size, generator=torch.Generator().manual_seed(0)).to(dtype)
    best, end = float("inf"), time.perf_counter() + seconds
    a @ b
    # Once at least: on a busy machine the first product may have taken all of the time.
    while best == float("inf") or time.perf_counter() < end:
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def refuse_dynamic_threads() -> None:
    """OMP_DYNAMIC=TRUE makes bfloat16 products silently wrong on busy machines; do not start under it."""
    if os.environ.get("OMP_DYNAMIC", "").lower() in ("true", "1"):
        raise HutchError("OMP_DYNAMIC is set, which makes matrix products wrong on a busy machine: unset it")


def measured_precision() -> tuple[Precision, float]:
    """("bfloat16" or "float32", its FLOP/s for one thread). Where float32 wins, the slow kernels are not timed
    for longer than one product."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        single = gemm_flops_per_second(torch.float32)
        # A processor without bfloat16 units emulates it so slowly that a small product already tells.
        half = gemm_flops_per_second(torch.bfloat16, size=256, seconds=0.02)
        if half > single * 0.5:
            half = gemm_flops_per_second(torch.bfloat16)
        return ("bfloat16", half) if half > WORTHWHILE * single else ("float32", single)
    finally:
        torch.set_num_threads(threads)
