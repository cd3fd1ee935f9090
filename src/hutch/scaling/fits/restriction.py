"""Fewer than five free constants, and what is known of E beforehand: for data that cannot hold all five."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array


@dataclass(frozen=True)
class Restriction:
    """θ = φ·basisᵀ + offset, with φ [..., k] free: all five constants, or α = β, or E held, or both."""

    tied: bool = False
    """α = β, as in Muennighoff et al. 2023 and Gadre et al. 2024."""
    floor: float | None = None
    """E, held at this many nats per token."""

    def __post_init__(self) -> None:
        if self.floor is not None and not (math.isfinite(self.floor) and self.floor > 0):
            raise BadInput(f"floor is {self.floor:g}; E is held at a finite loss above 0")

    @cached_property
    def basis(self) -> Array:
        """[5, k], k the number of free constants."""
        basis = np.eye(5)
        if self.tied:
            basis[4, 3] = 1.0
        kept = [0, 1, *([] if self.floor is not None else [2]), 3, *([] if self.tied else [4])]
        return basis[:, kept]

    @cached_property
    def offset(self) -> Array:
        """[5]."""
        return np.array([0, 0, 0 if self.floor is None else math.log(self.floor), 0, 0], dtype=float)

    def free(self, theta: Array) -> Array:
        """φ of θ that obeys the restriction (or the nearest, where α and β differ)."""
        return (theta - self.offset) @ np.linalg.pinv(self.basis).T

    def full(self, phi: Array) -> Array:
        """θ [..., 5] of φ [..., k]."""
        return phi @ self.basis.T + self.offset


@dataclass(frozen=True)
class FloorPrior:
    """E is known beforehand as `mean` ± `sd` (one standard deviation, nats per token): a normal."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and self.mean > 0 and math.isfinite(self.sd) and self.sd > 0):
            raise BadInput(f"the prior of E is {self.mean:g} ± {self.sd:g}; both must be finite and above 0")

    def precision(self, scale: float) -> float:
        """Its weight in an objective whose likelihood is exp(−objective/scale)."""
        return scale / self.sd**2


def likelihood_scale(objective: float, runs: int, delta: float) -> float:
    """τ that makes exp(−Huber_δ(r)/τ) the likeliest density of the residuals: Besiroglu et al. 2024 read the
    objective so. It weighs a prior against the runs.

        Z(τ) = √(2πτ)·erf(δ/√(2τ)) + (2τ/δ)·exp(−δ²/(2τ)),     τ minimises ln Z(τ) + f/(n·τ)
    """
    mean = max(objective / runs, 1e-300)
    scales = mean * np.geomspace(0.25, 4, 400)
    width = np.sqrt(2 * math.pi * scales)
    if math.isinf(delta):
        ln_z = np.log(width)
    else:
        inside = np.array([math.erf(delta / math.sqrt(2 * scale)) for scale in scales])
        ln_z = np.log(width * inside + 2 * scales / delta * np.exp(-(delta**2) / (2 * scales)))
    return float(scales[np.argmin(ln_z + mean / scales)])
