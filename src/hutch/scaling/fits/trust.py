"""How far an optimum of approach 3 can be trusted: did the search end, and do the runs hold the constants."""

import numpy as np

from hutch.scaling.columns import Array
from hutch.scaling.fits.objective import Objective
from hutch.scaling.fits.restriction import Restriction
from hutch.scaling.intervals import Interval

_MOST = 0.5
"""Share of the starts that must end at the optimum for it to pass without a note."""
_LEAST, _MOST_EXPONENT = 0.02, 3.0
"""Exponents outside are those of noise or of a step, not of a law."""
ON_LINE = 0.1
"""Runs whose tokens are so near a power law of their parameters, in ln D, do not part α from β."""
_RISE = 0.01
_FLAT = 0.1
"""An exponent that can move so far at 1 % of the objective is not held by the runs."""
_WIDE = 0.25
"""Nor is one whose interval is so wide: ten times the compute would be a model 1.8 times larger or not."""


def few_runs(restriction: Restriction) -> int:
    """Runs below which there are no intervals: 2k + 2 for k free constants. On simulated laws 80 % intervals held the
    truth 34 to 46 % of the time with six runs, 63 to 73 % with eight, 80 to 87 % with twenty."""
    return 2 * restriction.basis.shape[1] + 2


def few_runs_note(runs: int, restriction: Restriction) -> list[str]:
    """Why there are no intervals."""
    if runs >= few_runs(restriction):
        return []
    free, least = restriction.basis.shape[1], few_runs(restriction)
    return [f"{runs} runs are too few to resample for {free} constants: no intervals below {least} runs"]


def off_line(parameters: Array, tokens: Array) -> float:
    """Root mean square distance of ln D from its straight line in ln N."""
    x, y = np.log(parameters), np.log(tokens)
    line = np.polyfit(x - x.mean(), y, 1)
    return float(np.sqrt(np.mean((y - np.polyval(line, x - x.mean())) ** 2)))


def slack_of_a(objective: Objective, weights: Array, restriction: Restriction, phi: Array) -> float:
    """How far a = β/(α + β) can move while the objective rises by 1 %, the other constants following.

    From the reweighted quadratic model M of the objective at its optimum: max ∇a·s under ½·sᵀMs ≤ 1 % of f is
    √(2 · 0.01 · f · ∇aᵀM⁻¹∇a). Infinite where M is singular: the runs do not say.
    """
    theta = restriction.full(phi)[None]
    slopes, _, residual = objective.terms(theta)
    s_u, s_v, s_w = (slope[0] for slope in slopes)
    jacobian = np.stack([s_u, s_v, s_w, -objective.x * s_u, -objective.y * s_v], axis=1) @ restriction.basis
    reweighted = weights * objective.huber_weight(residual[0])
    model = jacobian.T @ (reweighted[:, None] * jacobian)
    f = objective.evaluate(theta, weights[None])[0][0]
    alpha, beta = theta[0, 3:]
    gradient = np.array([0, 0, 0, -beta, alpha]) / (alpha + beta) ** 2 @ restriction.basis
    scale = np.sqrt(np.diag(model))
    if not np.all(scale > 0):
        return float("inf")
    values, vectors = np.linalg.eigh(model / np.outer(scale, scale))
    along = vectors.T @ (gradient / scale)
    if np.any((values < 1e-13) & (np.abs(along) > 1e-9)):
        return float("inf")
    return float(np.sqrt(2 * _RISE * f * np.sum(along**2 / np.maximum(values, 1e-13))))


def no_optimum(point: Array) -> str | None:
    """Why (E, A, B, α, β) gives no compute-optimal law, or None."""
    for name, exponent in (("alpha", point[3]), ("beta", point[4])):
        if not _LEAST <= exponent <= _MOST_EXPONENT:
            return f"{name} is {exponent:.3g}, out of all bounds: the runs do not hold it"
    return None if np.isfinite(point).all() else "a constant is out of all bounds: the runs do not hold it"


def unsure(status: str, starts_agree: float) -> list[str]:
    """Why the optimum may not be the lowest there is."""
    notes = []
    if status != "converged":
        why = {"stalled": "no step lowered the objective", "iterations": "it ran out of iterations"}[status]
        notes.append(f"the search for the optimum did not converge: {why}")
    if starts_agree < _MOST:
        notes.append(f"{starts_agree:.0%} of the starts ended at this optimum, the others above it")
    return notes


def not_held(status: str, point: Array, loss: Array, slack: float, a: Interval) -> tuple[str, list[str]]:
    """The status, "flat" where the runs do not hold the constants, and the constants they do not hold."""
    E = point[0]
    notes = []
    if 1e-2 * loss.min() > E:
        notes.append(f"E is {E:.2g}: these runs show no floor of the loss")
    notes += [] if (why := no_optimum(point)) is None else [why]
    more = "; hold E, tie alpha = beta, or add runs at other sizes and tokens"
    if slack > _FLAT:
        notes.append(f"flat: a can move by ±{slack:.2g} while the objective rises by 1 %{more}")
    elif a.width > _WIDE:
        notes.append(f"flat: the {a.level:.0%} interval of a is {a.width:.2f} wide{more}")
    return ("flat" if notes and status == "converged" else status), notes


def below_floor_note(below: int, floor: float) -> list[str]:
    """Runs that the law says cannot be."""
    if not below:
        return []
    return [f"{below} run{'s'[: below > 1]} {'have' if below > 1 else 'has'} a loss below the fitted E = {floor:.4g}"]
