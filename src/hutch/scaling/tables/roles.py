"""Which column of a table is what: parameters, tokens, FLOPs, loss, budget, run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array
from hutch.scaling.tables.cells import Cells, Table, count, listed, number, numbers, shown
from hutch.scaling.tables.spellings import COUNTS, ROLES, SIZES, candidates, caution, without_unit


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The columns that may be a role's: one that was named or found, or several that must prove equal."""

    role: str
    names: Sequence[str]
    named: bool
    """Whether the user named it."""
    passed_over: Sequence[str] = ()
    """Columns of a worse name."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A role's column: its cells, and their numbers in plain units, NaN where there is none."""

    name: str
    cells: list[str]
    values: Array


def choose(table: Table, columns: Mapping[str, str], derive: str | None, curves: bool) -> dict[str, Choice]:
    """The choice for each role that the table has. `BadInput` where a role that is needed has none."""
    _check(columns, derive)
    choices = {}
    for role in ROLES:
        if role in columns:
            choices[role] = Choice(role=role, names=[columns[role]], named=True)
        elif role != derive:
            names, others = candidates(table.names, role)
            # What tells runs apart is seldom needed, and the first that does will do.
            best = names[:1] if role == "run" else names
            choices[role] = Choice(role=role, names=best, named=False, passed_over=others)
    found = {role: choice for role, choice in choices.items() if choice.names}
    _refuse_missing(table, found, derive, curves)
    return found


def _check(columns: Mapping[str, str], derive: str | None) -> None:
    for role in columns:
        if role not in ROLES:
            raise BadInput(f"{shown(role)} is no role of a column; the roles are {listed(ROLES)}")
    if derive is not None and derive not in SIZES:
        raise BadInput(f"{shown(derive)} cannot be derived; choose one of {', '.join(SIZES)}")
    if derive in columns:
        raise BadInput(f"{derive} is to be derived and to be read from {shown(columns[derive])}; choose one")


def _refuse_missing(table: Table, found: Mapping[str, Choice], derive: str | None, curves: bool) -> None:
    has = f"its columns are {listed(table.names)}"
    sizes = [role for role in SIZES if role in found]
    if len(sizes) < 2:
        only = f"only {sizes[0]} was found ({shown(found[sizes[0]].names[0])})" if sizes else "none was found"
        flags = [f"--{role}" for role in SIZES if role not in sizes and role != derive]
        budget = found.get("budget")
        hint = (
            f"; --flops {budget.names[0]} takes the budget for what was spent" if budget and derive != "flops" else ""
        )
        raise BadInput(
            f"{table.source}: two of parameters, tokens and flops are needed and {only}: name a column with "
            f"{' or '.join(flags)}{hint}; {has}"
        )
    if "loss" not in found:
        raise BadInput(f"{table.source}: no column is named like a loss: name one with --loss; {has}")
    if curves and "run" not in found:
        raise BadInput(f"{table.source}: curves need a column that tells the runs apart: name it with --run; {has}")


def settle(table: Table, choices: Mapping[str, Choice], cells: Cells) -> tuple[dict[str, Column], list[str]]:
    """Each role's column, and notes on how it was chosen. `BadInput` where equally good columns differ."""
    columns, notes = {}, []
    for role, choice in choices.items():
        first, *others = (_column(role, name, cells) for name in choice.names)
        for other in others:
            _refuse_difference(table, role, first, other, cells)
            notes.append(f"{role}: {shown(first.name)}; {shown(other.name)} holds the same")
        columns[role] = first
        notes += _notes(choice, first)
    return columns, notes


def _column(role: str, name: str, cells: Cells) -> Column:
    text = cells.columns[name]
    if role == "run":
        return Column(name=name, cells=text, values=np.full(len(text), np.nan))
    if role == "loss":
        return Column(name=name, cells=text, values=numbers(text, number))
    scale = without_unit(name)[1]
    values = numbers(text, count if scale == 1 else number)
    with np.errstate(over="ignore"):
        return Column(name=name, cells=text, values=values * scale)


def _refuse_difference(table: Table, role: str, one: Column, other: Column, cells: Cells) -> None:
    same = (one.values == other.values) | (np.isnan(one.values) & np.isnan(other.values))
    if not same.all():
        row = int(np.flatnonzero(~same)[0])
        raise BadInput(
            f"{table.source}: {shown(one.name)} and {shown(other.name)} are both named like {role} and differ "
            f"({table.unit} {cells.lines[row]}: {shown(one.cells[row])} and {shown(other.cells[row])}); "
            f"choose one with --{role}"
        )


def _notes(choice: Choice, column: Column) -> list[str]:
    role, name, notes = choice.role, shown(column.name), []
    if not choice.named and (what := caution(column.name, role)):
        notes.append(f"{role}: {name}, {what}")
    if choice.passed_over and role != "run":
        notes.append(f"{role}: {name}, not {listed(choice.passed_over)}")
    if role in COUNTS and (scale := without_unit(column.name)[1]) != 1:
        notes.append(f"{role}: {name} × {scale:g}")
    return notes
