import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hutch.runs import Task, result_of, run_tasks

ROOT = Path(__file__).resolve().parents[2]


def tasks_of(function, folder, payloads):
    return [Task(f"t{i}", "tests.runs.tasks", function, folder / f"t{i}", p) for i, p in enumerate(payloads)]


def collected(tasks, workers=2, again=lambda outcome: None):
    outcomes = []

    def on_end(outcome):
        outcomes.append(outcome)
        return again(outcome)

    run_tasks(tasks, workers=workers, on_end=on_end)
    return outcomes


@pytest.mark.parametrize("workers", [1, 2])
def test_each_task_is_done_once_in_a_process_of_its_own(tmp_path, workers):
    outcomes = collected(tasks_of("square", tmp_path, range(5)), workers)
    assert sorted(outcome.result["value"] for outcome in outcomes) == [0, 1, 4, 9, 16]
    assert len({outcome.result["process"] for outcome in outcomes} | {os.getpid()}) == 6
    assert result_of(tmp_path / "t3")["value"] == 9


def test_an_exception_comes_back_as_one_line(tmp_path):
    (outcome,) = collected(tasks_of("refuse", tmp_path, [1]))
    assert (outcome.result, outcome.error, outcome.kind) == (None, "the number is odd", "ValueError")
    assert "Traceback" in (tmp_path / "t0" / "traceback.txt").read_text()
    assert result_of(tmp_path / "t0") is None


def test_a_killed_worker_costs_its_task_alone_and_can_be_tried_again(tmp_path):
    tasks = [*tasks_of("die_once", tmp_path / "a", [7]), *tasks_of("square", tmp_path / "b", [2, 3])]
    outcomes = collected(tasks, again=lambda outcome: outcome.task if outcome.kind == "killed" else None)
    killed = [outcome for outcome in outcomes if outcome.result is None]
    assert [outcome.error for outcome in killed] == ["the worker was killed (signal SIGKILL)"]
    assert sorted(outcome.result["value"] for outcome in outcomes if outcome.result) == [4, 7, 9]


def test_an_error_in_the_study_ends_the_workers(tmp_path):
    def tick():
        if (tmp_path / "t0" / "started").exists() and (tmp_path / "t0" / "started").read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tasks(tasks_of("linger", tmp_path, [0]), workers=1, on_tick=tick, tick_seconds=0.05)
    assert not alive(int((tmp_path / "t0" / "started").read_text()))


def test_workers_end_with_a_study_that_is_killed(tmp_path):
    script = (
        "from pathlib import Path; from hutch.runs import Task, run_tasks\n"
        f"run_tasks([Task('t', 'tests.runs.tasks', 'linger', Path({str(tmp_path)!r}), 0)], workers=1)"
    )
    study = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    started = tmp_path / "started"
    deadline = time.monotonic() + 30
    while not (started.exists() and started.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    worker = int(started.read_text())
    study.send_signal(signal.SIGKILL)
    study.wait()
    deadline = time.monotonic() + 10
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(worker)


def alive(process):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
