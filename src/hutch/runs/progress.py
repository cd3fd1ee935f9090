"""How far a study is: a small file that each running worker rewrites, and the snapshot that a view draws."""

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hutch.runs.ledger import LedgerRow


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """What a worker last said of its run."""

    step: int
    steps: int
    tokens: int
    loss: float | None
    tokens_per_second: float
    flops_per_second: float


@dataclass(frozen=True, kw_only=True)
class RunProgress:
    """One run in a snapshot."""

    run_id: str
    label: str
    status: str
    step: int = 0
    steps: int = 0
    tokens: int = 0
    loss: float | None = None
    tokens_per_second: float = 0.0
    flops_per_second: float = 0.0
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class StudySnapshot:
    """A study at one moment; FLOPs are those of finished runs and of the finished part of running ones."""

    title: str
    runs: tuple[RunProgress, ...]
    done: int
    total: int
    flops_done: float
    flops_total: float
    elapsed_s: float
    seconds_left: float | None
    peak_flops_per_second: float | None


def write_heartbeat(folder: Path, beat: Heartbeat) -> None:
    """Rewrite `folder`/progress.json. Not flushed to the disk, and silent where it cannot be written: training does
    not wait, let alone fail, for the sake of a progress bar."""
    temporary = folder / ".progress.tmp"
    with suppress(OSError):
        temporary.write_text(json.dumps(asdict(beat)), encoding="utf-8")
        temporary.replace(folder / "progress.json")


def read_heartbeat(folder: Path) -> Heartbeat | None:
    """The last heartbeat of a run; None before its first."""
    try:
        return Heartbeat(**json.loads((folder / "progress.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def run_progress(row: LedgerRow, label: str, folder: Path) -> RunProgress:
    """One run of the ledger, with its worker's last heartbeat while it runs."""
    beat = read_heartbeat(folder) if row.status == "running" else None
    if beat is None:
        return RunProgress(
            run_id=row.id, label=label, status=row.status, tokens=row.tokens or 0, loss=row.loss, note=row.error or ""
        )
    return RunProgress(run_id=row.id, label=label, status=row.status, note=row.error or "", **asdict(beat))


@dataclass
class StudyClock:
    """Turns ledger rows into snapshots, with the time left estimated from the FLOPs of this process's own work."""

    title: str
    peak_flops_per_second: float | None
    labels: dict[str, str] = field(default_factory=dict)
    """A few words for each run that is to be shown, by its id."""

    def __post_init__(self) -> None:
        self.started = time.monotonic()
        self.flops_at_start: float | None = None

    def snapshot(self, rows: list[LedgerRow], runs_folder: Path) -> StudySnapshot:
        """The study now; rows without a label are not of this study."""
        rows = [row for row in rows if row.id in self.labels]
        runs = tuple(run_progress(row, self.labels[row.id], runs_folder / row.id) for row in rows)
        total = sum(row.budget for row in rows)
        done = sum(row.budget * _share(row, run) for row, run in zip(rows, runs, strict=True))
        if self.flops_at_start is None:
            self.flops_at_start = done
        elapsed = time.monotonic() - self.started
        here = done - self.flops_at_start
        return StudySnapshot(
            title=self.title,
            runs=runs,
            done=sum(run.status in ("done", "diverged", "failed") for run in runs),
            total=len(runs),
            flops_done=done,
            flops_total=total,
            elapsed_s=elapsed,
            seconds_left=elapsed * (total - done) / here if here > 0.02 * total else None,
            peak_flops_per_second=self.peak_flops_per_second,
        )


def _share(row: LedgerRow, run: RunProgress) -> float:
    if row.status in ("done", "diverged", "failed"):
        return 1.0
    return run.step / run.steps if run.steps else 0.0
