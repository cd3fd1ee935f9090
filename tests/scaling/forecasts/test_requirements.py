"""What each anchor asks for, against the percentiles that were worked out from the published terms."""

from dataclasses import replace

import numpy as np
import pytest

from hutch.runs import seeds
from hutch.runs.errors import BadInput
from hutch.scaling.forecasts.anchors import ANCHORS, REIMPLEMENTATION_WEIGHTS, Anchor, rebalanced, reweighted
from hutch.scaling.forecasts.configuration import preset
from hutch.scaling.forecasts.distributions import Normal, constant, normal_90
from hutch.scaling.forecasts.requirements import DataLaw, Lift, requirements

PERCENTILES = {
    "lifetime": (26.6, 28.9, 33.5),
    "short": (27.2, 31.5, 38.4),
    "genome": (30.1, 33.7, 37.8),
    "medium": (29.0, 34.5, 41.5),
    "long": (31.9, 37.5, 44.4),
    "evolution": (36.1, 40.8, 45.6),
}
NAMES = [anchor.name for anchor in ANCHORS]


@pytest.fixture(scope="module")
def drawn():
    """The published data law, and its two updates, over the same draws."""
    law = DataLaw()
    updated = replace(law, exponent=Normal(1.0, law.exponent.sd))
    widened = replace(law, exponent=normal_90(0.5, 1.5))
    return requirements(ANCHORS, [law, updated, widened], Lift(), 200_000, 0)


@pytest.mark.parametrize("name", PERCENTILES)
def test_percentiles_of_each_anchor(drawn, name):
    needed = drawn.needed[0, NAMES.index(name)]
    assert np.percentile(needed, [10, 50, 90]) == pytest.approx(PERCENTILES[name], abs=0.15)


def test_one_draw_of_the_exponent_stands_in_both_of_its_places():
    """Drawn twice, the genome anchor spreads from 28.9 to 39.0 as one re-implementation prints it."""
    genome = ANCHORS[NAMES.index("genome")]
    random, size, law = seeds.generator(0, "twice"), 200_000, DataLaw()
    assert genome.parameters is not None
    rest = sum(part.draw(random, size) for part in (genome.brain, genome.efficiency, genome.transformative))
    rest = rest + genome.horizon.draw(random, size) + 12
    sizes = genome.parameters.draw(random, size)
    x, other = law.exponent.draw(random, size), law.exponent.draw(random, size)
    once, twice = rest + x * (sizes - 11.2), rest + x * sizes - other * 11.2
    assert np.percentile(once, [10, 90]) == pytest.approx([30.1, 37.8], abs=0.2)
    assert np.percentile(twice, [10, 90]) == pytest.approx([28.9, 39.0], abs=0.2)


def test_the_update_moves_the_networks_up_and_the_genome_down(drawn):
    medians = np.median(drawn.needed, axis=2)
    shifted, widened = medians[1] - medians[0], medians[2] - medians[0]
    for name in ("short", "medium", "long"):
        assert shifted[NAMES.index(name)] == pytest.approx(0.6, abs=0.05)
        assert widened[NAMES.index(name)] == pytest.approx(0.5, abs=0.05)
    assert shifted[NAMES.index("genome")] == pytest.approx(0.2 * (8.7 - 11.2), abs=0.05)
    for name in ("lifetime", "evolution", "none"):
        assert shifted[NAMES.index(name)] == 0


def test_an_update_moves_each_draw_by_its_own_size(drawn):
    """Far above the low requirements that the update against them touches, the shift is 0.2·(P − 11.2) exactly."""
    at = NAMES.index("long")
    high = drawn.needed[0, at] > 33
    shift = (drawn.needed[1, at] - drawn.needed[0, at])[high]
    assert shift == pytest.approx(0.2 * (drawn.parameters[at][high] - 11.2), abs=1e-9)


def test_data_five_oom_above_the_reference():
    """+1 OOM of data at P = 16.2; and at P = 14.5, 20 tokens a parameter are 10^15.80."""
    law, steeper = DataLaw(exponent=constant(0.8)), DataLaw(exponent=constant(1.0))
    at = np.array([16.2])
    assert steeper.log_samples(at, 0 * at) - law.log_samples(at, 0 * at) == pytest.approx(1.0)
    moved = preset("best-guess").with_exponent(constant(1.0)).reanchored(20).data
    assert moved.log_samples(np.array([14.5]), np.zeros(1)) == pytest.approx(15.80, abs=0.005)


def test_without_any_variance_the_formula_is_exact():
    anchor = fixed_anchor()
    drawn = requirements([anchor], [DataLaw(exponent=constant(0.8))], Lift(), 1_000, 3)
    size = 14 + 1 - 1.5
    assert set(drawn.needed.ravel()) == {14 + 1 + 0.5 + 2 + (12 + 0.8 * (size - 11.2))}
    assert set(drawn.parameters.ravel()) == {size}


def fixed_anchor(weight=1.0):
    return Anchor(
        name="medium",
        meaning="nothing is uncertain",
        weight=weight,
        brain=constant(14),
        efficiency=constant(1),
        transformative=constant(0.5),
        horizon=constant(2),
        flop_per_parameter=constant(1.5),
        algorithm_doubling=2,
        algorithm_cap=3,
    )


def test_the_update_against_low_requirements_by_hand():
    lift = Lift(increment=constant(2.0))
    needed = np.array([26.5, 26.5, 25.5, 23.0, 10.0, 27.0])
    chances = np.array(
        [
            [0.69, 0.9, 0.9, 0.0],
            [0.71, 0.9, 0.9, 0.0],
            [0.9, 0.79, 0.9, 0.0],
            [0.9, 0.9, 0.95, 0.99],
            [0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0],
        ]
    )
    # Risen once; not risen; below 26 risen; below 24 always; four times and then the floor; 27 is not below 27.
    expected = [28.5, 26.5, 27.5, 25.0, 24.0, 27.0]
    assert lift.apply(needed, chances, np.zeros((6, 4))).tolist() == expected


def test_a_chunk_of_any_size_takes_the_same_draws(monkeypatch):
    whole = requirements(ANCHORS, [DataLaw()], Lift(), 2_500, 0)
    monkeypatch.setattr("hutch.scaling.forecasts.requirements._CHUNK", 999)
    parts = requirements(ANCHORS, [DataLaw()], Lift(), 2_500, 0)
    for at, name in enumerate(NAMES):
        # The two halves of the lifetime anchor's efficiency take turns at one stream.
        if name != "lifetime":
            assert np.array_equal(whole.needed[0, at], parts.needed[0, at])


def test_seeds_tell_draws_apart():
    first, again, other = (requirements(ANCHORS, [DataLaw()], Lift(), 1_000, seed).needed for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.any(first == other)


def test_weights_of_both_sources_sum_to_one():
    assert sum(anchor.weight for anchor in ANCHORS) == pytest.approx(1)
    assert sum(REIMPLEMENTATION_WEIGHTS.values()) == pytest.approx(1)
    assert set(REIMPLEMENTATION_WEIGHTS) == set(NAMES)


def test_one_weight_is_raised_at_the_cost_of_the_others():
    weights = {anchor.name: anchor.weight for anchor in rebalanced(ANCHORS, "short", 0.4)}
    assert weights["short"] == 0.4
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["medium"] / weights["long"] == pytest.approx(2)


def test_an_unknown_anchor_is_named():
    with pytest.raises(BadInput, match="no anchor 'tiny': choose from lifetime, short, genome"):
        reweighted(ANCHORS, {"tiny": 0.1})
