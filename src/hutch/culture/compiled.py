"""Loops compiled by numba and kept on disk.

Why numba: its kernels run on every core without SIMD tricks by hand, where NVIDIA Warp's CPU kernels run on one thread
without SIMD, Quadrants is young, and JAX compiles slowly and runs slower on a CPU. Why Python threads over slices of
the worlds and not numba's own parallel loops: OpenMP does not survive a fork, and runs here are forked from a warm
server; a slice on one thread is also the plainest proof that threads change nothing.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hutch.culture.libraries import library

ALSO_COMPILED = ("compiled.py", "kinds.py", "rewards.py")
"""Files beside the kernels' own whose code or numbers are compiled."""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, compiled at its first call, strict in the order of its floating-point operations; a part of a
    `kernel`, into which it is written out: a call that hands on a whole `WorldState` costs more than a step.
    """
    return library("numba").njit(nogil=True, boundscheck=False, error_model="numpy", forceinline=True)(function)


def leaf(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a part that takes numbers and single arrays: whether it is written out is left to the compiler."""
    return library("numba").njit(nogil=True, boundscheck=False, error_model="numpy")(function)


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, compiled at its first call and kept on disk: what Python calls.

    numba keeps what it compiled by the age of the function's own file. Kernels of this room call parts in other files,
    so the age of every file that is compiled counts here.
    """
    loop = library("numba").njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")(function)
    kept = getattr(loop._cache, "_cache_file", None)
    if kept is not None:
        kept._source_stamp = _age_of_the_kernels()
    return loop


@cache
def _age_of_the_kernels() -> tuple[tuple[str, int, int], ...]:
    here = Path(__file__).parent
    files = [*sorted(here.glob("*_kernels.py")), *(here / name for name in ALSO_COMPILED)]
    return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
