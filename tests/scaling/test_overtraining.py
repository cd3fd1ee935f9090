import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.runs.errors import BadInput
from hutch.scaling.laws import ParametricLaw
from hutch.scaling.overtraining import DownstreamLaw, OverTrainingLaw
from hutch.scaling.published import HOFFMANN_ROUNDED, MUENNIGHOFF_LAW

tied = st.builds(
    lambda E, A, B, alpha: ParametricLaw(E, A, B, alpha, alpha),
    E=st.floats(0.3, 3),
    A=st.floats(10, 3000),
    B=st.floats(10, 30000),
    alpha=st.floats(0.1, 0.8),
)


@settings(max_examples=50, deadline=None)
@given(law=tied, compute=st.floats(1e17, 1e26), ratio=st.floats(1, 3000), kappa=st.floats(4, 12))
def test_it_is_the_parametric_law_at_equal_exponents(law, compute, ratio, kappa):
    over = OverTrainingLaw.from_parametric(law, kappa)
    n, d = np.sqrt(compute / (kappa * ratio)), np.sqrt(compute * ratio / kappa)
    assert over.loss(compute, ratio) == pytest.approx(law.loss(n, d))
    back = over.parametric(kappa)
    assert (back.E, back.A, back.B, back.alpha, back.beta) == pytest.approx((law.E, law.A, law.B, law.alpha, law.beta))
    assert over.best_ratio == pytest.approx((law.B / law.A) ** (1 / law.alpha))
    assert over.best_ratio == pytest.approx(law.d_opt(compute, kappa) / law.n_opt(compute, kappa))
    assert over.loss(compute, over.best_ratio) == pytest.approx(law.loss_opt(compute, kappa))


@settings(max_examples=50, deadline=None)
@given(law=tied, compute=st.floats(1e17, 1e26), ratio=st.floats(1, 3000))
def test_a_ratio_off_the_best_costs_a_factor_of_compute(law, compute, ratio):
    over = OverTrainingLaw.from_parametric(law)
    factor = over.compute_factor(ratio)
    assert factor >= 1 - 1e-12
    assert over.compute_factor(over.best_ratio) == pytest.approx(1)
    assert over.loss(compute * factor, ratio) == pytest.approx(law.loss_opt(compute))


def test_over_training_shifts_the_line_and_leaves_its_slope():
    over = OverTrainingLaw.from_parametric(MUENNIGHOFF_LAW)
    compute = np.geomspace(1e18, 1e24, 7)
    for ratio in (5, 20, 640):
        slope = np.diff(np.log(over.loss(compute, ratio) - over.E)) / np.diff(np.log(compute))
        assert slope == pytest.approx(-over.eta)
    assert over.best_ratio == pytest.approx((1487.716 / 520.825) ** (1 / 0.3526596), rel=1e-5)


def test_unequal_exponents_are_refused():
    with pytest.raises(BadInput, match=r"0\.34 and β 0\.28"):
        OverTrainingLaw.from_parametric(HOFFMANN_ROUNDED)


def test_error_rises_with_the_loss_towards_epsilon():
    law = DownstreamLaw(epsilon=0.85, k=3.0, gamma=1.1)
    assert law.error(2.0) == pytest.approx(0.85 - 3 * np.exp(-2.2))
    assert np.all(np.diff(law.error(np.linspace(1, 8, 50))) > 0)
    assert law.error(100) == pytest.approx(0.85)
    assert law.as_dict() == {"epsilon": 0.85, "k": 3.0, "gamma": 1.1}
