import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest

from hutch.runs import Ledger
from hutch.scaling.tables import read_runs

from .tables import refusal, write


def filled(folder):
    """Two finished profile runs, a finished holdout, and a failed, a diverged, a waiting and a lossless one."""
    ledger = Ledger(folder)
    runs = [
        ("a", "profile", 8e11, 1000, 100_000_000, 8e11, 3.5),
        ("b", "profile", 8e11, 2000, 50_000_000, 8e11, 3.4),
        ("f", "profile", 8e11, 2000, None, None, None),
        ("c", "optimal", 3.2e12, 2000, 200_000_000, 3.2e12, 3.2),
        ("d", "optimal", 3.2e12, 2000, None, None, None),
        ("n", "optimal", 3.2e12, 2000, 200_000_000, 3.2e12, None),
        ("w", "optimal", 3.2e12, 2000, None, None, None),
    ]
    statuses = {"f": "failed", "d": "diverged", "w": "waiting"}
    for name, role, budget, parameters, tokens, flops, loss in runs:
        ledger.add(name, role, {"x": name}, budget, parameters)
        found = {"tokens": tokens, "flops": flops, "loss": loss, "curve": [5.0, 4.0, 3.75, 3.5] if loss else None}
        ledger.update(name, status=statuses.get(name, "done"), **found)
    return ledger


def test_finished_runs_with_their_curves(tmp_path):
    filled(tmp_path)
    reading = read_runs(tmp_path)
    runs = reading.runs
    assert reading.source == str(tmp_path)
    assert (runs.parameters.tolist(), runs.tokens.tolist()) == ([1000, 2000, 2000], [1e8, 5e7, 2e8])
    assert (runs.flops.tolist(), runs.loss.tolist()) == ([8e11, 8e11, 3.2e12], [3.5, 3.4, 3.2])
    assert (runs.budget.tolist(), runs.lines.tolist()) == ([8e11, 8e11, 3.2e12], [1, 2, 4])
    assert runs.flops_per_nd == pytest.approx(8)
    assert runs.curves[2].flops.tolist() == [8e11, 1.6e12, 2.4e12, 3.2e12]
    assert runs.curves[2].tokens.tolist() == [5e7, 1e8, 1.5e8, 2e8]
    assert runs.curves[0].loss.tolist() == [5, 4, 3.75, 3.5]
    assert reading.columns["run"] == "id"
    assert reading.notes == (
        "runs left out: 1 failed, 1 diverged, 1 still waiting, 1 without a finite loss",
        "C/(N·D) is 8 (median; 8 to 8), not 6: C, N and D are in the table's own count, and so are the laws fitted to "
        "them",
    )


def test_it_is_selected_from_like_any_table(tmp_path):
    filled(tmp_path)
    reading = read_runs(tmp_path / "ledger.sqlite", where=["role=profile"])
    assert (len(reading.runs), reading.rows, reading.left_out, len(reading.runs.curves)) == (2, 3, 1, 2)
    assert read_runs(tmp_path, derive="flops").runs.flops[0] == 6e11
    assert refusal(tmp_path, where=["width=3"]).endswith(
        "to select by; it has id, role, parameters, tokens, flops, loss, budget, seconds, attempts and revision"
    )


def test_a_moved_ledger_is_known_by_its_content(tmp_path):
    filled(tmp_path)
    assert len(read_runs((tmp_path / "ledger.sqlite").rename(tmp_path / "mine.data")).runs) == 3


def test_runs_without_parameters_are_rows_that_cannot_be_used(tmp_path):
    filled(tmp_path).add("g", "profile", {}, 1e12)
    Ledger(tmp_path).update("g", status="done", tokens=1, flops=1.0, loss=1.0)
    assert "1 row cannot be used: row 8: parameters is empty (--drop" in refusal(tmp_path)
    assert len(read_runs(tmp_path, drop_invalid=True).runs) == 3


@pytest.mark.parametrize("curve", [None, [3.0], [3.0, np.nan], [3.0, 0.0]])
def test_a_run_without_a_curve_is_told_and_no_curves_are_used(tmp_path, curve):
    filled(tmp_path).update("b", curve=curve)
    reading = read_runs(tmp_path)
    assert reading.runs.curves is None
    assert any(note.startswith("row 2 has no training curve (") for note in reading.notes)


def test_ledgers_that_cannot_be_read(tmp_path):
    assert refusal(tmp_path).endswith("is a folder without a ledger.sqlite; give a table or a study's folder")
    broken = write(tmp_path, b"this is no database" * 100, "ledger.sqlite")
    assert refusal(broken) == "ledger.sqlite is no SQLite database, and a ledger is one"
    write(tmp_path, b"", "ledger.sqlite")
    assert refusal(tmp_path).endswith("is no SQLite database, and a ledger is one")
    assert (tmp_path / "ledger.sqlite").read_bytes() == b""


def test_a_ledger_without_finished_runs(tmp_path):
    ledger = Ledger(tmp_path)
    assert refusal(tmp_path).endswith(": no run of 0 has ended well")
    ledger.add("a", "profile", {}, 1e12, 1000)
    assert refusal(tmp_path).endswith(": no run of 1 has ended well: runs left out: 1 still waiting")


def test_another_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "photos.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE photos (name TEXT)")
    before = path.read_bytes()
    assert refusal(path).startswith("photos.sqlite was written by another version of Hutch")
    assert path.read_bytes() == before


def test_a_study_is_read_without_torch(tmp_path):
    filled(tmp_path)
    code = (
        "import sys; from hutch.scaling.tables import read_runs; "
        f"read_runs({str(tmp_path)!r}); print([m for m in ('torch', 'pyarrow', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
