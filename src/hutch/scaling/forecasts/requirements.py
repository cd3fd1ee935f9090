"""How much training compute a transformative model needs, in log10 FLOP with the algorithms of 2020.

    F = brain + efficiency + transformative + horizon + 12 + x·(P − 11.2)
    P = brain + efficiency − flop_per_parameter

(Cotra 2020, through rethinkpriorities/future-assessment-model.) Brain, efficiency and x stand in it twice, so each
quantity is drawn once and used wherever it stands. To draw x·P and x·11.2 with two values of x would widen the genome
anchor's middle 80 % from 30.1 … 37.8 to 28.9 … 39.0, the figures which that project prints.

Each quantity has a random stream of its own, named by seed, anchor and quantity. Two configurations with one seed
therefore share their draws, and what differs between their results is what differs between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hutch.runs import seeds
from hutch.scaling.columns import Array
from hutch.scaling.forecasts.anchors import Anchor
from hutch.scaling.forecasts.distributions import Normal, normal_90

DATA_EXPONENT = normal_90(0.5, 1.1)
"""x as published, with a mean of 0.8."""
_INCREMENT = normal_90(1, 3)
_CHUNK = 50_000
"""Draws in the making at a time, about 10 MB."""
_QUANTITIES = (
    *("brain", "efficiency", "transformative", "horizon", "flop-per-parameter", "parameters"),
    *("exponent", "chances", "increments"),
)


@dataclass(frozen=True, kw_only=True)
class DataLaw:
    """The samples that a model of 10^P parameters needs: D = 10^reference_samples · 10^(x·(P − reference_parameters)).

    A summary of the report writes it as about 1700 samples times the 0.8th power of the parameters, which is 10^12.19
    at the reference size and not 10^12; the 1700 is unverified.
    """

    exponent: Normal = DATA_EXPONENT
    """x."""
    reference_parameters: float = 11.2
    """log10 of the size at which the exponent makes no difference."""
    reference_samples: float = 12.0
    """log10 of the samples at that size."""

    def log_samples(self, parameters: Array, z: Array) -> Array:
        """log10 D at log10 sizes, where x lies `z` standard deviations above its mean."""
        return self.reference_samples + self.exponent.at(z) * (parameters - self.reference_parameters)


@dataclass(frozen=True, kw_only=True)
class Lift:
    """The update against low requirements.

    Where F is below a threshold it rises, with the chance beside it, by a fresh increment; the thresholds are tried in
    turn, each on the F that the one before left. What is still below the floor becomes the floor.
    """

    steps: tuple[tuple[float, float], ...] = ((27.0, 0.7), (26.0, 0.8), (25.0, 0.9), (24.0, 1.0))
    """(log10 FLOP, chance), in the order in which they are applied."""
    increment: Normal = _INCREMENT
    """log10 FLOP."""
    floor: float = 24.0
    """log10 FLOP."""

    def apply(self, requirement: Array, chances: Array, increments: Array) -> Array:
        """F after the update, [n]; `chances` (uniform) and `increments` (standard normal) are [n, steps]."""
        for step, (below, chance) in enumerate(self.steps):
            risen = requirement + self.increment.at(increments[:, step])
            requirement = np.where((requirement < below) & (chances[:, step] < chance), risen, requirement)
        return np.maximum(requirement, self.floor)


@dataclass(frozen=True, kw_only=True, eq=False)
class Draws:
    """Every quantity of one anchor, drawn once; n draws."""

    fixed: Array
    """All of F but the data term, [n]."""
    parameters: Array
    """log10 P, [n]."""
    exponent: Array
    """x in standard deviations above its mean, [n]."""
    chances: Array
    """Uniform, [n, steps]."""
    increments: Array
    """Standard normal, [n, steps]."""


def draw(anchor: Anchor, streams: dict[str, np.random.Generator], steps: int, size: int) -> Draws:
    """The next `size` draws of an anchor."""
    brain = anchor.brain.draw(streams["brain"], size)
    machine = brain + anchor.efficiency.draw(streams["efficiency"], size)
    transformative = anchor.transformative.draw(streams["transformative"], size)
    horizon = anchor.horizon.draw(streams["horizon"], size)
    if anchor.parameters is None:
        parameters = machine - anchor.flop_per_parameter.draw(streams["flop-per-parameter"], size)
    else:
        parameters = anchor.parameters.draw(streams["parameters"], size)
    return Draws(
        fixed=machine + transformative + horizon,
        parameters=parameters,
        exponent=streams["exponent"].standard_normal(size),
        # One row a draw: a chunk of any size then takes the same numbers from the stream.
        chances=streams["chances"].random((size, steps)),
        increments=streams["increments"].standard_normal((size, steps)),
    )


def requirement(draws: Draws, anchor: Anchor, law: DataLaw, lift: Lift) -> Array:
    """log10 F of each draw, [n]."""
    needed = draws.fixed
    if anchor.data:
        needed = needed + law.log_samples(draws.parameters, draws.exponent)
    return lift.apply(needed, draws.chances, draws.increments) if anchor.lifted else needed


@dataclass(frozen=True, kw_only=True, eq=False)
class Requirements:
    """All draws of all anchors."""

    needed: Array
    """log10 F under each data law, all of them over the same draws, [laws, anchors, n]."""
    parameters: Array
    """log10 P, [anchors, n]; NaN where an anchor has no data term."""


def requirements(anchors: Sequence[Anchor], laws: Sequence[DataLaw], lift: Lift, size: int, seed: int) -> Requirements:
    """`size` draws of each anchor."""
    needed = np.empty((len(laws), len(anchors), size))
    parameters = np.full((len(anchors), size), np.nan)
    for a, anchor in enumerate(anchors):
        streams = {name: seeds.generator(seed, "forecast", anchor.name, name) for name in _QUANTITIES}
        for start in range(0, size, _CHUNK):
            part = slice(start, min(start + _CHUNK, size))
            draws = draw(anchor, streams, len(lift.steps), part.stop - start)
            if anchor.data:
                parameters[a, part] = draws.parameters
            for i, law in enumerate(laws):
                needed[i, a, part] = requirement(draws, anchor, law, lift)
    return Requirements(needed=needed, parameters=parameters)
