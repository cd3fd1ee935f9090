import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.runs.errors import BadInput
from hutch.scaling.laws import ParametricLaw
from hutch.scaling.repetition import MUENNIGHOFF, RepeatedDataLaw

repeated_laws = st.builds(
    RepeatedDataLaw,
    st.builds(
        ParametricLaw,
        E=st.floats(0.3, 3),
        A=st.floats(10, 3000),
        B=st.floats(10, 30000),
        alpha=st.floats(0.1, 0.8),
        beta=st.floats(0.1, 0.8),
    ),
    r_d_star=st.floats(0.1, 100),
    r_n_star=st.floats(0.1, 100),
)


def test_published_losses_to_the_last_digit():
    assert MUENNIGHOFF.loss(6.34e9, 242e9, 25e9) == pytest.approx(2.2256440889984477, rel=1e-15)
    assert MUENNIGHOFF.loss(8.67e9, 178e9, 25e9) == pytest.approx(2.2269634075087867, rel=1e-15)


def test_published_constants():
    law = MUENNIGHOFF.law
    assert pytest.approx((520.825, 1487.716, 1.86914), rel=1e-5) == (law.A, law.B, law.E)
    assert pytest.approx(0.225802, abs=1e-6) == law.G
    assert MUENNIGHOFF.useful_parameters(25e9) == pytest.approx(1.2747e9, rel=1e-4)


def test_worth_of_repeats():
    epochs = np.array([2, 4, 5, 8, 16, 40, 1e6])
    worth = [1.968, 3.726, 4.522, 6.624, 10.58, 15.17, 16.39]
    assert MUENNIGHOFF.effective_tokens(epochs, 1.0) == pytest.approx(worth, rel=5e-4)


def test_the_exact_allocation_of_the_published_budget():
    best = MUENNIGHOFF.optimal(1e22, 25e9)
    assert best.tokens == pytest.approx(2.3720879e11, rel=5e-8)
    assert best.parameters == pytest.approx(7.0261591e9, rel=5e-8)
    assert best.loss == pytest.approx(2.2221292749, abs=5e-11)
    # The paper's scan of 500 lines stops next to it, and no lower.
    assert best.tokens == pytest.approx(2.37337e11, rel=1e-3)
    assert best.loss <= 2.2221292833
    assert best.epochs == pytest.approx(9.49, abs=5e-3)
    assert best.effective_parameters == pytest.approx(5.149e9, rel=1e-4)
    assert best.effective_tokens == pytest.approx(1.881e11, rel=1e-4)
    assert best.parameters_unlimited == pytest.approx(9.218e9, rel=1e-4)
    assert best.tokens_unlimited == pytest.approx(1.808e11, rel=1e-4)
    assert best.as_dict()["unique_tokens"] == 25e9


@settings(max_examples=80, deadline=None)
@given(law=repeated_laws, ln_c=st.floats(35, 65), ln_shortage=st.floats(-3, 8), kappa=st.floats(4, 12))
def test_the_optimum_beats_a_fine_grid_with_every_kink_in_it(law, ln_c, ln_shortage, kappa):
    compute = float(np.exp(ln_c))
    unique = float(law.law.d_opt(compute, kappa) * np.exp(-ln_shortage))
    best = law.optimal(compute, unique, kappa)
    assert kappa * best.parameters * best.tokens == pytest.approx(compute)
    kinks = [unique, compute / (kappa * law.useful_parameters(unique))]
    centre = np.log(best.tokens)
    tokens = np.concatenate([np.exp(np.linspace(centre - 12, centre + 12, 4001)), kinks])
    loss = law.loss(compute / (kappa * tokens), tokens, np.minimum(tokens, unique))
    assert best.loss <= loss.min() * (1 + 1e-13)
    # And not by flatness alone: it is where the grid has its minimum.
    flat = loss <= best.loss * (1 + 1e-12)
    assert np.any(flat)
    if ln_shortage <= 0:
        assert best.tokens == pytest.approx(law.law.d_opt(compute, kappa))
        assert best.epochs == pytest.approx(1)
        assert best.loss == pytest.approx(law.law.loss_opt(compute, kappa))


@settings(max_examples=50, deadline=None)
@given(law=repeated_laws, ln_c=st.floats(35, 65), ln_shortage=st.floats(0.05, 6))
def test_the_first_order_condition_where_data_run_out(law, ln_c, ln_shortage):
    compute = float(np.exp(ln_c))
    unique = float(law.law.d_opt(compute) * np.exp(-ln_shortage))
    best, single, useful = law.optimal(compute, unique), law.law, law.useful_parameters(unique)
    assert best.tokens > unique
    assert best.parameters > useful
    surplus, repeats = best.parameters / useful - 1, best.tokens / unique - 1
    left = single.alpha * single.A * best.effective_parameters ** (-single.alpha - 1) * best.parameters
    right = single.beta * single.B * best.effective_tokens ** (-single.beta - 1) * best.tokens
    assert np.log(left) - surplus / law.r_n_star == pytest.approx(np.log(right) - repeats / law.r_d_star, abs=1e-6)


def test_less_data_costs_more_loss_and_the_optimum_is_continuous():
    unique = np.geomspace(1e8, 1e13, 400)
    best = MUENNIGHOFF.optimal(1e22, unique)
    assert np.all(np.diff(best.loss) <= 1e-14)
    assert np.max(np.abs(np.diff(np.log(best.tokens)))) < 0.1
    assert best.loss[-1] == pytest.approx(best.loss_unlimited[-1])
    assert best.unique_tokens[-1] == pytest.approx(1.808e11, rel=1e-4)
    one = MUENNIGHOFF.optimal(1e22, float(unique[100]))
    assert one.tokens == best.tokens[100]


def test_budgets_broadcast_and_extremes_do_not_overflow():
    best = MUENNIGHOFF.optimal(np.array([[1e18], [1e23], [1e30]]), np.array([1e6, 1e9, 1e12]))
    assert best.tokens.shape == best.loss.shape == (3, 3)
    assert np.all(np.isfinite(best.loss))
    assert 6 * best.parameters * best.tokens == pytest.approx(np.broadcast_to([[1e18], [1e23], [1e30]], (3, 3)))


def test_within_one_epoch_and_the_useful_size_it_is_the_single_epoch_law():
    law = MUENNIGHOFF.law
    assert MUENNIGHOFF.loss(1e9, 25e9, 25e9) == law.loss(1e9, 25e9)
    assert MUENNIGHOFF.loss(1e9, 25e9 * (1 + 1e-12), 25e9) == pytest.approx(law.loss(1e9, 25e9), rel=1e-12)
    # A model beyond what one epoch can use is worth less than the single-epoch law says.
    assert MUENNIGHOFF.loss(1e10, 25e9, 25e9) > law.loss(1e10, 25e9)


def test_more_unique_tokens_than_tokens_are_refused():
    with pytest.raises(BadInput, match="unique_tokens above tokens"):
        MUENNIGHOFF.loss(1e9, 25e9, 26e9)
    with pytest.raises(BadInput, match="r_d_star"):
        RepeatedDataLaw(MUENNIGHOFF.law, r_d_star=0, r_n_star=1)
