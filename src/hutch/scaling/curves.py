"""Training curves: one run's loss against compute, smoothed, and as a continuous map from FLOP to loss."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, positive_columns, positive_number
from hutch.scaling.comparing import ComparesArrays


@dataclass(frozen=True, eq=False)
class Curve(ComparesArrays):
    """One training run of `parameters` N: cumulative FLOP, tokens seen and training loss (nats per token)
    at the same moments, FLOP rising. Lists are taken; they are kept as float64 arrays. `BadInput` names a
    bad row."""

    parameters: float
    flops: Any
    tokens: Any
    loss: Any

    def __post_init__(self) -> None:
        columns = positive_columns(flops=self.flops, tokens=self.tokens, loss=self.loss)
        for name, column in zip(("flops", "tokens", "loss"), columns, strict=True):
            object.__setattr__(self, name, column)
        object.__setattr__(self, "parameters", positive_number("parameters", self.parameters))
        if len(self.flops) < 2:
            raise BadInput("a curve of one point; at least two are needed")
        falls = np.flatnonzero(np.diff(self.flops) <= 0)
        if falls.size:
            raise BadInput(f"flops, row {int(falls[0]) + 1}: not above the row before; FLOP must rise")

    def smoothed(self, window: float) -> Array:
        """The loss smoothed by `smooth`."""
        return smooth(self.loss, window)

    def at(self, flops: Array, window: float) -> tuple[Array, Array]:
        """Smoothed loss and tokens at `flops`, interpolated in ln FLOP; infinite loss outside the run."""
        ln_c, ln_run = np.log(flops), np.log(self.flops)
        loss = np.interp(ln_c, ln_run, self.smoothed(window), left=np.inf, right=np.inf)
        return loss, np.exp(np.interp(ln_c, ln_run, np.log(self.tokens)))


def smooth(loss: ArrayLike, window: float) -> Array:
    """Local-linear Gaussian smoothing, standard deviation `window` in points of the curve; 0 leaves it alone.

    Inside the curve this is the plain Gaussian average. At the ends, where that average would look one way
    only and lag behind a falling loss, a line is fitted under the same weights: the envelope lives at the
    ends.
    """
    loss = np.asarray(loss, dtype=np.float64)
    if not (np.isfinite(window) and window >= 0):
        raise BadInput(f"window is {window}; a number of points from 0 is needed")
    if window == 0 or len(loss) < 3:
        return loss.copy()
    reach = min(len(loss) - 1, int(np.ceil(4 * window)))
    offset = np.arange(-reach, reach + 1, dtype=float)
    kernel = np.exp(-0.5 * (offset / window) ** 2)

    def sums(values: Array, power: int) -> Array:
        # Σ_j K(j − i)·(j − i)^power·values_j: convolution flips, hence the sign of the odd power.
        full = np.convolve(values, kernel * (-offset) ** power)
        return full[reach : reach + len(loss)]

    one = np.ones_like(loss)
    s0, s1, s2 = (sums(one, power) for power in range(3))
    t0, t1 = sums(loss, 0), sums(loss, 1)
    determinant = s0 * s2 - s1 * s1
    # A window far below one point leaves a single weight, and no line.
    line = (s2 * t0 - s1 * t1) / np.where(determinant > 1e-12, determinant, 1.0)
    return np.where(determinant > 1e-12, line, t0 / s0)
