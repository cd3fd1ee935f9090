"""The biological anchors: seven answers to how much training compute a transformative model needs.

Cotra 2020, "Forecasting TAI with biological anchors", read through public re-implementations and not in the original:
the terms in rethinkpriorities/future-assessment-model, the weights in a textbook summary (AI Safety Atlas). Brain,
efficiency and horizon are log10 values, and a lognormal here is one of the log10 value itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hutch.runs.errors import BadInput
from hutch.scaling.forecasts.distributions import Distribution, Halves, Normal, constant, lognormal_90, normal_90

_NEURAL_NETWORK = constant(1.0)
_TRANSFORMATIVE = normal_90(-2, 2)
_ONE_SECOND = constant(0.0)
_FLOP_PER_PARAMETER = normal_90(1, 2)
_BRAIN = lognormal_90(11, 19.5)


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """One answer. All terms but the weight and the algorithms are log10."""

    name: str
    meaning: str
    """What the compute of this anchor is compared with."""
    weight: float
    """The probability that this is the right anchor."""
    brain: Distribution
    """FLOP per second of the brain."""
    efficiency: Distribution = _NEURAL_NETWORK
    """How many times more a machine needs than the brain."""
    transformative: Distribution = _TRANSFORMATIVE
    """How many times more a transformative model needs than a human."""
    horizon: Distribution = _ONE_SECOND
    """Subjective seconds for one sample of the training signal."""
    flop_per_parameter: Distribution = _FLOP_PER_PARAMETER
    """FLOP per parameter and subjective second, which turn the brain's FLOP per second into a number of parameters."""
    parameters: Distribution | None = None
    """Parameters that do not follow from the brain."""
    data: bool = True
    """Whether the samples grow with the parameters."""
    lifted: bool = True
    """Whether the update against low requirements is applied."""
    algorithm_doubling: float
    """Years in which algorithms halve the requirement, in the variant with fixed values."""
    algorithm_cap: float
    """log10 of all that algorithms can ever save, in the variant with fixed values. All of these caps are guesses."""


ANCHORS: tuple[Anchor, ...] = (
    Anchor(
        name="lifetime",
        meaning="a human from birth to adulthood, about 10^9 seconds",
        weight=0.05,
        brain=_BRAIN,
        efficiency=Halves(lognormal_90(2, 5), lognormal_90(5, 9)),
        horizon=constant(9),
        data=False,
        algorithm_doubling=3,
        algorithm_cap=1.5,
    ),
    Anchor(
        name="short",
        meaning="a neural network of the brain's size, feedback within minutes",
        weight=0.20,
        brain=_BRAIN,
        horizon=normal_90(0, 3),
        algorithm_doubling=3,
        algorithm_cap=2,
    ),
    Anchor(
        name="genome",
        meaning="as many parameters as the genome holds, feedback over years",
        weight=0.10,
        brain=_BRAIN,
        efficiency=normal_90(0, 2),
        horizon=normal_90(7, 9),
        parameters=Normal(8.7, 0.35),
        algorithm_doubling=2.5,
        algorithm_cap=3,
    ),
    Anchor(
        name="medium",
        meaning="a neural network of the brain's size, feedback within hours to days",
        weight=0.30,
        brain=_BRAIN,
        horizon=normal_90(3, 6),
        algorithm_doubling=2,
        algorithm_cap=3,
    ),
    Anchor(
        name="long",
        meaning="a neural network of the brain's size, feedback within weeks to years",
        weight=0.15,
        brain=_BRAIN,
        horizon=normal_90(6, 9),
        algorithm_doubling=2,
        algorithm_cap=3,
    ),
    Anchor(
        name="evolution",
        meaning="all nervous systems from the first neuron to us",
        weight=0.10,
        brain=lognormal_90(3, 6),
        efficiency=normal_90(-6, 5),
        # 10^20 to 10^22 ancestors at a time, over 10^16 seconds.
        horizon=normal_90(20 + 16, 22 + 16),
        data=False,
        lifted=False,
        algorithm_doubling=2,
        algorithm_cap=4.5,
    ),
    Anchor(
        name="none",
        meaning="none of the above: out of reach",
        weight=0.10,
        brain=normal_90(60, 70),
        efficiency=constant(0),
        transformative=constant(0),
        data=False,
        lifted=False,
        algorithm_doubling=2,
        algorithm_cap=3,
    ),
)
"""Weights of the textbook summary, with 0.20 and 0.15 for short and long as in the re-implementation."""

REIMPLEMENTATION_WEIGHTS: Mapping[str, float] = {
    "lifetime": 0.052,
    "short": 0.21,
    "genome": 0.11,
    "medium": 0.312,
    "long": 0.155,
    "evolution": 0.091,
    "none": 0.07,
}
"""rethinkpriorities/future-assessment-model."""


def reweighted(anchors: tuple[Anchor, ...], weights: Mapping[str, float]) -> tuple[Anchor, ...]:
    """The anchors with these weights; an anchor that is not named keeps its own. `BadInput` for an unknown name."""
    names = [anchor.name for anchor in anchors]
    for name in weights:
        if name not in names:
            raise BadInput(f"there is no anchor {name!r}: choose from {', '.join(names)}")
    return tuple(replace(anchor, weight=weights.get(anchor.name, anchor.weight)) for anchor in anchors)


def rebalanced(anchors: tuple[Anchor, ...], name: str, weight: float) -> tuple[Anchor, ...]:
    """One anchor at `weight`, the others scaled by one factor so that all still sum to 1."""
    others = {anchor.name: anchor.weight for anchor in anchors if anchor.name != name}
    factor = (1 - weight) / sum(others.values())
    return reweighted(anchors, {name: weight, **{other: factor * had for other, had in others.items()}})
