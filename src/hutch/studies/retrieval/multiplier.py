"""The compute-equivalent multiplier: FLOPs that a model without retrieval needs for what RETRO reaches, over RETRO's.

Without retrieval, the best size at each budget makes a frontier: bits per byte against the FLOPs that were spent. It
is interpolated linearly in ln C between budgets that were measured. Outside them nothing is claimed: the multiplier
then is a bound, and the verdict says that it cannot be told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hutch.runs import LedgerRow
from hutch.scaling.intervals import percentile_interval
from hutch.studies.retrieval.comparisons import Scores
from hutch.studies.retrieval.costs import database_flops
from hutch.studies.retrieval.resampling import Figure

TOLERANCE = 0.2
"""Runs whose FLOPs differ by less, neighbour to neighbour, make one point of the frontier."""


@dataclass(frozen=True)
class Frontier:
    """The best model without retrieval at each level of compute; the draws choose the best anew."""

    flops: np.ndarray
    """float64 [c], ascending."""
    values: np.ndarray
    """float64 [c]: bits per byte, made to fall."""
    draws: np.ndarray
    """float64 [b, c]: the same of resampled documents."""


def frontier_of(runs: Sequence[tuple[float, Figure]]) -> Frontier:
    """From (FLOPs, bits per byte) of each run without retrieval. A level that is no better than a cheaper one has the
    cheaper one's figure: more compute can always be left unspent."""
    ordered = sorted(runs, key=lambda run: run[0])
    ln_c = np.log([flops for flops, _ in ordered])
    group = np.concatenate([[0], np.cumsum(np.diff(ln_c) > np.log1p(TOLERANCE))])
    members = [np.flatnonzero(group == one) for one in np.unique(group)]
    flops = np.array([np.exp(ln_c[rows].mean()) for rows in members])
    values = np.array([min(ordered[i][1].value for i in rows) for rows in members])
    draws = np.stack([np.min([ordered[i][1].draws for i in rows], axis=0) for rows in members], axis=1)
    return Frontier(flops, np.minimum.accumulate(values), np.minimum.accumulate(draws, axis=1))


def equivalent(flops: np.ndarray, frontier: np.ndarray, target: float) -> float:
    """FLOPs at which the frontier reaches `target`: 0 where it is worse than all of it, infinity where better."""
    if target > frontier[0]:
        return 0.0
    if target < frontier[-1]:
        return np.inf
    after = int(np.argmax(frontier <= target))
    if after == 0:
        return float(flops[0])
    top, bottom = frontier[after - 1], frontier[after]
    share = (top - target) / (top - bottom)
    return float(np.exp(np.log(flops[after - 1]) + share * (np.log(flops[after]) - np.log(flops[after - 1]))))


def multipliers(scores: Scores, database: dict[str, Any]) -> list[dict[str, Any]]:
    """For each budget: RETRO of the best size against the frontier, with the FLOPs of its training and search, and
    with the one-off cost of the database besides."""
    plain = scores.without()
    cells = scores.cells()
    if not plain:
        return []
    frontier = frontier_of([(row.flops or 0.0, scores.figure(row)) for row in plain])
    found = []
    for budget in sorted({cell.budget for cell in cells}):
        rows = [cell.retro for cell in cells if cell.budget == budget]
        found.append({"budget": budget, **_one(scores, frontier, rows, database_flops(database))})
    return found


def _one(scores: Scores, frontier: Frontier, rows: Sequence[LedgerRow], once: float) -> dict[str, Any]:
    figures = [scores.figure(row, scores.usual.name) for row in rows]
    best = int(np.argmin([figure.value for figure in figures]))
    target, spent = figures[best], float(rows[best].flops or 0.0)
    needed = equivalent(frontier.flops, frontier.values, target.value)
    draws = np.array(
        [equivalent(frontier.flops, line, aim) for line, aim in zip(frontier.draws, target.draws, strict=True)]
    )
    return {
        "run": rows[best].id,
        "bits_per_byte": target.value,
        "flops": spent,
        "flops_needed": needed if 0 < needed < np.inf else None,
        "range": [float(frontier.flops[0] / spent), float(frontier.flops[-1] / spent)],
        **told(needed, draws, spent, frontier.flops, scores.config.level),
        "with_database": told(needed, draws, spent + once, frontier.flops, scores.config.level),
    }


def told(needed: float, draws: np.ndarray, spent: float, flops: np.ndarray, level: float) -> dict[str, Any]:
    """The multiplier with its interval. An end outside the frontier is None. `verdict`: "more" or "less" compute than
    RETRO's is needed, where the whole interval says so; "cannot be told" where it holds 1, or leaves the measured
    range before it could. A model beyond the frontier's last point needs more than that point, not infinitely more."""
    tail = 50 * (1 - level)
    # A percentile by order, not by interpolation: draws may be infinite.
    low, high = np.percentile(draws, [tail, 100 - tail], method="nearest")
    inside = [float(x / spent) if 0 < x < np.inf else None for x in (needed, low, high)]
    at_least, at_most = (float(np.clip(x, flops[0], flops[-1]) / spent) for x in (low, high))
    verdict = "more" if at_least > 1 else "less" if at_most < 1 else "cannot be told"
    bound = None
    if needed in (0.0, np.inf):
        bound = f"{'under' if needed == 0.0 else 'over'} {flops[0 if needed == 0.0 else -1] / spent:.2f}"
    return {
        "multiplier": {"value": inside[0], "low": inside[1], "high": inside[2], "level": level},
        "verdict": verdict,
        "bound": bound,
        "outside": float(np.mean((draws == 0) | np.isinf(draws))),
    }


def frontier_points(scores: Scores) -> list[dict[str, Any]]:
    """The frontier without retrieval, for the figure."""
    plain = scores.without()
    if not plain:
        return []
    frontier = frontier_of([(row.flops or 0.0, scores.figure(row)) for row in plain])
    bands = percentile_interval(frontier.values, frontier.draws, scores.config.level).as_dict()
    return [
        {"flops": c, "bits_per_byte": {"value": v, "low": low, "high": high, "level": bands["level"]}}
        for c, v, low, high in zip(frontier.flops.tolist(), bands["value"], bands["low"], bands["high"], strict=True)
    ]
