"""Roots of a falling function, many at once."""

from collections.abc import Callable

import numpy as np

from hutch.scaling.columns import Array

_HALVINGS = 200


def falling_root(f: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """x in [low, high] where f, which falls in x, passes from above 0 to below, element by element.

    Bisection until no float lies between the ends. Where f is not above 0 at `low` the answer is `low`, and
    where it is not below 0 at `high` it is `high`: the caller brackets.
    """
    low, high = (np.array(end, dtype=float) for end in np.broadcast_arrays(low, high))
    for _ in range(_HALVINGS):
        middle = low + (high - low) / 2
        if np.all((middle <= low) | (middle >= high)):
            break
        above = f(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return low + (high - low) / 2
