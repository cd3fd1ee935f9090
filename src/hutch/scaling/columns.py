"""Columns of a table of runs on their way in: numbers, of one length, finite, positive; else one clear
line."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hutch.runs.errors import BadInput

Array = NDArray[np.float64]


def positive_columns(**columns: ArrayLike) -> tuple[Array, ...]:
    """The columns as float64 arrays [rows], in the order given.

    Floats throughout: 6·N·D overflows 64-bit integers above 9.2e18. `BadInput` names the column and the first
    bad row (rows count from 0).
    """
    arrays = {name: _floats(name, values) for name, values in columns.items()}
    first, rows = next((name, len(values)) for name, values in arrays.items())
    for name, values in arrays.items():
        if len(values) != rows:
            raise BadInput(f"{name} has {len(values)} rows and {first} has {rows}; they describe the same runs")
        bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
        if bad.size:
            row = int(bad[0])
            raise BadInput(f"{name}, row {row}: {values[row]:g} is not a finite number above 0")
    if rows == 0:
        raise BadInput(f"{first} is empty; at least one run is needed")
    return tuple(arrays.values())


def positive_number(name: str, value: Any) -> float:
    """`value` as a finite float above 0, else `BadInput`."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{name} is {value!r}; a finite number above 0 is needed") from error
    if not (np.isfinite(number) and number > 0):
        raise BadInput(f"{name} is {number:g}; a finite number above 0 is needed")
    return number


def positive_values(name: str, values: ArrayLike) -> Array:
    """A scalar or an array of any shape as float64, all finite and above 0, else `BadInput`."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{name} is not numeric: {error}") from error
    if not np.all(np.isfinite(array) & (array > 0)):
        raise BadInput(f"{name} holds a value that is not a finite number above 0")
    return array


def check_bootstrap(bootstraps: int, level: float) -> None:
    """`BadInput` unless `bootstraps` is a whole number from 0 and 0 < `level` < 1."""
    whole = isinstance(bootstraps, int | np.integer) and not isinstance(bootstraps, bool)
    if not whole or bootstraps < 0:
        raise BadInput(f"bootstraps is {bootstraps}; a whole number from 0 is needed")
    if not 0 < level < 1:
        raise BadInput(f"level is {level}; a share between 0 and 1 is needed, such as 0.8")


def _floats(name: str, values: ArrayLike) -> Array:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{name} is not a column of numbers: {error}") from error
    if array.ndim != 1:
        raise BadInput(f"{name} has {array.ndim} dimensions; one value for each run is needed")
    return array
