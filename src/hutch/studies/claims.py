"""A published statement, what a study measured for it, and the verdict."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from hutch.scaling import Interval

Verdict = Literal["reproduced", "not at this scale", "contradicted", "not measured"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One line of the table of claims."""

    id: str
    name: str
    """A few words, for a chip or a column."""
    statement: str
    """What the paper says, in our words."""
    source: str
    """Paper, section, table."""
    published: str
    """Its figure."""
    ours: str
    """Our figure with its interval."""
    verdict: Verdict
    why: str
    """One sentence that a doubter would ask for."""

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def shown(interval: Interval, digits: int = 2) -> str:
    """An interval as text: value [low, high]."""
    return f"{interval.value:.{digits}f} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"
