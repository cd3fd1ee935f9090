"""What a forecast is asked, with every number in it, and the three presets."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from hutch.runs.errors import BadInput
from hutch.scaling.forecasts.affordability import AlgorithmRule, Algorithms, Hardware, Spending
from hutch.scaling.forecasts.anchors import ANCHORS, Anchor, rebalanced, reweighted
from hutch.scaling.forecasts.distributions import Normal
from hutch.scaling.forecasts.requirements import DataLaw, Lift

LEAST_DRAWS, MOST_DRAWS = 1_000, 1_000_000
LAST_YEAR = 2500


@dataclass(frozen=True, kw_only=True)
class ForecastConfig:
    """The question in full; two equal ones give equal forecasts.

    The default is the configuration that comes closest to the published yearly curve, of those that the sources leave
    open: algorithms by requirement, weights 0.20 and 0.15 for short and long, spending that doubles every 2.5 years.
    """

    name: str = "best-guess"
    """The preset that this began as."""
    anchors: tuple[Anchor, ...] = ANCHORS
    """The anchors with their terms and weights."""
    data: DataLaw = field(default_factory=DataLaw)
    """How the samples grow with the size of the model."""
    lift: Lift = field(default_factory=Lift)
    """The update against low requirements."""
    spending: Spending = field(default_factory=Spending)
    """Dollars for the largest training run."""
    hardware: Hardware = field(default_factory=Hardware)
    """FLOP that a dollar buys."""
    algorithms: Algorithms = field(default_factory=Algorithms)
    """What better algorithms save."""
    first_year: int = 2024
    """Where the published curve begins."""
    until: int = 2100
    """The last year, the horizon; where the published curve ends."""
    draws: int = 200_000
    """Draws of each anchor."""
    resamples: int = 300
    """Resamples of the draws behind every Monte Carlo interval."""
    level: float = 0.8
    """Coverage of every Monte Carlo interval."""
    seed: int = 0
    """Of the draws and of the resamples."""

    def __post_init__(self) -> None:
        self._check_weights()
        for name, value in self._positive().items():
            if not (math.isfinite(value) and value > 0):
                raise BadInput(f"{name} is {value:g}; a finite number above 0 is needed")
        for name, value in self._finite().items():
            if not math.isfinite(value):
                raise BadInput(f"{name} is {value:g}; a finite number is needed")
        if self.algorithms.rule not in get_args(AlgorithmRule):
            raise BadInput(f"algorithms is {self.algorithms.rule!r}; choose from {', '.join(get_args(AlgorithmRule))}")
        for name, value, low, high in (
            ("until", self.until, self.first_year + 1, LAST_YEAR),
            ("draws", self.draws, LEAST_DRAWS, MOST_DRAWS),
            ("resamples", self.resamples, 20, 100_000),
        ):
            if value != int(value) or not low <= value <= high:
                raise BadInput(f"{name} is {value}; a whole number from {low} to {high} is needed")
        if not 0 < self.level < 1:
            raise BadInput(f"level is {self.level:g}; a share between 0 and 1 is needed, such as 0.8")

    def _positive(self) -> dict[str, float]:
        """All that must be above 0, by the name that a message gives it."""
        return {
            "the doubling time of spending": self.spending.doubling,
            "the first spending": self.spending.start,
            "the share of the product": self.spending.share,
            "the product": self.spending.product,
            "the growth of the product": self.spending.growth,
            "the doubling time of hardware": self.hardware.doubling,
            "the fastest doubling time of algorithms": self.algorithms.doubling[0],
            **{f"the doubling time of algorithms of {a.name}": a.algorithm_doubling for a in self.anchors},
        }

    def _finite(self) -> dict[str, float]:
        """All that may be any number."""
        return {
            "the first price of hardware": self.hardware.start,
            "the ceiling of hardware": self.hardware.ceiling,
            "the reference size of the data law": self.data.reference_parameters,
            "the reference samples of the data law": self.data.reference_samples,
            "the base year of spending": self.spending.year,
            "the base year of hardware": self.hardware.year,
            "the base year of algorithms": self.algorithms.year,
            "the least cap of algorithms": self.algorithms.cap[0],
            "the largest cap of algorithms": self.algorithms.cap[1],
        }

    def _check_weights(self) -> None:
        for anchor in self.anchors:
            if not (math.isfinite(anchor.weight) and 0 <= anchor.weight <= 1):
                raise BadInput(f"the weight of {anchor.name} is {anchor.weight:g}; a probability from 0 to 1 is needed")
        total = sum(anchor.weight for anchor in self.anchors)
        if abs(total - 1) > 1e-6:
            listed = ", ".join(f"{anchor.name}={anchor.weight:g}" for anchor in self.anchors)
            raise BadInput(f"the weights sum to {total:g} and must sum to 1: {listed}")

    def reweighted(self, weights: Mapping[str, float]) -> "ForecastConfig":
        """The same with these weights; an anchor that is not named keeps its own."""
        return replace(self, anchors=reweighted(self.anchors, weights))

    def with_exponent(self, exponent: Normal) -> "ForecastConfig":
        """The same with another data exponent and nothing else changed: the update.

        Only the distribution of x moves. The reference point through which the data law passes stays, and so do the
        sizes of the models, which follow from the brain.
        """
        return replace(self, data=replace(self.data, exponent=exponent))

    def reanchored(self, tokens_per_parameter: float) -> "ForecastConfig":
        """The same with data of `tokens_per_parameter` tokens a parameter at the reference size.

        With an exponent of 1 that ratio then holds at every size. One sample is taken for one token. `BadInput` unless
        the ratio is above 0.
        """
        if not (math.isfinite(tokens_per_parameter) and tokens_per_parameter > 0):
            raise BadInput(f"tokens per parameter is {tokens_per_parameter:g}; a finite number above 0 is needed")
        samples = math.log10(tokens_per_parameter) + self.data.reference_parameters
        return replace(self, data=replace(self.data, reference_samples=samples))


def best_guess() -> ForecastConfig:
    """The default: hardware and spending double every 2.5 years."""
    return ForecastConfig()


def aggressive() -> ForecastConfig:
    """Hardware doubles every 1.5 years, spending levels off at 2 %, short weighs 0.40.

    How the other weights made room for short is not in the sources; here they shrink by one factor.
    """
    return ForecastConfig(
        name="aggressive",
        anchors=rebalanced(ANCHORS, "short", 0.40),
        hardware=Hardware(doubling=1.5),
        spending=Spending(share=0.02),
    )


def conservative() -> ForecastConfig:
    """Hardware doubles every 3.5 years; spending starts at $3e8, doubles every 3 years, levels off at 0.5 %."""
    return ForecastConfig(
        name="conservative",
        hardware=Hardware(doubling=3.5),
        spending=Spending(start=3e8, doubling=3.0, share=0.005),
    )


PRESETS: Mapping[str, Callable[[], ForecastConfig]] = {
    "aggressive": aggressive,
    "best-guess": best_guess,
    "conservative": conservative,
}
"""In the order of their medians."""


def preset(name: str) -> ForecastConfig:
    """One of the three. They change what the sources name; the published ones may have changed more."""
    if name not in PRESETS:
        raise BadInput(f"there is no preset {name!r}: choose from {', '.join(PRESETS)}")
    return PRESETS[name]()
