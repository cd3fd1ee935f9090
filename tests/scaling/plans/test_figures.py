"""Draws carried through: side by side, and honest where there are none."""

import numpy as np
import pytest

from hutch.scaling.intervals import Interval
from hutch.scaling.plans.figures import FOLLOWS, GIVEN, Drawn, Figure, plain, scaled, through


def drawn(value, draws, level=0.8):
    return Drawn(value=value, draws=np.asarray(draws, dtype=float), level=level)


def test_draws_go_side_by_side():
    x = drawn(2.0, np.arange(100.0))
    same = through(lambda a, b: a - b, x, x)
    assert same.value == 0
    assert not same.draws.any()
    assert through(lambda a, b: a * b, x, Drawn.given(3)).figure() == through(lambda a: 3 * a, x).figure()


def test_a_point_without_draws_hands_on_its_reason():
    point = Drawn(value=2.0, reason="nobody printed it")
    found = through(lambda a, b: a + b, drawn(1.0, np.ones(50)), point)
    assert found.figure() == Figure(value=3.0, reason="nobody printed it")


def test_exact_figures_stay_exact():
    assert through(lambda a: a + 1, Drawn.given(1)).figure() == Figure(value=2.0, reason=FOLLOWS)
    assert through(lambda a: a + 1, Drawn.given(1)).exact
    assert scaled(Drawn.given(1).figure(), 3) == Figure(value=3.0, reason=FOLLOWS)
    assert Drawn.given(1).figure().reason == GIVEN


def test_lost_draws_are_counted_and_left_out():
    x = drawn(4.0, [-1.0] * 20 + [4.0] * 60)
    root = through(np.sqrt, x)
    assert root.lost_share == pytest.approx(0.25)
    assert (root.figure().low, root.figure().high) == (2.0, 2.0)
    assert drawn(1.0, [1.0] * 5).figure().reason == "too few draws are left"


def test_what_json_cannot_hold_becomes_none():
    figure = Figure.of(Interval(1.0, float("nan"), float("nan"), 0.8))
    assert (figure.low, figure.level) == (None, None)
    assert plain({"a": (np.float64("inf"), np.array([1.0]), figure), "b": [True, 3, "x", None]}) == {
        "a": [None, [1.0], {"value": 1.0, "low": None, "high": None, "level": None, "reason": None}],
        "b": [True, 3, "x", None],
    }
