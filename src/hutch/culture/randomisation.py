"""Automatic domain randomisation: ranges of tasks that widen while transmission stays high.

The rule is Akkaya et al. 2019 (arXiv:1910.07113, algorithm 1) with cultural transmission as the performance
(Bhoopchand et al. 2023, Automatic domain randomisation): some episodes hold one parameter at an end of its range; once
enough of them are in, the transmission of that end decides whether it moves outward, inward or stays.

Legend: p parameters, s ends of a range (0 low, 1 high).
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from hutch.culture.tasks import Range
from hutch.runs.errors import BadInput

Kind = Literal["none", "uniform", "adaptive"]
TASK_PARAMETERS = ("size", "bumpiness", "pillars", "hurdles", "bars", "goals", "crossings", "penalty")
OBSTACLES = ("pillars", "hurdles", "bars")
EXPERT_PARAMETERS = ("speed", "noise", "error", "appear", "vanish")
"""The expert's own, and the probabilities of its drop-out."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One number of a task whose range is randomised."""

    name: str
    start: Range
    """The range at first, and the narrowest."""
    limits: Range
    """The widest; the range of `uniform`."""
    step: float
    """By how much an end moves."""

    def __post_init__(self) -> None:
        known = (*TASK_PARAMETERS, *EXPERT_PARAMETERS)
        if self.name not in known:
            raise BadInput(f"{self.name!r} cannot be randomised; what can: {', '.join(known)}")
        (low, high), (least, most) = self.start, self.limits
        if not least <= low <= high <= most:
            raise BadInput(
                f"{self.name} starts in [{low:g}, {high:g}]; it must be a range within its limits [{least:g}, {most:g}]"
            )
        if not self.step > 0:
            raise BadInput(f"the step of {self.name} is {self.step}; it must be above 0")


@dataclass(frozen=True, kw_only=True)
class Randomisation:
    """Which parameters vary, and by which rule."""

    kind: Kind = "none"
    """`none`: tasks as configured. `uniform`: parameters from their limits, from the start on (DR). `adaptive`: ADR."""
    parameters: tuple[Parameter, ...] = ()
    lower: float = 0.75
    """Transmission below which an end moves inward (threshold not verified)."""
    upper: float = 0.85
    """Transmission above which an end moves outward (threshold not verified)."""
    buffer: int = 24
    """Measurements of an end, three episodes each, that are weighed together (ours)."""
    share: float = 0.25
    """Of the worlds of a rollout, those that measure ends (ours)."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise BadInput(f"the randomisation is {self.kind!r}; it must be {', '.join(get_args(Kind))}")
        if self.kind != "none" and not self.parameters:
            raise BadInput(f"the randomisation is {self.kind} and no parameters are given; name at least one")
        names = [parameter.name for parameter in self.parameters]
        if len(set(names)) < len(names):
            raise BadInput(f"a parameter is randomised twice among {', '.join(names)}; name each once")
        if not self.lower <= self.upper:
            raise BadInput(f"the thresholds are {self.lower} and {self.upper}; the lower must come first")
        if self.buffer < 1 or not 0 < self.share <= 1:
            raise BadInput(
                f"buffer is {self.buffer} and share is {self.share}; they must be at least 1, and above 0 to 1"
            )


class Ranges(NamedTuple):
    """The ranges at one moment, and what was measured at their ends since they last moved."""

    end_ps: np.ndarray
    """float64: low and high."""
    gain_ps: np.ndarray
    """float64: sum of the scores that the agent owed to the expert."""
    expert_ps: np.ndarray
    """float64: sum of the expert's scores."""
    count_ps: np.ndarray
    """int64: measurements."""


def first_ranges(config: Randomisation) -> Ranges:
    """The ranges before training."""
    ends = [one.limits if config.kind == "uniform" else one.start for one in config.parameters]
    shape = (len(ends), 2)
    return Ranges(
        np.array(ends, np.float64).reshape(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int64)
    )


def moved(config: Randomisation, ranges: Ranges, p: int, s: int, gain: float, expert: float) -> Ranges:
    """The ranges after one more measurement of end `s` of parameter `p`.

    `gain` = ½ (A_full − A_solo) + ½ (A_half − A_solo), `expert` = E (`hutch.culture.transmission`). A full buffer's
    transmission is Σ gain / Σ E and not the mean of ratios, which one poor expert would rule. The ends stay within the
    limits, and outside of the start.
    """
    end_ps, gain_ps, expert_ps, count_ps = (array.copy() for array in ranges)
    gain_ps[p, s] += gain
    expert_ps[p, s] += expert
    count_ps[p, s] += 1
    if count_ps[p, s] >= config.buffer:
        transmission = gain_ps[p, s] / max(expert_ps[p, s], 1e-9)
        outward = (transmission > config.upper) - float(transmission < config.lower)
        parameter = config.parameters[p]
        inner, outer = parameter.start[s], parameter.limits[s]
        end = end_ps[p, s] + outward * (parameter.step if s == 1 else -parameter.step)
        end_ps[p, s] = np.clip(end, min(inner, outer), max(inner, outer))
        gain_ps[p, s], expert_ps[p, s], count_ps[p, s] = 0, 0, 0
    return Ranges(end_ps, gain_ps, expert_ps, count_ps)


def drawn(
    config: Randomisation, ranges: Ranges, free: int, held: int, random: np.random.Generator
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Values of each parameter for `free` worlds and then for `held` ones, and which end each of the latter holds:
    int64 [held, 2], p and s. All else is uniform within the ranges."""
    count = free + held
    end_h2 = np.stack([random.integers(len(config.parameters), size=held), random.integers(2, size=held)], axis=1)
    values = {}
    for p, parameter in enumerate(config.parameters):
        low, high = ranges.end_ps[p]
        if parameter.name in ("goals", "crossings"):
            column = random.integers(round(low), round(high) + 1, count).astype(np.float64)
        else:
            column = random.uniform(low, high, count)
        here = end_h2[:, 0] == p
        ends = np.round(ranges.end_ps[p]) if parameter.name in ("goals", "crossings") else ranges.end_ps[p]
        column[free:][here] = ends[end_h2[here, 1]]
        values[parameter.name] = column
    return values, end_h2
