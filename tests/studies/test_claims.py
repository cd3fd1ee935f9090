import math

import pytest

from hutch.scaling import Interval
from hutch.studies.compute_optimal.analysis import per_decade
from hutch.studies.compute_optimal.chinchilla_test import verdict
from hutch.studies.compute_optimal.claims import exponent_verdict


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
    assert verdict({"value": (low + high) / 2, "low": low, "high": high}) == expected


def test_ten_times_the_compute():
    assert per_decade(Interval(0.5, 0.4, 0.6, 0.8)).value == pytest.approx(3.1623, rel=1e-4)
    assert per_decade(Interval(0.73, 0.7, 0.8, 0.8)).value == pytest.approx(5.37, rel=1e-3)
