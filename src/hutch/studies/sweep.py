"""A sweep: runs that are entered in the ledger, done by workers, and taken in as they end.

What is whole is skipped, so that a study that was interrupted goes on where it stopped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hutch.runs import Ledger, LedgerRow, Outcome, StudyClock, StudySnapshot, Task, result_of, run_tasks
from hutch.runs.machine import git_revision

ATTEMPTS = 2
"""A run that diverged or was killed is tried once more."""


class SweepRun(Protocol):
    """What a sweep needs to know of a run."""

    role: str
    budget: float
    train: Any

    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...


@dataclass(frozen=True)
class Sweep:
    """How the runs of one study are done."""

    folder: Path
    """The study's; a run's own is `folder`/runs/<id>."""
    ledger: Ledger
    module: str
    """Module and function that do one run (`hutch.runs.executors.Task`)."""
    function: str
    workers: int
    clock: StudyClock
    on_snapshot: Callable[[StudySnapshot], None]
    preload: Sequence[str] = ()

    def run(
        self,
        runs: Sequence[SweepRun],
        payload: Callable[[SweepRun, int], dict[str, Any]],
        columns: Callable[[SweepRun, Path, dict[str, Any]], dict[str, Any]],
    ) -> list[LedgerRow]:
        """Do those of `runs` that are not whole; return the ledger's rows of all of them, in the order given.

        `payload(run, attempt)` is what its worker is given, `columns(run, folder, result)` what the ledger keeps.
        """
        planned = {run.id: run for run in runs}
        labels = {run.id: run.label for run in runs}
        for run in runs:
            self.ledger.add(run.id, run.role, run.train, run.budget)
        known = {row.id: row for row in self.ledger.rows()}

        def task(run: SweepRun, attempt: int) -> Task:
            return Task(run.id, self.module, self.function, self._folder(run.id), payload(run, attempt))

        def take_in(run_id: str, result: dict[str, Any]) -> None:
            run, folder = planned[run_id], self._folder(run_id)
            self.ledger.update(run_id, status="done", revision=git_revision(), **columns(run, folder, result))

        def started(task: Task) -> None:
            self.ledger.update(task.id, status="running")

        def ended(outcome: Outcome) -> Task | None:
            run_id = outcome.task.id
            attempts = next(row.attempts for row in self.ledger.rows() if row.id == run_id) + 1
            self.ledger.update(run_id, attempts=attempts)
            if outcome.result is not None:
                take_in(run_id, outcome.result)
                return None
            status = "diverged" if outcome.kind == "Diverged" else "failed"
            self.ledger.update(run_id, status=status, error=outcome.error)
            if attempts >= ATTEMPTS:
                return None
            return task(planned[run_id], attempts if status == "diverged" else 0)

        def tick() -> None:
            rows = [row for row in self.ledger.rows() if row.id in labels or row.status == "done"]
            self.on_snapshot(self.clock.snapshot(rows, labels, self.folder / "runs"))

        todo = []
        for run in runs:
            row = known[run.id]
            whole = result_of(self._folder(run.id))
            if row.status == "done":
                continue
            if whole is not None:
                # The worker ended well but its study was killed before it took the result in.
                self.ledger.update(run.id, attempts=row.attempts + 1)
                take_in(run.id, whole)
            elif row.status in ("waiting", "running") or row.attempts < ATTEMPTS:
                todo.append(task(run, row.attempts if row.status == "diverged" else 0))
        run_tasks(todo, workers=self.workers, on_start=started, on_end=ended, on_tick=tick, preload=self.preload)
        tick()
        rows = {row.id: row for row in self.ledger.rows()}
        return [rows[run.id] for run in runs]

    def _folder(self, run_id: str) -> Path:
        return self.folder / "runs" / run_id
