"""The minimum of one isoFLOP profile, by a parabola or by interpolation, and its bootstrap draws."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hutch.scaling.columns import Array
from hutch.scaling.fits.akima import interpolated_minima
from hutch.scaling.fits.parabolas import Axis, fit_parabolas, residual_losses, student_multipliers, vertices

Method = Literal["parabola", "akima"]
Resample = Literal["residuals", "pairs"]


@dataclass(frozen=True)
class Minimum:
    """Where a profile is lowest: ln size and loss, or the `reason` why it has no minimum inside."""

    ln_size: float
    loss: float
    coefficients: tuple[float, float, float] | None
    """Of 1, ln size, (ln size)²; None for an interpolation."""
    reason: str | None


@dataclass(frozen=True)
class Valley:
    """How profiles are read; see `profiles.fit_profiles` for the options."""

    method: Method
    resample: Resample
    within: float | None
    minimum_points: int

    def near(self, parameters: Array, tokens: Array, loss: Array) -> tuple[np.ndarray, str | None]:
        """Which runs [runs] are near enough to the minimum to be fitted, and why there are too few."""
        near, where = np.ones(len(loss), dtype=bool), ""
        if self.within is not None:
            near = np.abs(np.log(parameters) - _rough_minimum(parameters, loss)) <= np.log(self.within) * (1 + 1e-9)
            where = f" within a factor of {self.within:g} of the minimum"
        if near.sum() < self.minimum_points:
            return near, f"{near.sum()} runs{where}; at least {self.minimum_points} are needed"
        if min(len(np.unique(parameters[near])), len(np.unique(tokens[near]))) < 3:
            return near, f"fewer than three distinct sizes{where}; a parabola needs three"
        return near, None

    def minimum(self, axis: Axis, loss: Array, unit: str) -> Minimum:
        """The minimum of `loss` [runs] along `axis`."""
        if self.method == "akima":
            z, least = (float(found[0]) for found in interpolated_minima(axis.z, loss[None]))
            reason = None if np.isfinite(z) else _at_edge(axis, float(axis.z[loss.argmin()]), unit)
            return Minimum(axis.centre + axis.half * z, least, None, reason)
        fit = fit_parabolas(axis.z, loss[None])
        z, least = (float(found[0]) for found in vertices(fit))
        return Minimum(axis.centre + axis.half * z, least, axis.in_logs(fit[0]), _refusal(axis, fit[0], unit))

    def draws(self, axes: tuple[Axis, Axis], loss: Array, bootstraps: int, random: np.random.Generator) -> Array:
        """ln N, ln D and loss at the minimum in each draw, [bootstraps, 3]; a draw lost in one axis is lost in
        all."""
        weights = None
        drawn = [np.broadcast_to(loss, (bootstraps, len(loss)))] * 2
        if self.resample == "pairs":
            weights = random.multinomial(len(loss), np.full(len(loss), 1 / len(loss)), size=bootstraps).astype(float)
        else:
            degree = 3 if self.method == "akima" and len(loss) >= 6 else 2
            multipliers = student_multipliers(random, (bootstraps, len(loss)), degree)
            drawn = [self._noisy(axis, loss, multipliers, degree) for axis in axes]
        (z_n, least), (z_d, _) = (self._minima(axis, one, weights) for axis, one in zip(axes, drawn, strict=True))
        draws = np.stack([axes[0].centre + axes[0].half * z_n, axes[1].centre + axes[1].half * z_d, least], axis=1)
        draws[np.isnan(draws).any(1)] = np.nan
        return draws

    def _noisy(self, axis: Axis, loss: Array, multipliers: Array, degree: int) -> Array:
        drawn = residual_losses(axis.z, loss, multipliers, degree)
        if self.method == "parabola":
            return drawn
        # An interpolation goes through the runs themselves: only the noise is the polynomial's.
        return loss + drawn - residual_losses(axis.z, loss, np.zeros((1, len(loss))), degree)

    def _minima(self, axis: Axis, losses: Array, weights: Array | None) -> tuple[Array, Array]:
        if self.method == "akima":
            return interpolated_minima(axis.z, losses, weights)
        return vertices(fit_parabolas(axis.z, losses, weights))


def _rough_minimum(parameters: Array, loss: Array) -> float:
    """ln size about which a range is drawn: the vertex of a parabola through all runs, or else the lowest run."""
    ln_n = np.log(parameters)
    if len(np.unique(parameters)) >= 3:
        axis = Axis.of(parameters)
        z = float(vertices(fit_parabolas(axis.z, loss[None]))[0][0])
        if np.isfinite(z):
            return axis.centre + axis.half * z
    return float(ln_n[loss.argmin()])


def _refusal(axis: Axis, coefficients: Array, unit: str) -> str | None:
    """Why this parabola has no interior minimum, or None."""
    constant, slope, curvature = coefficients
    if curvature <= 0:
        return f"the parabola in {unit} opens downward: no minimum"
    vertex = -slope / (2 * curvature)
    if abs(vertex) < 1:
        least = constant + slope * vertex / 2
        return None if least > 0 else f"the parabola in {unit} has its minimum at a loss of {least:.3g}"
    return _at_edge(axis, vertex, unit)


def _at_edge(axis: Axis, z: float, unit: str) -> str:
    at = float(np.exp(np.clip(axis.centre + axis.half * z, -700, 700)))
    return (
        f"minimum at {at:.3g} {unit}, at or beyond the edge of the sizes tried "
        f"({axis.size.min():.3g} to {axis.size.max():.3g})"
    )
