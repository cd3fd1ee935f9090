"""Loops over arrays, compiled by numba when they are first called: importing this room costs nothing."""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

from hutch.runs.errors import BadInput

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, compiled at its first call and kept on disk for later processes. It may call no other compiled
    function. Raises BadInput at the first call where numba is not installed."""

    @cache
    def build() -> Callable[..., Any]:
        try:
            import numba  # pyrefly: ignore[missing-import]
        except ImportError as error:
            raise BadInput("the leakage scan needs numba: pip install 'hutch-lab[retrieval]'") from error
        return numba.njit(cache=True, nogil=True, boundscheck=False)(function)

    @wraps(function)
    def call(*arguments: P.args, **named: P.kwargs) -> R:
        return build()(*arguments, **named)

    return call
