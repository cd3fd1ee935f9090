from dataclasses import dataclass

import pytest

from hutch.runs import Ledger, StudyClock
from hutch.runs.atomic import write_json
from hutch.studies.sweep import Sweep


@dataclass(frozen=True)
class Run:
    id: str
    train: str
    role: str = "profile"
    budget: float = 1e9
    parameters: float | None = 5e4

    @property
    def label(self):
        return f"run {self.id}"


@pytest.fixture
def sweep(tmp_path):
    def one(runs):
        snapshots = []
        found = Sweep(
            folder=tmp_path,
            ledger=Ledger(tmp_path),
            module="tests.studies.units",
            function="unit",
            workers=2,
            clock=StudyClock("title", None),
            on_snapshot=snapshots.append,
            preload=(),
        ).run(
            runs,
            lambda run, divergences: {"behaviour": run.train, "divergences": divergences, "value": len(run.id)},
            lambda run, folder, result: {"loss": float(result["loss"])},
        )
        return found, snapshots

    return one


def attempts(folder, run):
    return (folder / "runs" / run / "attempts").read_text().split()


def test_runs_end_as_they_should(sweep, tmp_path):
    rows, snapshots = sweep(
        [Run("a", "goes well"), Run("bb", "diverges"), Run("ccc", "is killed"), Run("d", "always diverges")]
    )
    assert [(row.status, row.attempts, row.loss) for row in rows] == [
        ("done", 1, 1.0),
        ("done", 2, 2.0),
        ("done", 2, 3.0),
        ("diverged", 2, None),
    ]
    assert rows[1].error == "diverged at step 3 of 9"
    assert rows[2].error == "the worker was killed (signal SIGKILL)"
    assert {row.parameters for row in rows} == {5e4}
    # A divergence is tried at another rate, a killed run goes on as it was.
    assert (attempts(tmp_path, "bb"), attempts(tmp_path, "ccc")) == (["0", "1"], ["0", "0"])
    assert (snapshots[-1].done, snapshots[-1].total) == (4, 4)


def test_what_is_whole_is_not_done_again(sweep, tmp_path):
    runs = [Run("a", "goes well"), Run("d", "always diverges")]
    first, again = sweep(runs)[0], sweep(runs)[0]
    assert first == again
    assert attempts(tmp_path, "a") == ["0"]
    assert attempts(tmp_path, "d") == ["0", "1"]


def test_a_result_that_nobody_took_in_is_taken_in(sweep, tmp_path):
    Ledger(tmp_path).add("a", "profile", "goes well", 1e9)
    Ledger(tmp_path).update("a", status="running")
    write_json(tmp_path / "runs" / "a" / "result.json", {"loss": 42})
    rows, _ = sweep([Run("a", "goes well")])
    assert (rows[0].status, rows[0].loss, rows[0].attempts) == ("done", 42.0, 1)
    assert not (tmp_path / "runs" / "a" / "attempts").exists()


def test_what_the_machine_failed_is_tried_again_by_the_next_call(sweep, tmp_path):
    run = [Run("a", "has no disk")]
    first, again = sweep(run)[0], sweep(run)[0]
    assert (first[0].status, first[0].error) == ("failed", "no space left")
    assert (again[0].status, again[0].attempts, again[0].loss) == ("done", 3, 1.0)


def test_a_retry_keeps_its_rate_when_the_study_is_killed_in_it(sweep, tmp_path):
    ledger = Ledger(tmp_path)
    ledger.add("a", "profile", "goes well", 1e9)
    ledger.update("a", status="running", attempts=1, divergences=1, error="diverged at step 3 of 9")
    assert sweep([Run("a", "goes well")])[0][0].status == "done"
    assert attempts(tmp_path, "a") == ["1"]
