"""Which rows of a table cannot be used, and why; and what to know of those that can."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NoReturn

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array
from hutch.scaling.run_table import RunTable
from hutch.scaling.tables.cells import Dropped, Table, is_empty, listed, shown
from hutch.scaling.tables.roles import Column

SHOWN = 3
"""Rows that a message names."""

Faults = dict[int, str]
"""Why rows cannot be used, by index."""


def cell_faults(columns: Mapping[str, Column]) -> Faults:
    """Rows with a cell that is empty or no finite number above 0; a budget may be empty, a run's name is not read."""
    faults: Faults = {}
    for role, column in columns.items():
        if role == "run":
            continue
        for row in np.flatnonzero(~_usable(column.values)).tolist():
            if not (role == "budget" and is_empty(column.cells[row])):
                faults.setdefault(row, f"{role} is {_what(column.cells[row], column.values[row])}")
    return faults


def size_faults(role: str, values: Array) -> Faults:
    """Rows whose derived size is out of the range of floats."""
    return {row: f"{role} would be {values[row]:g}" for row in np.flatnonzero(~_usable(values)).tolist()}


def refuse(table: Table, dropped: Sequence[Dropped], *, all_rows: bool) -> NoReturn:
    """`BadInput` that counts the rows that cannot be used and names the first."""
    first = sorted(dropped, key=lambda one: one.line)[:SHOWN]
    some = "; ".join(f"{table.unit} {one.line}: {one.reason}" for one in first)
    more = f"; and {len(dropped) - SHOWN} more" if len(dropped) > SHOWN else ""
    if all_rows:
        raise BadInput(f"{table.source}: no row can be used: {some}{more}")
    count = "1 row" if len(dropped) == 1 else f"{len(dropped)} rows"
    raise BadInput(f"{table.source}: {count} cannot be used: {some}{more} (--drop-invalid leaves them out)")


def duplicates_note(runs: RunTable, unit: str) -> list[str]:
    """A note on runs that are equal in everything."""
    columns = np.stack([runs.parameters, runs.tokens, runs.flops, runs.loss])
    order = np.lexsort(columns)
    same = (np.diff(columns[:, order]) == 0).all(axis=0)
    if not same.any():
        return []
    group = np.concatenate([[0], np.cumsum(~same)])
    equal = np.sort(order[np.bincount(group)[group] > 1])
    lines = defaultdict(list)
    for row in equal.tolist():
        lines[columns[:, row].tobytes()].append(f"{runs.lines[row]:.0f}")
    some = "; ".join(listed(one) for one in list(lines.values())[:SHOWN])
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return [f"equal runs are counted as independent: {unit}s {some}{more}"]


def budget_note(runs: RunTable) -> list[str]:
    """A note on budgets that are not what was spent."""
    if runs.budget is None or np.isnan(runs.budget).all():
        return []
    ratio = float(np.nanmedian(runs.flops / runs.budget))
    return [f"the median run spent {ratio:.3g} times its budget"] if not 0.8 < ratio < 1.25 else []


def _usable(values: Array) -> np.ndarray:
    return np.isfinite(values) & (values > 0)


def _what(cell: str, value: float) -> str:
    if not cell:
        return "empty"
    return f"{shown(cell)}, not a number" if np.isnan(value) and not is_empty(cell) else shown(cell)
