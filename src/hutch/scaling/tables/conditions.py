"""Conditions on the rows of a table, as typed: epochs<=1.001, seed=, run~1B-.*"""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.tables.cells import Cells, Table, count, is_empty, listed, numbers, shown

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "~": re.fullmatch,
}
OPERATOR = re.compile("|".join(OPERATORS))


@dataclass(frozen=True, kw_only=True)
class Condition:
    """`column` `operator` `value`: as numbers where both sides are numbers, else as text.

    An empty value stands for an empty cell, which is equal to nothing else and neither below nor above anything.
    """

    column: str
    operator: str
    value: str

    @classmethod
    def of(cls, text: str, table: Table) -> "Condition":
        """From its text. `BadInput` for an unknown column, no operator or a pattern that is none."""
        found = list(OPERATOR.finditer(text))
        if not found:
            raise BadInput(f"--where {shown(text)} has none of {' '.join(OPERATORS)}; write it like epochs<=1 or seed=")
        # A column's name may hold an operator itself.
        at = next((one for one in found if text[: one.start()].strip() in table.names), found[0])
        column, value = text[: at.start()].strip(), text[at.end() :].strip()
        if column not in table.names:
            raise BadInput(f"{table.source} has no column {shown(column)} to select by; it has {listed(table.names)}")
        if at[0] == "~":
            try:
                re.compile(value)
            except re.error as error:
                raise BadInput(f"--where {shown(text)}: {shown(value)} is no regular expression: {error}") from error
        return cls(column=column, operator=at[0], value=value)

    def holds(self, cells: Sequence[str]) -> np.ndarray:
        """Which cells meet it: a mask [rows]."""
        empty = np.array([is_empty(cell) for cell in cells], bool)
        unequal = self.operator == "!="
        if is_empty(self.value) and self.operator in ("=", "==", "!="):
            return empty ^ unequal
        return np.where(empty, unequal, self._compares(cells))

    def _compares(self, cells: Sequence[str]) -> np.ndarray:
        compare, value = OPERATORS[self.operator], count(self.value)
        if self.operator == "~":
            pattern = re.compile(self.value)
            return np.array([pattern.fullmatch(cell) is not None for cell in cells], bool)
        if not np.isfinite(value):
            return np.array([compare(cell, self.value) for cell in cells], bool)
        with np.errstate(invalid="ignore"):
            return compare(numbers(cells), value)


def conditions_of(where: Sequence[str], table: Table) -> list[Condition]:
    """All of them, or the one that is a string."""
    return [Condition.of(text, table) for text in ([where] if isinstance(where, str) else where)]


def rows_that_meet(conditions: Sequence[Condition], cells: Cells, source: str) -> list[int]:
    """Indices of the rows that meet all conditions. `BadInput` where none does."""
    mask = np.ones(len(cells.lines), bool)
    for condition in conditions:
        mask &= condition.holds(cells.columns[condition.column])
    if conditions and cells.lines and not mask.any():
        said = " and ".join(f"{one.column}{one.operator}{one.value}" for one in conditions)
        raise BadInput(f"{source}: no row of {len(cells.lines)} has {said}")
    return np.flatnonzero(mask).tolist()
