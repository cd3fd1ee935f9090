"""Long tables, with several rows a run: each run's rows in order, as its training curve."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from hutch.runs.errors import BadInput
from hutch.scaling.curves import Curve
from hutch.scaling.run_table import RunTable
from hutch.scaling.tables.cells import Dropped, shown
from hutch.scaling.tables.checks import Faults

SAME_MODEL = 1e-6
"""How far the parameters of one run's rows may differ."""

CURVES = 10
"""Rows a run, on average, from which a table is refused as one of runs."""
LONG = 3
"""Rows a run, on average, from which a table looks long."""


def last_points(points: RunTable, runs: Sequence[str], unit: str) -> tuple[RunTable, list[Dropped]]:
    """The last point of each run, with its curve, in the order of the table; and the points that fit in no curve.

    `runs` names the run of each point. A curve's tokens and FLOP rise, and its parameters stay.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for row, run in enumerate(runs):
        groups[run].append(row)
    faults: Faults = dict.fromkeys(groups.pop("", []), "run is empty")
    found = []
    for run, rows in groups.items():
        rows, bad = _one_curve(points, rows, unit)
        faults |= bad
        if len(rows) > 1:
            found.append(rows)
        else:
            faults |= dict.fromkeys(rows, f"run {shown(run)} has one point; a curve needs two")
    columns = (points.flops, points.tokens, points.loss)
    curves = tuple(Curve(float(points.parameters[rows[-1]]), *(c[rows] for c in columns)) for rows in found)
    dropped = [Dropped(line=int(points.lines[row]), reason=why) for row, why in faults.items()]
    return replace(points.select([rows[-1] for rows in found]), curves=curves), dropped


def _one_curve(points: RunTable, rows: list[int], unit: str) -> tuple[list[int], Faults]:
    first, *rest = sorted(rows, key=lambda row: points.tokens[row])
    curve, faults = [first], {}
    for row in rest:
        why = _off_curve(points, row, first, curve[-1])
        if why is None:
            curve.append(row)
        else:
            faults[row] = why.format(
                first=f"{unit} {points.lines[first]:.0f}", before=f"{unit} {points.lines[curve[-1]]:.0f}"
            )
    return curve, faults


def _off_curve(points: RunTable, row: int, first: int, before: int) -> str | None:
    """Why a row cannot follow `before` in the curve that begins with `first`."""
    if abs(points.parameters[row] / points.parameters[first] - 1) > SAME_MODEL:
        return "parameters are not those of {first} of the same run"
    if points.tokens[row] == points.tokens[before]:
        return "tokens are those of {before} of the same run"
    if points.flops[row] <= points.flops[before]:
        return "more tokens than {before} of the same run, and no more FLOP"
    return None


def long_note(runs: Sequence[str]) -> list[str]:
    """A note where the rows look like points of curves; `BadInput` where they can hardly be anything else."""
    names = len(set(runs))
    if not names or len(runs) < LONG * names:
        return []
    if len(runs) >= CURVES * names:
        raise BadInput(
            f"{len(runs)} rows name {names} runs: these look like points of training curves, not runs; --curves takes "
            "them so, and each run's last point for the run"
        )
    return [
        f"{len(runs)} rows name {names} runs; each row is taken for a run, --curves takes a run's rows for its curve"
    ]
