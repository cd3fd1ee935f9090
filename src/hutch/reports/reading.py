"""Reading `analysis.json`: any part may be absent, and whoever draws it must hear why in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutch.runs.atomic import read_json
from hutch.runs.errors import HutchError

Analysis = Mapping[str, Any]
ANALYSIS_FILE = "analysis.json"

NUMBERS = {"envelope": "approach 1", "profiles": "approach 2", "parametric": "approach 3"}
"""The fits, by their numbers in Hoffmann et al. 2022, section 3."""


class Missing(Exception):
    """There is nothing to draw; the message is the reason, written for the reader of the page."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval; any of the four may be unknown."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None

    @property
    def known(self) -> bool:
        """There is an estimate, with or without an interval."""
        return self.value is not None

    @property
    def bounded(self) -> bool:
        """Both ends of the interval are known, so it can be drawn."""
        return self.value is not None and self.low is not None and self.high is not None


def interval(raw: Any) -> Interval:
    """An `Interval` from its JSON object, from a bare number, or from nothing."""
    if isinstance(raw, Mapping):
        return Interval(raw.get("value"), raw.get("low"), raw.get("high"), raw.get("level"))
    return Interval(raw if isinstance(raw, int | float) else None)


def part(analysis: Analysis, *path: str) -> Mapping[str, Any]:
    """The object at `path`, empty where any step of the path is missing or null."""
    here: Any = analysis
    for name in path:
        here = here.get(name) if isinstance(here, Mapping) else None
    return here if isinstance(here, Mapping) else {}


def items(analysis: Analysis, *path: str) -> Sequence[Any]:
    """The list at `path`, empty where any step of the path is missing or null."""
    here = part(analysis, *path[:-1]).get(path[-1])
    return here if isinstance(here, list) else []


def reason(analysis: Analysis, *path: str) -> str:
    """Why the part at `path` says nothing: its own words, or that the analysis left it out."""
    given = part(analysis, *path).get("reason")
    return str(given) if given else f"The analysis holds no {' '.join(path).replace('_', ' ')}."


def budgets(analysis: Analysis) -> list[float]:
    """Every training budget (FLOPs) that a picture may have to colour, from small to large."""
    found = {float(b) for b in items(analysis, "budgets")}
    found |= {float(r["budget"]) for r in items(analysis, "runs") if r.get("budget")}
    found |= {float(p["budget"]) for p in items(analysis, "fits", "profiles", "profiles")}
    return sorted(found)


def run_named(analysis: Analysis, run_id: Any) -> Mapping[str, Any]:
    """The run with this id, empty if the analysis does not list it."""
    return next((r for r in items(analysis, "runs") if r.get("id") == run_id), {})


def leading_approach(analysis: Analysis) -> str:
    """The fit that the study predicts with, and that the top of its page shows."""
    return str(part(analysis, "extrapolation").get("approach") or "profiles")


def read_analysis(study_dir: Path) -> Analysis:
    """The analysis of the study in `study_dir`; a `HutchError` names the file that is missing or broken."""
    path = Path(study_dir) / ANALYSIS_FILE
    analysis = read_json(path)
    if not isinstance(analysis, dict):
        raise HutchError(f"{path} holds no JSON object")
    return analysis
