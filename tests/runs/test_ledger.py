import multiprocessing
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from hutch.runs import HutchError, Ledger


def filled(folder):
    ledger = Ledger(folder)
    ledger.add("a", "profile", {"x": 1}, 1e9)
    ledger.add("b", "optimal", {"x": 2}, 2e9, parameters=3_000)
    return ledger


def test_a_run_from_waiting_to_done(tmp_path):
    ledger = filled(tmp_path)
    assert [row.status for row in ledger.rows()] == ["waiting", "waiting"]
    curve = np.array([3.0, 2.5], np.float32)
    ledger.update("a", status="done", loss=2.5, metrics={"bits": [1.0]}, curve=curve)
    row = Ledger(tmp_path).row("a")
    assert (row.status, row.loss, row.metrics, row.config) == ("done", 2.5, {"bits": [1.0]}, {"x": 1})
    assert np.array_equal(row.curve, curve)
    assert [r.parameters for r in ledger.rows()] == [None, 3000.0]
    assert [(r.curve, r.metrics) for r in ledger.rows(whole=False)] == [(None, {}), (None, {})]


def test_entering_a_run_twice_changes_nothing(tmp_path):
    ledger = filled(tmp_path)
    ledger.update("a", status="done", attempts=1)
    ledger.add("a", "profile", {"x": 1}, 1e9)
    assert len(ledger.rows()) == 2
    assert ledger.row("a").status == "done"


def test_an_unknown_run_is_an_error(tmp_path):
    ledger = filled(tmp_path)
    with pytest.raises(HutchError, match="has no run c"):
        ledger.update("c", status="done")
    with pytest.raises(HutchError, match="has no run c"):
        ledger.row("c")


def test_facts_are_kept(tmp_path):
    filled(tmp_path).set_facts({"peak": 1.5e9, "names": ["a"]})
    assert Ledger(tmp_path).facts() == {"peak": 1.5e9, "names": ["a"]}


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "ledger.sqlite").write_bytes(b"this is no database, and long enough to be read as a header" * 20)
    with pytest.raises(HutchError, match=r"ledger\.sqlite: file is not a database"):
        Ledger(tmp_path)


def test_a_ledger_of_another_version_is_refused(tmp_path):
    filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db:
        db.execute("PRAGMA user_version = 999")
    with pytest.raises(HutchError, match="written by another version"):
        Ledger(tmp_path)


def test_a_ledger_is_found_by_its_folder_or_its_file(tmp_path):
    rows = filled(tmp_path).rows()
    moved = (tmp_path / "ledger.sqlite").rename(tmp_path / "mine.sqlite")
    assert Ledger(moved).rows() == rows


def test_the_database_of_another_program_is_refused_as_it_is(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE photos (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(HutchError, match="another version"):
        Ledger(tmp_path)
    assert path.read_bytes() == before


def read_many(folder, failures):
    try:
        for _ in range(50):
            Ledger(folder).rows()
    except HutchError as error:
        failures.put(str(error))


def test_readers_and_the_writer_do_not_block_each_other(tmp_path):
    ledger = filled(tmp_path)
    context = multiprocessing.get_context("forkserver")
    failures = context.Queue()
    readers = [context.Process(target=read_many, args=(tmp_path, failures)) for _ in range(2)]
    for reader in readers:
        reader.start()
    for step in range(50):
        ledger.update("a", tokens=step)
    for reader in readers:
        reader.join()
    assert failures.empty()
    assert [reader.exitcode for reader in readers] == [0, 0]
    assert ledger.row("a").tokens == 49
