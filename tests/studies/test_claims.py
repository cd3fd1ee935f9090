import math

import pytest

from hutch.scaling import Interval
from hutch.studies.compute_optimal.analysis import per_decade
from hutch.studies.compute_optimal.claims import _equal_growth, exponent_verdict
from hutch.studies.compute_optimal.head_to_head import verdict


@pytest.mark.parametrize(
    ("low", "high", "span", "expected"),
    [
        (0.46, 0.52, 80, "reproduced"),
        (0.505, 0.56, 80, "reproduced"),  # meets 0.50 within the rounding of the printed figure
        (0.52, 0.60, 80, "contradicted"),
        (0.40, 0.60, 80, "not at this scale"),  # holds 0.50, but would hold almost anything
        (0.49, 0.51, 5, "not at this scale"),  # tight, but over budgets too close together
        (math.nan, math.nan, 80, "not measured"),
    ],
)
def test_an_exponent_gets_the_verdict_that_its_interval_deserves(low, high, span, expected):
    assert exponent_verdict(Interval((low + high) / 2, low, high, 0.8), 0.488, 0.502, span)[0] == expected


def test_no_exponent_is_not_measured():
    assert exponent_verdict(None, 0.4, 0.5, 80)[0] == "not measured"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-0.03, -0.01, "reproduced"), (-0.03, 0.01, "not at this scale"), (0.01, 0.03, "contradicted")],
)
def test_the_chinchilla_test_is_decided_by_its_interval(low, high, expected):
    overall = {"value": (low + high) / 2, "low": low, "high": high}
    assert verdict(overall, [overall]) == expected


def test_a_win_with_a_subset_lost_is_no_win_on_every_subset():
    won, lost = {"low": -0.03, "high": -0.01}, {"low": 0.01, "high": 0.02}
    assert verdict(won, [won, lost]) == "not at this scale"
    assert verdict(won, [won, {"low": -0.01, "high": 0.01}]) == "reproduced"


@pytest.mark.parametrize(
    ("a", "b", "span", "expected"),
    [
        ((0.48, 0.45, 0.51), (0.52, 0.50, 0.55), 80, "reproduced"),
        ((0.46, 0.45, 0.47), (0.54, 0.53, 0.55), 80, "reproduced"),  # apart, but no more than the paper's own
        ((0.40, 0.38, 0.42), (0.60, 0.58, 0.62), 80, "contradicted"),
        ((0.48, 0.45, 0.51), (0.52, 0.50, 0.55), 4, "not at this scale"),
        ((0.48, 0.45, 0.51), (0.52, math.nan, math.nan), 80, "not at this scale"),
    ],
)
def test_equal_growth(a, b, span, expected):
    assert _equal_growth(Interval(*a, 0.8), Interval(*b, 0.8), span)[0] == expected


def test_ten_times_the_compute():
    assert per_decade(Interval(0.5, 0.4, 0.6, 0.8)).value == pytest.approx(3.1623, rel=1e-4)
    assert per_decade(Interval(0.73, 0.7, 0.8, 0.8)).value == pytest.approx(5.37, rel=1e-3)
