"""The cells of a table: text as the file has it, and the numbers that it writes."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array

EMPTY = frozenset({"", "nan", "na", "n/a", "null"})
"""What writes "nothing" in a cell, in lower case: programs that save tables differ in it."""

COUNT = re.compile(r"([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*([KMBGT]?)", re.IGNORECASE)
"""A number with thousands separators, a unit, or both: 1,000,000 or 1.3B."""

UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}

NAMES_SHOWN = 40
CHARACTERS_SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A row that cannot be used: its number where it comes from, and why."""

    line: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Some columns of a table as text, empty where a cell is; one row for each record of the right length."""

    columns: dict[str, list[str]]
    lines: list[int]
    broken: tuple[Dropped, ...] = ()
    """Records with a cell too many or too few."""
    step_losses: list[Array | None] | None = None
    """Training loss of each step, a row each, where the table knows them."""

    def take(self, rows: Sequence[int]) -> "Cells":
        """The rows of these indices, which rise."""
        if len(rows) == len(self.lines):
            return self
        return Cells(
            columns={name: [cells[row] for row in rows] for name, cells in self.columns.items()},
            lines=[self.lines[row] for row in rows],
            broken=self.broken,
            step_losses=self.step_losses and [self.step_losses[row] for row in rows],
        )


@dataclass(frozen=True, kw_only=True)
class Table:
    """An open table."""

    source: str
    """Its path as given, for messages."""
    names: tuple[str, ...]
    """Its columns."""
    read: Callable[[Sequence[str]], Cells]
    """Reads columns that it has exactly once; may be called once."""
    unit: str = "line"
    """What its rows are numbered by."""
    notes: tuple[str, ...] = ()
    exact_flops: bool = False
    """Whether its FLOPs are known to be counted right, however far from 6·N·D."""

    def cells(self, wanted: Sequence[str]) -> Cells:
        """These columns. `BadInput` unless each is there, once, and there are rows."""
        for name in wanted:
            found = self.names.count(name)
            if found == 0:
                raise BadInput(f"{self.source} has no column {shown(name)}; its columns are {listed(self.names)}")
            if found > 1:
                raise BadInput(f"{self.source} has {found} columns {shown(name)}; rename all but one")
        cells = self.read(wanted)
        if not cells.lines and not cells.broken:
            raise BadInput(f"{self.source} holds column names and no rows")
        return cells


def is_empty(cell: str) -> bool:
    return cell.lower() in EMPTY


def number(cell: str) -> float:
    """The number that a cell writes; NaN where it writes none."""
    try:
        return float(cell)
    except ValueError:
        return np.nan


def count(cell: str) -> float:
    """`number`, with thousands separators and the units K, M, B (or G) and T understood."""
    try:
        return float(cell)
    except ValueError:
        written = COUNT.fullmatch(cell)
        return number(written[1].replace(",", "")) * UNITS[written[2].lower()] if written else np.nan


def numbers(cells: Sequence[str], read: Callable[[str], float] = count) -> Array:
    """Cells as float64, NaN where there is no number."""
    return np.fromiter(map(read, cells), np.float64, len(cells))


def shown(text: str) -> str:
    """A name or cell as it may stand in a one-line message."""
    short = text if len(text) <= CHARACTERS_SHOWN else text[: CHARACTERS_SHOWN - 1] + "…"
    return short if short and short.isprintable() else repr(short)


def listed(names: Sequence[str]) -> str:
    """Names for a message: a, b and c."""
    some = [shown(name) for name in names[:NAMES_SHOWN]]
    more = len(names) - len(some)
    if more:
        some.append(f"{more} more")
    return " and ".join(filter(None, [", ".join(some[:-1]), some[-1]])) if some else "none"
