import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.runs.errors import BadInput
from hutch.scaling.laws import ParametricLaw, PowerLaw, fit_power_law
from hutch.scaling.published import HOFFMANN_ROUNDED, HOFFMANN_UNROUNDED

# The rounding under which the reference figures below were worked out.
BESIROGLU_FOUR_DIGITS = ParametricLaw(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)

laws = st.builds(
    ParametricLaw,
    E=st.floats(0.3, 3),
    A=st.floats(10, 3000),
    B=st.floats(10, 30000),
    alpha=st.floats(0.1, 0.8),
    beta=st.floats(0.1, 0.8),
)


@settings(max_examples=50, deadline=None)
@given(law=laws, compute=st.floats(1e15, 1e27), kappa=st.floats(4, 12))
def test_the_optimum_meets_budget_and_first_order_condition(law, compute, kappa):
    n, d = law.n_opt(compute, kappa), law.d_opt(compute, kappa)
    assert kappa * n * d == pytest.approx(compute)
    assert law.a + law.b == pytest.approx(1)
    # The budget alone would pass with G's exponent misplaced.
    assert law.alpha * law.A * n**-law.alpha == pytest.approx(law.beta * law.B * d**-law.beta)
    assert law.loss_opt(compute, kappa) == pytest.approx(law.loss(n, d))
    assert law.compute_for_parameters(n, kappa) == pytest.approx(compute)
    assert law.compute_for_tokens(d, kappa) == pytest.approx(compute)
    for off in (0.9, 1.1):
        assert law.loss(n * off, d / off) > law.loss(n, d)


@pytest.mark.parametrize(
    ("law", "n_21", "ratio_21", "loss_21", "n_gopher", "d_gopher", "loss_gopher", "n_26"),
    [
        (HOFFMANN_ROUNDED, 1.824e9, 50.1, 2.3289, 3.219e10, 2.982e12, 1.9308, 3.305e11),
        (HOFFMANN_UNROUNDED, 2.217e9, 33.9, 2.2955, 4.036e10, 2.379e12, 1.9184, 4.250e11),
        (BESIROGLU_FOUR_DIGITS, 2.778e9, 21.6, 2.3055, 7.225e10, 1.329e12, 1.9744, 1.016e12),
    ],
)
def test_published_constants_at_three_budgets(law, n_21, ratio_21, loss_21, n_gopher, d_gopher, loss_gopher, n_26):
    assert law.n_opt(1e21) == pytest.approx(n_21, rel=5e-4)
    assert law.d_opt(1e21) / law.n_opt(1e21) == pytest.approx(ratio_21, rel=2e-3)
    assert law.loss_opt(1e21) == pytest.approx(loss_21, abs=1e-4)
    assert law.n_opt(5.76e23) == pytest.approx(n_gopher, rel=5e-4)
    assert law.d_opt(5.76e23) == pytest.approx(d_gopher, rel=5e-4)
    assert law.loss_opt(5.76e23) == pytest.approx(loss_gopher, abs=1e-4)
    assert law.n_opt(1e26) == pytest.approx(n_26, rel=5e-4)


def test_g_has_its_exponent_on_the_whole_ratio():
    assert pytest.approx(1.344711, abs=1e-6) == HOFFMANN_ROUNDED.G


def test_a_power_law_is_recovered_and_inverted():
    law = PowerLaw(0.3, 0.5)
    x = np.geomspace(1e3, 1e26, 7)
    fit = fit_power_law(x, law(x))
    assert (fit.k, fit.exponent) == (pytest.approx(0.3), pytest.approx(0.5))
    assert law.inverse(law(1e21)) == pytest.approx(1e21)
    assert law(10**21) == pytest.approx(law(1e21))


def test_a_weight_of_two_is_a_row_given_twice():
    x, y = np.array([1.0, 2.0, 5.0, 9.0]), np.array([1.0, 3.0, 4.0, 11.0])
    weighted = fit_power_law(x, y, weights=[1, 2, 1, 1])
    doubled = fit_power_law(np.append(x, 2.0), np.append(y, 3.0))
    assert weighted.exponent == pytest.approx(doubled.exponent)
    assert weighted.k == pytest.approx(doubled.k)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([1, 2, 3], [1, 2], "3 rows|2 rows"),
        ([1, -2, 3], [1, 2, 3], "x, row 1"),
        ([1, 2, 3], [1, 2, float("nan")], "y, row 2"),
        ([2, 2], [1, 2], "distinct"),
        (["a", 2], [1, 2], "not a column of numbers"),
    ],
)
def test_bad_columns_are_named(x, y, words):
    with pytest.raises(BadInput, match=words):
        fit_power_law(x, y)
