"""What in a forecast is a guess: the value in use, why it is not sure, and the other value that one may take for it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hutch.scaling.forecasts.anchors import REIMPLEMENTATION_WEIGHTS, rebalanced
from hutch.scaling.forecasts.configuration import ForecastConfig

TOKENS_PER_PARAMETER = 20.0
"""Hoffmann et al. 2022 (arXiv:2203.15556), near the optimum at 5.76e23 FLOP."""


@dataclass(frozen=True, kw_only=True)
class Guess:
    """One soft spot. The terms of the anchors stay, so both values can be tried on the same draws."""

    name: str
    used: str
    why: str
    alternative: str
    config: ForecastConfig
    """The forecast with the alternative in place of the value used, all else equal."""


def guesses(config: ForecastConfig) -> list[Guess]:
    """The soft spots of a configuration, those that were never checked against the report itself."""
    return [guess(config) for guess in _ALL]


def _algorithms(config: ForecastConfig) -> Guess:
    by_requirement = config.algorithms.rule == "by-requirement"
    words = ("by requirement: 2 to 3.5 years, 2 to 5 OOM", "fixed for each anchor: 2 to 3 years, 1.5 to 4.5 OOM")
    used, other = words if by_requirement else words[::-1]
    rule = "fixed" if by_requirement else "by-requirement"
    return Guess(
        name="pace and cap of algorithms",
        used=used,
        why="a re-implementation ties both to the requirement, in steps; the fixed caps are guessed",
        alternative=other,
        config=replace(config, algorithms=replace(config.algorithms, rule=rule)),
    )


def _samples(config: ForecastConfig) -> Guess:
    law = config.data
    other = config.reanchored(TOKENS_PER_PARAMETER)
    return Guess(
        name="samples at the reference size",
        used=f"10^{law.reference_samples:g} at 10^{law.reference_parameters:g} parameters, about 1700·P^0.8",
        why="the 1700 of a summary is unverified, and gives 10^12.19; a sample is taken for a token",
        alternative=f"{TOKENS_PER_PARAMETER:g} a parameter, 10^{other.data.reference_samples:.1f}",
        config=other,
    )


def _short_and_long(config: ForecastConfig) -> Guess:
    weights = {anchor.name: anchor.weight for anchor in config.anchors}
    short, long = weights["short"], weights["long"]
    return Guess(
        name="weights of short and long",
        used=f"{short:.2f} and {long:.2f}",
        why="a summary has 0.15 and 0.20, a re-implementation the reverse; that the report has is unverified",
        alternative=f"{long:.2f} and {short:.2f}",
        config=config.reweighted({"short": long, "long": short}),
    )


def _all_weights(config: ForecastConfig) -> Guess:
    weights = {anchor.name: anchor.weight for anchor in config.anchors}
    theirs = REIMPLEMENTATION_WEIGHTS
    return Guess(
        name="weights of evolution and none",
        used=f"{weights['evolution']:.3g} and {weights['none']:.3g}",
        why="the re-implementation gives both less, and the other anchors more",
        alternative=f"{theirs['evolution']:.3g} and {theirs['none']:.3g}, and all its other weights",
        config=config.reweighted(theirs),
    )


def _evolution(config: ForecastConfig) -> Guess:
    weights = {anchor.name: anchor.weight for anchor in config.anchors}
    # With all the weight on evolution there is nothing to share out.
    anchors = rebalanced(config.anchors, "evolution", 0.0) if weights["evolution"] < 1 else config.anchors
    return Guess(
        name="efficiency of the evolution anchor",
        used="10^-6 to 10^5",
        why="its author marks it as doubtful",
        alternative="the anchor left out, the other weights scaled up",
        config=replace(config, anchors=anchors),
    )


def _spending(config: ForecastConfig) -> Guess:
    other = 2.0 if config.spending.doubling == 2.5 else 2.5
    return Guess(
        name="doubling time of spending",
        used=f"{config.spending.doubling:g} years",
        why="a summary has 2 years, two re-implementations 2.5",
        alternative=f"{other:g} years",
        config=replace(config, spending=replace(config.spending, doubling=other)),
    )


def _hardware_year(config: ForecastConfig) -> Guess:
    return Guess(
        name="base year of the hardware price",
        used=f"10^{config.hardware.start:g} FLOP per dollar in {config.hardware.year:.0f}",
        why="the sources give the price without its year",
        alternative="the same price in 2020",
        config=replace(config, hardware=replace(config.hardware, year=2020)),
    )


_ALL: tuple[Callable[[ForecastConfig], Guess], ...] = (
    _algorithms,
    _samples,
    _short_and_long,
    _all_weights,
    _evolution,
    _spending,
    _hardware_year,
)
