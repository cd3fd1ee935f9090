"""The four phases of learning, found on the curve of a training (Bhoopchand et al. 2023, Four phases).

1 random: it scores nothing, expert or not. 2 following: it scores while the expert is there. 3 remembering: it goes on
scoring after the expert has left, clearly more than where none ever was. 4 alone: it scores without one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

Phase = Literal["random", "following", "remembering", "alone"]


@dataclass(frozen=True, kw_only=True)
class PhaseRule:
    """Thresholds, as shares of the expert's score or of the score with the expert there (ours)."""

    follow: float = 0.25
    """(A_full − A_solo)/E from which an agent follows."""
    recall: float = 0.25
    """Second half after the expert left, less that where there never was one, against that with the expert there."""
    alone: float = 0.5
    """A_solo/E from which it needs no expert."""


def phase_of(follow: float, recall: float, late_solo: float, solo: float, rule: PhaseRule | None = None) -> Phase:
    """The phase of one measurement (`transmission.measures`)."""
    rule = rule or PhaseRule()
    if solo >= rule.alone:
        return "alone"
    if follow < rule.follow:
        return "random"
    return "remembering" if recall - late_solo >= rule.recall else "following"


def phases(rows: Sequence[dict[str, Any]], rule: PhaseRule | None = None) -> list[tuple[int, Phase]]:
    """Where each phase begins, in frames, from the rows of metrics.jsonl that measured: a change counts once two
    measurements in a row show it."""
    seen: list[tuple[int, Phase]] = []
    for row in rows:
        if row.get("transmission/ct") is None:
            continue
        values = {name: row.get(f"transmission/{name}") or 0.0 for name in ("follow", "recall", "late_solo", "solo")}
        seen.append((row["global_step"], phase_of(**values, rule=rule)))
    begun: list[tuple[int, Phase]] = seen[:1]
    for (frames, phase), (_, following) in pairwise(seen[1:]):
        if phase == following != begun[-1][1]:
            begun.append((frames, phase))
    return begun
