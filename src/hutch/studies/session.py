"""What one call of a study brings along, and what is noted of the machine that it runs on."""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hutch.lm import measured_precision
from hutch.runs import StudySnapshot
from hutch.runs.machine import machine_class


@dataclass(frozen=True, kw_only=True)
class Session:
    """What one call brings along that the results do not depend on."""

    folder: Path
    """The study's folder."""
    workers: int
    """Processes that train side by side, one thread each."""
    command: str
    """What was typed."""
    checkpoint_seconds: float = 20.0
    """How much work a killed run may lose."""
    on_snapshot: Callable[[StudySnapshot], None] = lambda snapshot: None
    on_message: Callable[[str], None] = lambda message: None


def stages(room: str, on_message: Callable[[str], None]) -> Callable[[str, int, int], None]:
    """A progress that says each stage once, when it begins."""
    told: set[str] = set()

    def report(stage: str, done: int, total: int) -> None:
        if stage not in told:
            told.add(stage)
            on_message(f"{room}: {stage}")

    return report


def facts_of_machine(session: Session) -> dict[str, Any]:
    """Precision and peak of a core, measured now; versions; what was typed and when."""
    precision, peak = measured_precision()
    return {
        "precision": precision,
        "peak_flops_per_second": peak,
        "machine": machine_class(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "workers": session.workers,
        "command": session.command,
        "started": time.time(),
    }
