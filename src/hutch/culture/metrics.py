"""metrics.jsonl: one line a rollout, which a training that goes on continues without a gap or a double.

Names are CleanRL's where it has one:

- `global_step`                    frames of learners so far
- `charts/episodic_return`         mean score of the rollout's episodes; `charts/expert_return`, the experts'
- `charts/reward_expert_there`     reward of a step while an expert is there; `_gone`: while none is. The first rises in
                                   the phase of following, the second in that of remembering or of going alone
- `charts/SPS`                     frames a second since the start, measurements and all
- `losses/*`                       policy_loss, value_loss, entropy, attention_loss, old_approx_kl, approx_kl, clipfrac,
                                   explained_variance, gradient_norm
- `time/world|forward|update`      CPU seconds of this rollout, over all threads
- `adr/NAME_low|high`              ends of a randomised range
- `transmission/*`                 `transmission.measures`, on rollouts that measure
"""

import json
import os
from pathlib import Path
from typing import Any

from hutch.runs.atomic import write_text
from hutch.runs.errors import HutchError

METRICS_FILE = "metrics.jsonl"


class MetricsFile:
    """The lines of one training in `folder`."""

    def __init__(self, folder: Path, rollouts: int) -> None:
        """Keeps the lines of the first `rollouts` rollouts, which a checkpoint stands for; later ones, and one torn by
        a kill, are made again."""
        self.path = folder / METRICS_FILE
        kept = read_metrics(folder)[:rollouts]
        if len(kept) < rollouts:
            raise HutchError(f"{self.path} has {len(kept)} lines and the checkpoint {rollouts} rollouts: remove both")
        write_text(self.path, "".join(_line(row) for row in kept))
        self.transmission: float | None = None
        for row in kept:
            self.transmission = row.get("transmission/ct", self.transmission)
        self._handle = self.path.open("a", encoding="utf-8")

    def add(self, row: dict[str, Any]) -> None:
        """One more line."""
        self.transmission = row.get("transmission/ct", self.transmission)
        try:
            self._handle.write(_line(row))
            self._handle.flush()
        except OSError as error:
            raise HutchError(f"cannot write {self.path}: {error.strerror}") from error

    def flush(self) -> None:
        """On the disk before a checkpoint relies on it."""
        os.fsync(self._handle.fileno())

    def __enter__(self) -> "MetricsFile":
        return self

    def __exit__(self, *error: object) -> None:
        self._handle.close()


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The lines that are whole; none where there is no file."""
    path = folder / METRICS_FILE
    rows: list[dict[str, Any]] = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            try:
                row = json.loads(line) if line.endswith("\n") else None
            except ValueError:
                row = None
            if not isinstance(row, dict) or row.get("rollout") != len(rows) + 1:
                break
            rows.append(row)
    return rows


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, sort_keys=True, allow_nan=False) + "\n"
