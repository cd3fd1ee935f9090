"""A sweep: runs that are entered in the ledger, done by workers, and taken in as they end.

What is whole is skipped, so that a study that was interrupted goes on where it stopped.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from hutch.runs import Ledger, LedgerRow, Outcome, StudyClock, StudySnapshot, Task, result_of, run_tasks
from hutch.runs.machine import git_revision

ATTEMPTS = 2
"""A run that was killed is tried once more in the same call, a run that diverged once more ever."""


class SweepRun(Protocol):
    """What a sweep needs to know of a run."""

    @property
    def id(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def budget(self) -> float: ...
    @property
    def parameters(self) -> float | None: ...
    @property
    def train(self) -> Any: ...


Run = TypeVar("Run", bound=SweepRun)


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
    preload: Sequence[str]
    """Modules that every worker finds imported."""

    def run(
        self,
        runs: Sequence[Run],
        payload: Callable[[Run, int], dict[str, Any]],
        columns: Callable[[Run, Path, dict[str, Any]], dict[str, Any]],
    ) -> list[LedgerRow]:
        """Do those of `runs` that are not whole; return the ledger's rows of all of them, in the order given.

        `payload(run, divergences)` is what its worker is given, `columns(run, folder, result)` what the ledger keeps
        of a run that ended well.
        """
        planned = {run.id: run for run in runs}
        self.clock.labels.update({run.id: run.label for run in runs})
        revision = git_revision()
        killed: Counter[str] = Counter()

        def task(run: Run, divergences: int) -> Task:
            return Task(run.id, self.module, self.function, self.folder_of(run.id), payload(run, divergences))

        def take_in(run_id: str, result: dict[str, Any]) -> None:
            found = columns(planned[run_id], self.folder_of(run_id), result)
            attempts = self.ledger.row(run_id).attempts + 1
            self.ledger.update(run_id, status="done", attempts=attempts, revision=revision, **found)

        def ended(outcome: Outcome) -> Task | None:
            run_id = outcome.task.id
            if outcome.result is not None:
                take_in(run_id, outcome.result)
                return None
            row, diverged = self.ledger.row(run_id), outcome.kind == "Diverged"
            divergences, status = row.divergences + diverged, "diverged" if diverged else "failed"
            # One transaction: a study that is killed here has counted this attempt either wholly or not.
            self.ledger.update(
                run_id, status=status, error=outcome.error, attempts=row.attempts + 1, divergences=divergences
            )
            killed[run_id] += not diverged
            again = divergences < ATTEMPTS and killed[run_id] < ATTEMPTS
            return task(planned[run_id], divergences) if again else None

        todo = []
        for run in runs:
            self.ledger.add(run.id, run.role, run.train, run.budget, run.parameters)
            row, whole = self.ledger.row(run.id), result_of(self.folder_of(run.id))
            if row.status != "done" and whole is not None:
                # The worker ended well, but its study was killed before it took the result in.
                take_in(run.id, whole)
            elif row.status != "done" and row.divergences < ATTEMPTS:
                todo.append(task(run, row.divergences))
        run_tasks(
            todo,
            workers=self.workers,
            on_start=lambda task: self.ledger.update(task.id, status="running"),
            on_end=ended,
            on_tick=self._tick,
            preload=self.preload,
        )
        self._tick()
        return [self.ledger.row(run.id) for run in runs]

    def _tick(self) -> None:
        self.on_snapshot(self.clock.snapshot(self.ledger.rows(whole=False), self.folder / "runs"))

    def folder_of(self, run_id: str) -> Path:
        """Where a run leaves its files."""
        return self.folder / "runs" / run_id


def side_by_side(seconds: Sequence[float], workers: int) -> float:
    """Wall time of runs that are begun in this order whenever a worker is free."""
    free = [0.0] * workers
    for one in seconds:
        free[free.index(min(free))] += one
    return max(free)
