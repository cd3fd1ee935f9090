"""Prices, spending and algorithms, against the formulas written out without logarithms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.scaling.forecasts.affordability import (
    Algorithms,
    Hardware,
    Spending,
    algorithm_classes,
    first_years,
    log_hardware,
    log_savings,
    log_spending,
)
from hutch.scaling.forecasts.anchors import ANCHORS

YEARS = np.arange(2024, 2101, dtype=float)
SHORT = ANCHORS[1]


def test_spending_by_the_formula():
    t = YEARS - 2025
    wanted, most = 1e9 * 2 ** (t / 2.5), 0.01 * 24e12 * 1.03**t
    assert 10 ** log_spending(YEARS, Spending()) == pytest.approx(wanted / (1 + wanted / most))


def test_hardware_by_the_formula():
    wanted = 10**17.6 * 2 ** ((YEARS - 2025) / 2.5)
    assert 10 ** log_hardware(YEARS, Hardware()) == pytest.approx(wanted / (1 + wanted / 1e24))


def test_algorithms_by_the_formula():
    grown = 2 ** ((YEARS - 2025) / 2)
    expected = np.maximum(0, np.log10(grown) - np.log10(1 + grown / 1e3))
    assert log_savings(YEARS, 2, 3, 2025) == pytest.approx(expected)
    assert log_savings([2024], 2, 3, 2025) == 0


def test_nothing_overflows_however_late_the_year():
    far = np.array([10_000.0])
    assert log_hardware(far, Hardware()) == pytest.approx(24)
    assert log_savings(far, 2, 3, 2025) == pytest.approx(3)
    assert np.isfinite(log_spending(far, Spending()))


@pytest.mark.parametrize(
    ("requirement", "pace"),
    [(25, (3.5, 2)), (30.9, (3.0, 2)), (33.5, (2.5, 2)), (35.1, (2.0, 3)), (38.5, (2.0, 4)), (50, (2.0, 5))],
)
def test_the_pace_of_algorithms_by_requirement(requirement, pace):
    which, paces = algorithm_classes(np.array([requirement], dtype=float), SHORT, Algorithms())
    assert paces[which[0]] == pace


def test_the_pace_of_algorithms_by_anchor():
    which, paces = algorithm_classes(np.array([25.0, 50.0]), SHORT, Algorithms(rule="fixed"))
    assert [paces[i] for i in which] == [(3, 2), (3, 2)]


def year_by_year(requirement, spending, hardware, algorithms):
    """The first year, one year after the other; None where there is none."""
    for year in YEARS:
        doubling = min(max(3.5 - round((requirement - 29) / 2) / 2, 2), 3.5)
        cap = min(max(2 + round((requirement - 32) / 4), 2), 5)
        saved = log_savings([year], doubling, cap, algorithms.year)[0]
        bought = log_spending([year], spending)[0] + log_hardware([year], hardware)[0]
        if requirement - saved <= bought:
            return year
    return None


@settings(deadline=None)
@given(
    needed=st.lists(st.floats(20, 70), min_size=1, max_size=20),
    spend=st.floats(0.5, 20),
    price=st.floats(0.5, 20),
)
def test_first_years_against_the_obvious_loop(needed, spend, price):
    world = (Spending(doubling=spend), Hardware(doubling=price), Algorithms())
    found = first_years(np.array(needed), SHORT, YEARS, *world)
    expected = [year_by_year(requirement, *world) for requirement in needed]
    assert [YEARS[i] if i < len(YEARS) else None for i in found] == expected


def test_what_was_affordable_stays_so():
    shrinking = Spending(growth=0.5)
    found = first_years(np.array([26.4]), SHORT, YEARS, shrinking, Hardware(doubling=50), Algorithms())
    assert found[0] < len(YEARS)
