import pytest

from hutch.runs import Heartbeat, Ledger, StudyClock, write_heartbeat
from hutch.runs.progress import read_heartbeat


def test_a_snapshot_counts_finished_runs_and_the_finished_part_of_running_ones(tmp_path):
    ledger = Ledger(tmp_path)
    for name, budget in (("a", 1e9), ("b", 4e9), ("c", 5e9)):
        ledger.add(name, "profile", {}, budget)
    ledger.update("a", status="done", loss=3.0, tokens=100)
    ledger.update("b", status="running")
    (tmp_path / "runs" / "b").mkdir(parents=True)
    beat = Heartbeat(step=50, steps=100, tokens=640, loss=4.0, tokens_per_second=10.0, flops_per_second=1e8)
    write_heartbeat(tmp_path / "runs" / "b", beat)
    clock = StudyClock("title", 1e9, {"a": "a", "b": "the second", "c": "c"})
    clock.flops_at_start = 0.0
    ledger.add("of another plan", "superseded", {}, 1e9)
    snapshot = clock.snapshot(ledger.rows(), tmp_path / "runs")
    assert (snapshot.done, snapshot.total, snapshot.flops_done, snapshot.flops_total) == (1, 3, 3e9, 1e10)
    assert [run.label for run in snapshot.runs] == ["a", "the second", "c"]
    assert [run.loss for run in snapshot.runs] == [3.0, 4.0, None]
    assert snapshot.seconds_left == pytest.approx(snapshot.elapsed_s * 7 / 3)


def test_there_is_no_estimate_before_there_is_work(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.add("a", "profile", {}, 1e9)
    assert StudyClock("title", None, {"a": "a"}).snapshot(ledger.rows(), tmp_path).seconds_left is None


def test_a_heartbeat_that_cannot_be_written_is_no_error(tmp_path):
    beat = Heartbeat(step=1, steps=2, tokens=3, loss=None, tokens_per_second=0.0, flops_per_second=0.0)
    write_heartbeat(tmp_path / "nowhere", beat)
    assert read_heartbeat(tmp_path / "nowhere") is None
