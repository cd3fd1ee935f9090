"""Where work is done: worker processes on this machine.

Each task is a process of its own, forked from a server that has already imported what the tasks need, so that a
process that is killed or runs out of memory costs its task alone and a start costs milliseconds.
"""

import importlib
import multiprocessing
import multiprocessing.forkserver as forkserver
import os
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from hutch.runs.atomic import read_json, write_json
from hutch.runs.errors import HutchError

CANNOT_WRITE = 74
"""Exit code of a worker that could not write its files (EX_IOERR of sysexits.h)."""


@dataclass(frozen=True)
class Task:
    """One unit of work: `module`:`function` is called with `folder` and `payload`, and leaves its result there."""

    id: str
    module: str
    function: str
    folder: Path
    payload: Any


@dataclass(frozen=True)
class Outcome:
    """How an attempt at a task ended."""

    task: Task
    result: dict[str, Any] | None
    """What the function returned, read back from `result.json`; None when it did not get that far."""
    error: str | None
    """One line that says why there is no result."""
    kind: str = ""
    """Name of the exception's class, or "killed"."""


def result_of(folder: Path) -> dict[str, Any] | None:
    """The result of a task that is whole; its file appears last and by rename."""
    return read_json(folder / "result.json") if (folder / "result.json").exists() else None


def warm_up(preload: Sequence[str]) -> None:
    """Start the server that workers are forked from, and let it import `preload` while this process goes on."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["hutch.runs.executors", *preload])
    # The server takes over this mask: a Ctrl-C while it still imports is the parent's to answer.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_tasks(
    tasks: Sequence[Task],
    *,
    workers: int,
    on_start: Callable[[Task], None] = lambda task: None,
    on_end: Callable[[Outcome], Task | None] = lambda outcome: None,
    on_tick: Callable[[], None] = lambda: None,
    preload: Sequence[str] = (),
    tick_seconds: float = 0.5,
) -> None:
    """Do all tasks, `workers` at a time, in the order given.

    `on_end` may return a task to be done next: that is how a failed one is tried again. On Ctrl-C, or any other
    exception here, the workers are ended and waited for; they lose at most the work since their last checkpoint.
    """
    warm_up(preload)
    context = multiprocessing.get_context("forkserver")
    waiting, running = list(tasks), {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                task = waiting.pop(0)
                on_start(task)
                running[_start(context, task)] = task
            wait([process.sentinel for process in running], timeout=tick_seconds)
            for process in [p for p in running if p.exitcode is not None]:
                again = on_end(_outcome(process, running.pop(process)))
                if again is not None:
                    waiting.insert(0, again)
            on_tick()
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.join()


def _start(context: Any, task: Task) -> BaseProcess:
    task.folder.mkdir(parents=True, exist_ok=True)
    (task.folder / "error.json").unlink(missing_ok=True)
    process = context.Process(target=_work, args=(task,), name=task.id)
    process.start()
    return process


def _outcome(process: BaseProcess, task: Task) -> Outcome:
    process.join()
    result = result_of(task.folder)
    if result is not None:
        return Outcome(task, result, None)
    if (task.folder / "error.json").exists():
        error = read_json(task.folder / "error.json")
        return Outcome(task, None, error["message"], error["kind"])
    code = process.exitcode or 0
    if code == CANNOT_WRITE:
        return Outcome(task, None, f"the worker could not write into {task.folder}: is the disk full?", "OSError")
    why = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return Outcome(task, None, f"the worker was killed ({why})", "killed")


def _work(task: Task) -> None:
    """The body of a worker process."""
    # Ctrl-C reaches the whole process group; only the parent answers it, and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        function = getattr(importlib.import_module(task.module), task.function)
        result = function(task.folder, task.payload)
        write_json(task.folder / "result.json", result)
    except Exception as error:
        _leave_error(task.folder, error)
        raise SystemExit(1) from error


def _leave_error(folder: Path, error: Exception) -> None:
    """Write down why the work failed; where not even that can be written, let the exit code say so."""
    message = " ".join(str(error).split()) or repr(error)
    try:
        (folder / "traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
        write_json(folder / "error.json", {"kind": type(error).__name__, "message": message})
    except (OSError, HutchError):
        raise SystemExit(CANNOT_WRITE) from error


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
