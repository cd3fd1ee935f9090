"""The ledger of a study as a table of runs: those that ended well, with the loss of each of their steps."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hutch.runs.errors import BadInput, HutchError
from hutch.runs.ledger import Ledger, LedgerRow
from hutch.scaling.columns import Array
from hutch.scaling.curves import Curve
from hutch.scaling.run_table import RunTable
from hutch.scaling.tables.cells import Cells, Table

COLUMNS = ("id", "role", "parameters", "tokens", "flops", "loss", "budget", "seconds", "attempts", "revision")
STILL = ("waiting", "running")


def ledger_table(path: Path, source: str) -> Table:
    """The finished runs of the ledger at `path`; its rows are numbered from 1 in the order of their entering."""
    try:
        rows = Ledger(path).rows()
    except HutchError as error:
        raise BadInput(str(error)) from error
    done = [(line, row) for line, row in enumerate(rows, 1) if row.status == "done" and _finite(row.loss)]
    notes = _left_out(rows)
    if not done:
        raise BadInput(f"{source}: no run of {len(rows)} has ended well{': ' if notes else ''}{''.join(notes)}")

    def read(wanted: Sequence[str]) -> Cells:
        return Cells(
            columns={name: [_text(getattr(row, name)) for _, row in done] for name in wanted},
            lines=[line for line, _ in done],
            step_losses=[None if row.curve is None else np.asarray(row.curve, float) for _, row in done],
        )

    return Table(source=source, names=COLUMNS, read=read, unit="row", notes=notes, exact_flops=True)


def with_step_curves(runs: RunTable, losses: Sequence[Array | None]) -> tuple[RunTable, list[str]]:
    """The runs with their curves, from the loss of each of their steps; without any, and a note, where one has none.

    Steps are equal: each one's tokens and FLOP are its share of the run's.
    """
    curves = []
    for row, loss in enumerate(losses):
        try:
            curves.append(_curve(runs, row, np.empty(0) if loss is None else loss))
        except BadInput as error:
            return runs, [f"row {runs.lines[row]:.0f} has no training curve ({error}); no run's is used"]
    return replace(runs, curves=tuple(curves)), []


def _curve(runs: RunTable, row: int, loss: Array) -> Curve:
    steps = len(loss)
    done = np.arange(1, steps + 1, dtype=float)
    tokens, flops = runs.tokens[row] * done / steps, runs.flops[row] * done / steps
    return Curve(parameters=float(runs.parameters[row]), flops=flops, tokens=tokens, loss=loss)


def _left_out(rows: Sequence[LedgerRow]) -> tuple[str, ...]:
    counts = Counter(row.status for row in rows if row.status != "done")
    parts = [f"{count} still {status}" if status in STILL else f"{count} {status}" for status, count in counts.items()]
    lossless = sum(row.status == "done" and not _finite(row.loss) for row in rows)
    parts += [f"{lossless} without a finite loss"] if lossless else []
    return (f"runs left out: {', '.join(parts)}",) if parts else ()


def _finite(loss: float | None) -> bool:
    return loss is not None and bool(np.isfinite(loss))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
