"""Approach 1: the minimum over training curves (Hoffmann et al. 2022, §3.1, D.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hutch.runs import seeds
from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, check_bootstrap
from hutch.scaling.curves import Curve
from hutch.scaling.fits.allocation import Allocates, Allocation
from hutch.scaling.intervals import json_numbers, lost_note
from hutch.scaling.laws import FLOPS_PER_ND, log_log_lines

LAST_PART = 0.15
"""Footnote 4: every point of the paper's envelope lies in the last 15 % of its run."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EnvelopeFit(Allocates):
    """What approach 1 found. Beside the shared `a`, `b`, `k_n`, `k_d`, `n_opt(C)`, `d_opt(C)`: the envelope.

    One entry a point: `flops`, `n`, `d`, `loss` (smoothed), `curve` (index of the winning run), `fraction`
    (share of that run's FLOP at which the point sits), `at_edge` (the winner is the smallest or largest
    size that competes there, so a size beyond might have won) and `used` (the point enters the law).
    `lost_share` is the share of bootstrap draws without a law.
    """

    flops: Array
    n: Array
    d: Array
    loss: Array
    curve: np.ndarray
    fraction: Array
    at_edge: np.ndarray
    used: np.ndarray
    lost_share: float
    notes: tuple[str, ...] = ()

    def as_dict(self, points: int | None = None) -> dict[str, Any]:
        """JSON-ready: "points" (flops, parameters, tokens, loss, fraction, at_edge, used; evenly thinned to
        `points` where given), the intervals "a", "b", "k_n", "k_d", "reason", "lost_share", "notes"."""
        every = len(self.flops)
        picked = np.unique(np.linspace(0, every - 1, min(points or every, every)).astype(int))
        columns = {
            "flops": self.flops,
            "parameters": self.n,
            "tokens": self.d,
            "loss": self.loss,
            "fraction": self.fraction,
            "at_edge": self.at_edge,
            "used": self.used,
        }
        return {
            "points": {name: column[picked].tolist() for name, column in columns.items()},
            **self.allocation_dict(),
            "flops_per_nd": self.flops_per_nd,
            "lost_share": json_numbers(self.lost_share),
            "notes": list(self.notes),
        }


def fit_envelope(
    curves: Sequence[Curve],
    *,
    window: float = 10.0,
    points: int = 1500,
    keep_edges: bool = False,
    last_part: float = 1.0,
    bootstraps: int = 500,
    level: float = 0.8,
    seed: int = 0,
) -> EnvelopeFit:
    """Smooth each curve (Gaussian, standard deviation `window` points), interpolate it in ln FLOP, find the
    lowest loss at `points` log-spaced FLOPs, and fit ln N and ln D there against ln C.

    Only FLOPs at which at least two sizes compete are used, and of those, unless `keep_edges`, only points
    whose winner is neither the smallest nor the largest size there: the optimum may lie outside the sizes
    that compete, and flat ends pull both exponents towards 0. Hoffmann et al. do not say that they left such
    points out.

    `last_part` 0.15 lets only points in the last 15 % of their run into the law, where the schedule is nearly
    done: all of Hoffmann's lie there (footnote 4) because his horizons are dense. Where a sweep has few horizons
    a size, the points between them compare runs whose rates have not decayed, and say more about the
    schedule than about size.

    Intervals: whole curves are resampled. The points along one curve are not independent, so the residuals of
    the line say nothing about its error. `reason` says why there is no law; `BadInput` for fewer than two
    curves.
    """
    check_bootstrap(bootstraps, level)
    if len(curves) < 2:
        raise BadInput(f"{len(curves)} curves; an envelope needs at least two")
    if not 0 < last_part <= 1:
        raise BadInput(f"last_part is {last_part}; a share above 0 and up to 1 is needed")
    if points < 10:
        raise BadInput(f"points is {points}; at least 10 are needed")
    kappa = _flops_per_nd(curves)
    table = _evaluate(curves, points, window)
    if table is None:
        return _empty("no FLOP at which two sizes compete", kappa)
    rule = Rule(keep_edges, last_part)
    at, winner, edge = envelope = _winners(table, np.ones(len(curves), dtype=bool))
    lines, reason = _fit(table, envelope, rule)
    draws = _draws(table, rule, bootstraps, seeds.generator(seed, "envelope"))
    fraction = table.flops[at] / table.last[winner]
    lost_share = float(np.isnan(draws[:, 0]).mean()) if bootstraps else 0.0
    return EnvelopeFit(
        flops=table.flops[at],
        n=table.sizes[winner],
        d=table.tokens[winner, at],
        loss=table.loss[winner, at],
        curve=winner,
        fraction=fraction,
        at_edge=edge,
        used=_used(table, envelope, rule),
        allocation=None if reason else Allocation.from_lines(lines, draws, level),
        reason=reason,
        flops_per_nd=kappa,
        lost_share=lost_share,
        notes=(*_notes(fraction, edge, rule), *([] if reason else lost_note(lost_share, "law"))),
    )


def _flops_per_nd(curves: Sequence[Curve]) -> float:
    """κ in κ·N·D = C at the ends of the curves: their median, 6 exactly where it is 6 but for rounding."""
    median = float(np.median([curve.flops[-1] / (curve.parameters * curve.tokens[-1]) for curve in curves]))
    return FLOPS_PER_ND if abs(median / FLOPS_PER_ND - 1) < 1e-6 else median


def _empty(reason: str, kappa: float) -> EnvelopeFit:
    nothing = np.empty(0)
    index, flag = nothing.astype(int), nothing.astype(bool)
    columns: dict[str, Any] = dict.fromkeys(("flops", "n", "d", "loss", "fraction"), nothing)
    common: dict[str, Any] = {"allocation": None, "reason": reason, "flops_per_nd": kappa, "lost_share": 0.0}
    return EnvelopeFit(**columns, **common, curve=index, at_edge=flag, used=flag)


@dataclass(frozen=True)
class Table:
    """All curves on one grid: `flops` [flops]; `sizes` and FLOP at the end, `last` [curves]; smoothed `loss`,
    infinite outside the run, and `tokens` [curves, flops]."""

    flops: Array
    sizes: Array
    last: Array
    loss: Array
    tokens: Array


def _evaluate(curves: Sequence[Curve], points: int, window: float) -> Table | None:
    """The curves where two sizes compete; None where none do."""
    sizes = np.array([curve.parameters for curve in curves])
    flops = _grid(curves, sizes, points)
    if flops is None:
        return None
    reached = [curve.at(flops, window) for curve in curves]
    loss, tokens = np.stack([r[0] for r in reached]), np.stack([r[1] for r in reached])
    return Table(flops, sizes, np.array([curve.flops[-1] for curve in curves]), loss, tokens)


def _grid(curves: Sequence[Curve], sizes: Array, points: int) -> Array | None:
    """Log-spaced FLOPs from where a second size begins to where the last but one ends."""
    starts = [min(c.flops[0] for c in curves if c.parameters == size) for size in np.unique(sizes)]
    ends = [max(c.flops[-1] for c in curves if c.parameters == size) for size in np.unique(sizes)]
    if len(starts) < 2:
        return None
    low, high = sorted(starts)[1], sorted(ends)[-2]
    return np.geomspace(low, high, points) if low < high else None


Envelope = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Columns of the grid, the winning curve at each, and whether its size is at the edge; [points] each."""


def _winners(table: Table, present: np.ndarray) -> Envelope:
    """The envelope of the curves that are `present`, where two sizes compete. The edge is local: the smallest
    and the largest size that are running at that FLOP."""
    rows = np.flatnonzero(present)
    here, sizes = table.loss[rows], table.sizes
    running = np.isfinite(here)
    size = sizes[rows][:, None]
    smallest = np.where(running, size, np.inf).min(0)
    largest = np.where(running, size, -np.inf).max(0)
    at = np.flatnonzero(smallest < largest)
    winner = rows[here[:, at].argmin(0)]
    edge = (sizes[winner] == smallest[at]) | (sizes[winner] == largest[at])
    return at, winner, edge


@dataclass(frozen=True)
class Rule:
    """Which points of the envelope enter the law."""

    keep_edges: bool
    last_part: float


def _used(table: Table, envelope: Envelope, rule: Rule) -> np.ndarray:
    """Whether each point of the envelope enters the law."""
    at, winner, edge = envelope
    late = table.flops[at] >= (1 - rule.last_part) * table.last[winner]
    return late if rule.keep_edges else late & ~edge


def _fit(table: Table, envelope: Envelope, rule: Rule) -> tuple[Array, str | None]:
    """(ln k_n, a, ln k_d, b) through the points that `rule` keeps, or NaN and the reason."""
    used = _used(table, envelope, rule)
    at, winner = envelope[0][used], envelope[1][used]
    left = len(np.unique(table.sizes[winner]))
    if left < 2:
        inner = "" if rule.keep_edges else " between the smallest and the largest"
        return np.full(4, np.nan), f"sizes{inner} on the envelope: {left}; a law needs at least two"
    ln_c, ones = np.log(table.flops[at]), np.ones(len(at))
    ln_size = np.log(np.stack([table.sizes[winner], table.tokens[winner, at]]))
    intercepts, slopes = log_log_lines(ln_c, ln_size, ones)
    return np.array([intercepts[0], slopes[0], intercepts[1], slopes[1]]), None


def _draws(table: Table, rule: Rule, bootstraps: int, random: np.random.Generator) -> Array:
    """The law of each resample of whole curves, [bootstraps, 4]; NaN where there is none."""
    curves = len(table.sizes)
    draws = np.full((bootstraps, 4), np.nan)
    for draw in draws:
        present = np.zeros(curves, dtype=bool)
        present[random.integers(curves, size=curves)] = True
        draw[:] = _fit(table, _winners(table, present), rule)[0]
    return draws


def _notes(fraction: Array, edge: np.ndarray, rule: Rule) -> tuple[str, ...]:
    notes = []
    early = float(np.mean(fraction < 1 - LAST_PART))
    if early > 0 and rule.last_part < 1:
        dropped = float(np.mean(fraction < 1 - rule.last_part))
        notes.append(f"{dropped:.0%} of the envelope lies before the last {rule.last_part:.0%} of its run; left out")
    elif early > 0:
        notes.append(
            f"{early:.0%} of the envelope lies before the last {LAST_PART:.0%} of its run, where a learning "
            "rate not yet decayed holds the loss up: add runs with horizons in between"
        )
    if edge.any():
        done = "kept" if rule.keep_edges else "left out of the law"
        notes.append(f"{edge.mean():.0%} of the envelope is won by the smallest or largest size that competes; {done}")
    return tuple(notes)
