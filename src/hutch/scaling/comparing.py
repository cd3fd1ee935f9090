"""Equality of results that hold arrays: dataclasses' own would ask an array whether it is true."""

import dataclasses
from typing import Any

import numpy as np


class ComparesArrays:
    """For dataclasses with `eq=False`: equal when every field is, arrays element by element, NaN equal to NaN."""

    def __eq__(self, other: object) -> bool:
        return same(self, other)

    __hash__ = None  # type: ignore[assignment]


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to the last bit."""
    if dataclasses.is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one)
        )
    if isinstance(one, tuple | list):
        return (
            isinstance(other, tuple | list)
            and len(one) == len(other)
            and all(same(a, b) for a, b in zip(one, other, strict=True))
        )
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return bool(one == other) or (one != one and other != other)
