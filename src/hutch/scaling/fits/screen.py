"""Starting points for approach 3 without a grid of optimisations: for fixed (α, β) the law is linear in (E,
A, B)."""

import numpy as np

from hutch.scaling.columns import Array
from hutch.scaling.fits.objective import Objective

_NODES = np.linspace(0.02, 1.5, 48)
_WIDE_NODES = np.linspace(0.02, 2.0, 64)
_BEST, _SPREAD = 4, 8


def starting_points(objective: Objective, weights: Array) -> Array:
    """θ [starts, 5] of up to 12 starts: the 4 best nodes of the grid over (α, β), and 8 spread over the rest.

    A node counts where weighted least squares gives E, A, B all positive. Empty when no node does, even on
    the wider grid: the losses do not fall in both N and D towards a floor.
    """
    for nodes in (_NODES, _WIDE_NODES):
        theta, residual = _screen(objective, weights, nodes)
        if len(theta):
            order = np.argsort(residual, kind="stable")
            spread = np.linspace(0, len(order) - 1, _BEST + _SPREAD).astype(int)[_BEST:]
            picks = np.unique(np.concatenate([np.arange(min(_BEST, len(order))), spread]))
            return theta[order[picks]]
    return np.empty((0, 5))


def _screen(objective: Objective, weights: Array, nodes: Array) -> tuple[Array, Array]:
    """θ and squared residual at every feasible node of nodes × nodes.

    Weights 1/L² make residuals of the loss mimic residuals of its logarithm.
    """
    loss = np.exp(objective.ln_loss)
    omega = weights / loss**2
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
    scale = np.sqrt(np.einsum("...ii->...i", normal))
    scaled = normal / (scale[..., :, None] * scale[..., None, :]) + 1e-13 * np.eye(3)
    linear = np.linalg.solve(scaled, (moments / scale)[..., None])[..., 0] / scale
    residual = (omega * loss) @ loss - (linear * moments).sum(-1)
    alpha, beta = np.meshgrid(nodes, nodes, indexing="ij")
    feasible = (linear > 0).all(-1)
    e, a, b = np.log(linear[feasible]).T
    return np.stack([a, b, e, alpha[feasible], beta[feasible]], axis=1), residual[feasible]
