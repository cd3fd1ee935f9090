"""Starting points for approach 3 without a grid of optimisations: for fixed (α, β) the law is linear in (E,
A, B)."""

import numpy as np

from hutch.scaling.columns import Array
from hutch.scaling.fits.objective import Objective
from hutch.scaling.fits.restriction import Restriction

_NODES = np.linspace(0.02, 1.5, 48)
_WIDE_NODES = np.linspace(0.02, 2.0, 64)
_BEST, _BASINS, _SPREAD = 4, 4, 4
_FAR = 8
_NEAR = 0.05
"""Share of the nodes over which the spread starts lie at first. From the far corners, where a term has died out, a
start takes five times as many steps, nearly always to the same place."""


def starting_points(
    objective: Objective, weights: Array, restriction: Restriction | None = None, *, far: bool = False
) -> Array:
    """θ [starts, 5] of up to 12 starts: the 4 best nodes of the grid over (α, β), up to 4 other nodes that are
    lower than their neighbours, and 4 spread over the best twentieth; or, where those do not agree, 8 `far` ones
    spread over all nodes.

    A node counts where weighted least squares gives E, A, B all positive. Empty when no node does: the losses do
    not fall in both N and D.
    """
    restriction = restriction or Restriction()
    theta, residual = _feasible(objective, weights, restriction)
    order = np.argsort(residual, axis=None, kind="stable")[: int(np.isfinite(residual).sum())]
    if not len(order):
        return np.empty((0, 5))
    if far:
        return theta.reshape(-1, 5)[order[np.unique(np.linspace(0, len(order) - 1, _FAR).astype(int))]]
    basins = [] if restriction.tied else _basins(residual, order)
    last = max(int(_NEAR * len(order)), min(_BEST + _SPREAD, len(order)) - 1)
    spread = np.linspace(0, last, _SPREAD + 1).astype(int)[1:]
    picks = dict.fromkeys((*order[:_BEST].tolist(), *basins, *order[spread].tolist()))
    return theta.reshape(-1, 5)[list(picks)]


def _feasible(objective: Objective, weights: Array, restriction: Restriction) -> tuple[Array, Array]:
    """The first screen that has a feasible node: the grid, a wider grid, and the grid with outliers weighed down,
    one of which can turn the least squares of every node negative, though not the Huber fit."""
    theta, residual = _screen(objective, weights, _NODES, restriction)
    if np.isfinite(residual).any():
        return theta, residual
    theta, residual = _screen(objective, weights, _WIDE_NODES, restriction)
    if np.isfinite(residual).any():
        return theta, residual
    return _screen(objective, weights * _inlying(objective), _NODES, restriction)


def _inlying(objective: Objective) -> Array:
    """Weights [runs] near 0 for runs far off a plane of ln loss over (x, y), by iterated least absolute
    deviations."""
    design = np.stack([np.ones_like(objective.x), objective.x, objective.y], axis=1)
    weight = np.ones_like(objective.x)
    for _ in range(20):
        root = np.sqrt(weight)
        plane = np.linalg.lstsq(design * root[:, None], objective.ln_loss * root, rcond=None)[0]
        off = np.abs(objective.ln_loss - design @ plane)
        weight = 1 / np.maximum(off, 1e-4)
    return np.minimum(1.0, 3 * np.median(off) / np.maximum(off, 1e-12)) ** 4


def _basins(residual: Array, order: np.ndarray) -> list[int]:
    """Flat indices of the nodes lower than their eight neighbours, best first: a second valley is not missed."""
    padded = np.pad(residual, 1, constant_values=np.inf)
    rows, columns = residual.shape
    around = [padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    lowest = (residual < np.min(around, axis=0)).ravel()
    return order[lowest[order]][:_BASINS].tolist()


def _screen(objective: Objective, weights: Array, nodes: Array, restriction: Restriction) -> tuple[Array, Array]:
    """θ [nodes, nodes, 5] and squared residual [nodes, nodes] on the grid; infinite where E, A, B are not all
    positive, and off the diagonal where α = β."""
    normal, moments, total = _normal_equations(objective, weights, nodes)
    linear = _solve(normal, moments, restriction.floor)
    residual = total + (linear * (np.einsum("...ij,...j->...i", normal, linear) - 2 * moments)).sum(-1)
    alpha, beta = np.meshgrid(nodes, nodes, indexing="ij")
    feasible: np.ndarray = np.all(linear > 0, axis=-1)
    if restriction.tied:
        feasible &= np.eye(len(nodes), dtype=bool)
    e, a, b = np.moveaxis(np.log(np.where(feasible[..., None], linear, 1.0)), -1, 0)
    return np.stack([a, b, e, alpha, beta], axis=-1), np.where(feasible, residual, np.inf)


def _normal_equations(objective: Objective, weights: Array, nodes: Array) -> tuple[Array, Array, float]:
    """Of (E, A, B) at every node: matrices [nodes, nodes, 3, 3], moments [nodes, nodes, 3], and Σ ω·L²."""
    loss = np.exp(objective.ln_loss)
    # Weights 1/L² make residuals of the loss mimic residuals of its logarithm.
    omega = weights / loss**2 if objective.residuals == "log" else weights
    n, d = np.exp(-np.outer(nodes, objective.x)), np.exp(-np.outer(nodes, objective.y))
    count = len(nodes)
    normal = np.empty((count, count, 3, 3))
    moments = np.empty((count, count, 3))
    normal[..., 0, 0], moments[..., 0] = omega.sum(), omega @ loss
    normal[..., 0, 1] = normal[..., 1, 0] = (n @ omega)[:, None]
    normal[..., 0, 2] = normal[..., 2, 0] = d @ omega
    normal[..., 1, 2] = normal[..., 2, 1] = (n * omega) @ d.T
    normal[..., 1, 1], normal[..., 2, 2] = ((n * n) @ omega)[:, None], (d * d) @ omega
    moments[..., 1], moments[..., 2] = (n @ (omega * loss))[:, None], d @ (omega * loss)
    return normal, moments, float((omega * loss) @ loss)


def _solve(normal: Array, moments: Array, floor: float | None) -> Array:
    """(E, A, B) by least squares at every node, [nodes, nodes, 3]; E is `floor` where that is given."""
    first = 0 if floor is None else 1
    right = moments[..., first:] - (0 if floor is None else floor * normal[..., first:, 0])
    matrix = normal[..., first:, first:]
    scale = np.sqrt(np.einsum("...ii->...i", matrix))
    scaled = matrix / (scale[..., :, None] * scale[..., None, :]) + 1e-13 * np.eye(3 - first)
    linear = np.linalg.solve(scaled, (right / scale)[..., None])[..., 0] / scale
    if floor is None:
        return linear
    return np.concatenate([np.full((*linear.shape[:-1], 1), floor), linear], axis=-1)
