"""Reading a table of runs: open it, choose its columns, select and check its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from typing import Any

from hutch.scaling.columns import Array, positive_number
from hutch.scaling.run_table import RunTable
from hutch.scaling.tables.cells import Cells, Dropped, Table
from hutch.scaling.tables.checks import Faults, budget_note, cell_faults, duplicates_note, refuse, size_faults
from hutch.scaling.tables.conditions import conditions_of, rows_that_meet
from hutch.scaling.tables.convention import convention_faults, convention_note, derived
from hutch.scaling.tables.files import open_table
from hutch.scaling.tables.ledgers import with_step_curves
from hutch.scaling.tables.long_tables import last_points, long_note
from hutch.scaling.tables.repeats import repeat_columns, repeats_note
from hutch.scaling.tables.roles import Column, choose, settle
from hutch.scaling.tables.spellings import OTHER_UNIT, SIZES, caution


@dataclass(frozen=True, kw_only=True)
class TableReading:
    """A table of runs as it was read, and how."""

    runs: RunTable
    """The runs. `lines` are those on which they begin (the header's is 1); of Parquet and ledgers, rows from 1."""
    source: str
    """The path as given."""
    columns: dict[str, str]
    """Of each role that the table has ("parameters", "tokens", "flops", "loss", "budget", "run") the column's name, or
    how it was derived: "flops / (6 × parameters)"."""
    rows: int
    """Rows read, before any were left out."""
    left_out: int
    """Rows that do not meet the conditions."""
    dropped: tuple[Dropped, ...]
    """Rows that cannot be used."""
    notes: tuple[str, ...]
    """What to know of the table, a line each."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without the runs themselves."""
        return {
            "source": self.source,
            "columns": self.columns,
            "units": {
                "loss": "as in the table" if caution(self.columns["loss"], "loss") == OTHER_UNIT else "nats per token"
            },
            "rows": self.rows,
            "left_out": self.left_out,
            "dropped": [asdict(one) for one in self.dropped],
            "runs": len(self.runs),
            "flops_per_nd": self.runs.flops_per_nd,
            "notes": list(self.notes),
        }


def read_runs(
    path: str | PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    where: Sequence[str] = (),
    drop_invalid: bool = False,
    flops_per_nd: float | None = None,
    derive: str | None = None,
    curves: bool = False,
) -> TableReading:
    """The runs in a delimited text file (.csv, .tsv, also .gz), a Parquet file, a ledger or a study's folder.

    Args:
        columns: role → column, for roles whose column is not found by its name: parameters, tokens, flops (two of
            the three are needed), loss, budget, run.
        where: conditions that a row must meet, all of them: COLUMN OP VALUE with <=, >=, !=, =, <, > or ~ (a regular
            expression for the whole cell); `seed=` asks for an empty cell.
        drop_invalid: leave out rows that cannot be used, instead of refusing the table.
        flops_per_nd: κ in C = κ·N·D, which derives a missing size and which a table of all three must keep to
            within 25 %; 6 where None.
        derive: compute this of parameters, tokens and flops from the two others, whether or not there is a column.
        curves: the table has several rows a run, points of its training curve; the run is its last point. A ledger's
            runs have curves in any case.

    Raises:
        BadInput: one line, for anything that cannot be read, found or used.
    """
    kappa = None if flops_per_nd is None else positive_number("flops_per_nd", flops_per_nd)
    with open_table(path) as table:
        choices = choose(table, columns or {}, derive, curves)
        conditions = conditions_of(where, table)
        wanted = [name for choice in choices.values() for name in choice.names]
        repeats = repeat_columns(table.names)
        cells = table.cells(list(dict.fromkeys([*wanted, *(one.column for one in conditions), *repeats])))
    picked = cells.take(rows_that_meet(conditions, cells, table.source))
    found, notes = settle(table, choices, picked)
    sizes, names, faults = _sizes(table, found, kappa)
    dropped = [*cells.broken, *(Dropped(line=picked.lines[row], reason=why) for row, why in faults.items())]
    good = [row for row in range(len(picked.lines)) if row not in faults]
    if not good:
        refuse(table, dropped, all_rows=True)
    usable = picked.take(good)
    points = RunTable.of(
        parameters=sizes["parameters"][good],
        tokens=sizes["tokens"][good],
        flops=sizes["flops"][good],
        loss=found["loss"].values[good],
        budget=found["budget"].values[good] if "budget" in found else None,
        lines=usable.lines,
    )
    runs, off_curve, curve_notes = _curves(table, points, usable, names.get("run"), curves)
    dropped += off_curve
    if dropped and not (drop_invalid and len(runs)):
        refuse(table, dropped, all_rows=not len(runs))
    notes += [*table.notes, *curve_notes, *budget_note(runs), *duplicates_note(runs, table.unit)]
    notes += repeats_note(usable, table.names, points.tokens)
    return TableReading(
        runs=runs,
        source=table.source,
        columns=names,
        rows=len(cells.lines) + len(cells.broken),
        left_out=len(cells.lines) - len(picked.lines),
        dropped=tuple(sorted(dropped, key=lambda one: one.line)),
        notes=tuple(notes + convention_note(runs, kappa)),
    )


def _sizes(
    table: Table, found: Mapping[str, Column], kappa: float | None
) -> tuple[dict[str, Array], dict[str, str], Faults]:
    """Parameters, tokens and flops; each role's column or formula; and the rows that cannot be used."""
    sizes: dict[str, Array] = {role: found[role].values for role in SIZES if role in found}
    names = {role: column.name for role, column in found.items()}
    faults = cell_faults(found)
    if len(sizes) == 2:
        role, sizes[role], names[role] = derived(sizes, kappa)
        faults = size_faults(role, sizes[role]) | faults
    elif kappa is not None or not table.exact_flops:
        faults |= convention_faults(table.source, sizes, kappa, faults)
    return sizes, names, faults


def _curves(
    table: Table, points: RunTable, cells: Cells, run: str | None, curves: bool
) -> tuple[RunTable, list[Dropped], list[str]]:
    """The runs, with their curves where there are any; the rows that fit in none; and notes."""
    names = cells.columns[run] if run is not None else []
    if cells.step_losses is not None:
        runs, notes = with_step_curves(points, cells.step_losses)
        return runs, [], notes
    if curves:
        return *last_points(points, names, table.unit), []
    return points, [], long_note(names)
