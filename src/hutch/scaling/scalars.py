"""What a law that takes scalars or arrays hands back."""

from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """A float for a scalar, else the array."""
    return float(value) if np.ndim(value) == 0 else np.asarray(value)
