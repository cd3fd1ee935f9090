import math

import numpy as np
import pytest

from hutch.runs import seeds
from hutch.runs.errors import BadInput
from hutch.scaling.forecasts.distributions import Halves, Normal, constant, lognormal_90, normal_90


def drawn(distribution, size=200_000):
    return distribution.draw(seeds.generator(0, "distributions"), size)


def test_a_normal_holds_90_percent_between_its_ends():
    exponent = normal_90(0.5, 1.1)
    assert exponent.mean == pytest.approx(0.8)
    assert exponent.interval == pytest.approx((0.5, 1.1))
    assert np.percentile(drawn(exponent), [5, 50, 95]) == pytest.approx([0.5, 0.8, 1.1], abs=0.005)


def test_a_lognormal_holds_90_percent_between_its_ends():
    brain = lognormal_90(11, 19.5)
    middle = math.sqrt(11 * 19.5)
    assert np.percentile(drawn(brain), [5, 50, 95]) == pytest.approx([11, middle, 19.5], abs=0.05)


def test_halves_draw_from_either_part():
    values = drawn(Halves(constant(2.0), constant(7.0)))
    assert set(values) == {2.0, 7.0}
    assert np.mean(values == 2.0) == pytest.approx(0.5, abs=0.005)


def test_a_constant_has_no_width():
    assert set(drawn(constant(9.0), 10)) == {9.0}
    assert normal_90(3, 3) == Normal(3.0, 0.0)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: normal_90(1.1, 0.5), "1.1 … 0.5 needs two finite ends, the lower one first"),
        (lambda: normal_90(math.nan, 1), "two finite ends"),
        (lambda: normal_90(0, math.inf), "two finite ends"),
        (lambda: lognormal_90(0, 3), "two ends above 0"),
        (lambda: lognormal_90(3, 2), "the lower one first"),
        (lambda: Normal(0.0, -1.0), "a finite sd from 0, not 0 and -1"),
    ],
)
def test_bad_intervals_say_what_would_be_right(make, says):
    with pytest.raises(BadInput, match=says):
        make()
