"""Parabolas of loss against the logarithm of a size: fits, vertices and bootstrap draws, in batches.

Legend: z is ln size moved and scaled onto [−1, 1]; coefficients are of 1, z, z².
"""

from dataclasses import dataclass

import numpy as np

from hutch.scaling.columns import Array

# Webb's six points (2014): with five to seven runs, Rademacher signs would give few distinct draws.
_WEBB = np.sqrt([0.5, 1.0, 1.5])
_WEBB_POINTS = np.concatenate([-_WEBB, _WEBB])


@dataclass(frozen=True)
class Axis:
    """ln size = centre + half·z; `size` holds the runs' sizes."""

    size: Array
    centre: float
    half: float

    @classmethod
    def of(cls, size: Array) -> "Axis":
        ln_size = np.log(size)
        return cls(size, (ln_size.max() + ln_size.min()) / 2, np.ptp(ln_size) / 2)

    @property
    def z(self) -> Array:
        return (np.log(self.size) - self.centre) / self.half

    def sizes(self, z: Array) -> Array:
        """From z back to sizes."""
        return np.exp(self.centre + self.half * z)

    def in_logs(self, coefficients: Array) -> tuple[float, float, float]:
        """The coefficients of 1, ln size and (ln size)²."""
        c0, c1, c2 = (float(c) for c in coefficients)
        slope, curvature = c1 / self.half, c2 / self.half**2
        shift = -self.centre
        return c0 + slope * shift + curvature * shift**2, slope + 2 * curvature * shift, curvature


def fit_parabolas(z: Array, losses: Array, weights: Array | None = None) -> Array:
    """Least-squares coefficients [batch, 3] for losses [batch, runs], weights [batch, runs] or all equal.

    A batch member whose weights leave fewer than three distinct z gives NaN.
    """
    design = _design(z)
    if weights is None:
        return losses @ np.linalg.pinv(design).T
    normal = np.einsum("bi,ij,ik->bjk", weights, design, design)
    moments = (weights * losses) @ design
    _, place = np.unique(z, return_inverse=True)
    held = (weights @ np.eye(place.max() + 1)[place] > 0).sum(1) >= 3
    coefficients = np.full_like(moments, np.nan)
    coefficients[held] = np.linalg.solve(normal[held], moments[held][..., None])[..., 0]
    return coefficients


def vertices(coefficients: Array) -> tuple[Array, Array]:
    """z and loss at the minimum, [batch] each; NaN where the parabola opens downward or the vertex is at or
    beyond the edge of the sizes tried, or its loss is not above 0."""
    c0, c1, c2 = coefficients.T
    with np.errstate(invalid="ignore", divide="ignore"):
        z = -c1 / (2 * c2)
        loss = c0 - c1**2 / (4 * c2)
        minimum = (c2 > 0) & (np.abs(z) < 1) & (loss > 0)
        return np.where(minimum, z, np.nan), np.where(minimum, loss, np.nan)


def residual_losses(z: Array, losses: Array, multipliers: Array, degree: int = 2) -> Array:
    """Wild-bootstrap losses [draws, runs]: the polynomial plus residuals times `multipliers` [draws, runs].

    Each residual is divided by √(1 − leverage) (HC2), since a parabola through five runs swallows three
    fifths of the noise.
    """
    design = z[:, None] ** np.arange(degree + 1)
    hat = design @ np.linalg.pinv(design)
    fitted = hat @ losses
    room = np.maximum(1 - np.diag(hat), 0.0)
    # A run that its own leverage pins exactly leaves no residual to learn from.
    corrected = np.where(room > 1e-9, (losses - fitted) / np.sqrt(np.maximum(room, 1e-9)), 0.0)
    return fitted + corrected * multipliers


def student_multipliers(random: np.random.Generator, shape: tuple[int, int], degree: int = 2) -> Array:
    """Multipliers [draws, runs] for `residual_losses`: Webb's six points (mean 0, variance 1), times one
    factor a draw, √(ν / χ²_ν), ν = runs − degree − 1.

    The factor does what Student's t does for a mean: the noise is itself known only from ν residuals.
    """
    draws, runs = shape
    freedom = max(runs - degree - 1, 1)
    factor = np.sqrt(freedom / random.chisquare(freedom, size=draws))
    return _WEBB_POINTS[random.integers(6, size=shape)] * factor[:, None]


def _design(z: Array) -> Array:
    return np.stack([np.ones_like(z), z, z * z], axis=1)
