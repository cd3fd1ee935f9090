"""The lowest point of an interpolated profile (Porian et al. 2024, arXiv:2406.19146): no shape is assumed."""

import numpy as np

from hutch.scaling.columns import Array

_POINTS = 400
"""Grid on which the lowest point is found before a parabola through its neighbours refines it."""


def interpolated_minima(z: Array, losses: Array, weights: Array | None = None) -> tuple[Array, Array]:
    """z and loss at the lowest point of Akima's interpolation of ln loss, [batch] each.

    `z` is [runs], `losses` and `weights` [batch, runs]; runs of equal z are averaged, a run of weight 0 is not
    there. NaN where fewer than three z are left or the lowest point is the first or last of them.
    """
    places, of = np.unique(z, return_inverse=True)
    groups = np.eye(len(places))[of]
    counts = (np.ones_like(losses) if weights is None else weights) @ groups
    sums = (losses if weights is None else weights * losses) @ groups
    with np.errstate(invalid="ignore", divide="ignore"):
        ln_loss = np.log(sums / counts)
    found = np.full((len(losses), 2), np.nan)
    # Members that hold the same places share their knots, and are interpolated together.
    patterns, member = np.unique(counts > 0, axis=0, return_inverse=True)
    for index, held in enumerate(patterns):
        rows = np.flatnonzero((member.ravel() == index) & np.isfinite(ln_loss[:, held]).all(1))
        if held.sum() >= 3 and rows.size:
            found[rows] = _minima(places[held], ln_loss[np.ix_(rows, held)])
    return found[:, 0], found[:, 1]


def _minima(places: Array, ln_loss: Array) -> Array:
    """(z, loss) of each row of `ln_loss` [rows, places]; NaN at the edges."""
    from scipy.interpolate import Akima1DInterpolator

    grid = np.linspace(places[0], places[-1], _POINTS)
    curve = Akima1DInterpolator(places, ln_loss.T)(grid).T
    lowest = curve.argmin(1)
    inner = np.clip(lowest, 1, _POINTS - 2)
    rows = np.arange(len(curve))
    left, middle, right = curve[rows, inner - 1], curve[rows, inner], curve[rows, inner + 1]
    bend = left - 2 * middle + right
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = np.where(bend > 0, 0.5 * (left - right) / bend, 0.0)
    z = grid[inner] + np.clip(shift, -1, 1) * (grid[1] - grid[0])
    least = np.exp(middle - 0.25 * (left - right) * np.clip(shift, -1, 1))
    edge = (lowest == 0) | (lowest == _POINTS - 1)
    return np.where(edge[:, None], np.nan, np.stack([z, least], axis=1))
