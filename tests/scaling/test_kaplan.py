import numpy as np
import pytest

from hutch.runs.errors import BadInput
from hutch.scaling.kaplan import KAPLAN_LAWS, local_exponent, non_embedding_compute, total_parameters
from hutch.scaling.laws import ParametricLaw
from hutch.scaling.published import BESIROGLU_LAW, HOFFMANN_ROUNDED, HOFFMANN_UNROUNDED, KAPLAN, PF_DAY

# The rounding that Pearce and Song work with.
BESIROGLU_FOUR_DIGITS = ParametricLaw(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)


def test_each_law_is_1_at_its_own_constant():
    laws = KAPLAN_LAWS
    assert laws.loss_of_parameters(8.8e13) == pytest.approx(1)
    assert laws.loss_of_tokens(5.4e13) == pytest.approx(1)
    assert laws.loss_of_min_compute(3.1e8 * PF_DAY) == pytest.approx(1)
    assert laws.loss_of_compute(1.6e7 * PF_DAY) == pytest.approx(1)
    assert laws.critical_batch(1.0) == pytest.approx(2.1e8)


def test_ten_times_more_lowers_each_loss_by_its_exponent():
    laws = KAPLAN_LAWS
    for law, exponent in (
        (laws.loss_of_parameters, 0.076),
        (laws.loss_of_tokens, 0.095),
        (laws.loss_of_min_compute, 0.050),
        (laws.loss_of_compute, 0.057),
    ):
        assert law(1e9) / law(1e10) == pytest.approx(10**exponent)


def test_the_joint_laws_by_hand_and_in_their_limits():
    laws = KAPLAN_LAWS
    assert laws.loss(6.4e13, 1.8e13) == pytest.approx(2**0.103)
    assert laws.loss(1e9, 1e30) == pytest.approx((6.4e13 / 1e9) ** 0.076)
    assert laws.loss(1e30, 1e9) == pytest.approx((1.8e13 / 1e9) ** 0.103)
    assert laws.loss_of_steps(6.5e13, 2.1e3) == pytest.approx(2)
    # More data never hurts, and helps a larger model more.
    n, d = np.meshgrid(np.geomspace(1e6, 1e10, 5), np.geomspace(1e8, 1e11, 5), indexing="ij")
    loss = laws.loss(n, d)
    assert np.all(np.diff(loss, axis=0) < 0)
    assert np.all(np.diff(loss, axis=1) < 0)
    assert np.all(np.diff(loss[:, -1] - loss[:, 0]) < 0)


def test_the_critical_batch_costs_twice_the_compute_and_twice_the_steps():
    batch = KAPLAN_LAWS.critical_batch(3.0)
    assert batch == pytest.approx(2.1e8 / 3 ** (1 / 0.21))
    assert KAPLAN_LAWS.min_compute(1e20, batch, 3.0) == pytest.approx(5e19)
    assert KAPLAN_LAWS.min_steps(1e5, batch, 3.0) == pytest.approx(5e4)
    assert KAPLAN_LAWS.min_compute(1e20, batch * 1e-9, 3.0) == pytest.approx(1e20)
    assert KAPLAN_LAWS.min_steps(1e5, batch * 1e9, 3.0) == pytest.approx(1e5)


def test_what_compute_is_best_spent_on():
    optimum = KAPLAN_LAWS.optimum(1e21)
    assert optimum.parameters == pytest.approx(7.77e9, rel=1e-3)
    assert optimum.tokens == pytest.approx(3.87e10, rel=2e-3)
    # Hoffmann et al. (D.4) read 4.68B at 1e21 FLOP: training at the critical batch halves C_min.
    assert KAPLAN_LAWS.optimum(5e20).parameters == pytest.approx(4.683e9, rel=1e-3)
    assert KAPLAN_LAWS.optimum(5.76e23).parameters == pytest.approx(8.04e11, rel=1e-3)
    # D = B·S at the critical batch, S = 2·S_min.
    assert 2 * optimum.batch_tokens * optimum.min_steps == pytest.approx(optimum.tokens, rel=0.1)
    one = KAPLAN_LAWS.optimum(PF_DAY).as_dict()
    assert one == pytest.approx({"parameters": 1.3e9, "tokens": 2e10, "batch_tokens": 2e6, "min_steps": 5.4e3})
    assert KAPLAN_LAWS.optimum([1e20, 1e21]).parameters == pytest.approx(KAPLAN.n_opt([1e20, 1e21]))


@pytest.mark.parametrize(
    ("law", "kaplan_sizes", "large"),
    [
        (BESIROGLU_LAW, 0.794, 0.513),
        (BESIROGLU_FOUR_DIGITS, 0.794, 0.513),
        (HOFFMANN_UNROUNDED, 0.758, 0.457),
        (HOFFMANN_ROUNDED, 0.754, 0.452),
    ],
)
def test_leaving_embeddings_out_bends_the_law_towards_kaplan(law, kaplan_sizes, large):
    assert local_exponent(law) == pytest.approx(kaplan_sizes, abs=5e-4)
    assert local_exponent(law, 1e15, 1e18) == pytest.approx(large, abs=5e-4)
    assert local_exponent(law, 1e15, 1e18) == pytest.approx(law.a, abs=1e-5)


@pytest.mark.parametrize("law", [BESIROGLU_LAW, HOFFMANN_UNROUNDED, HOFFMANN_ROUNDED])
@pytest.mark.parametrize("n", [768.0, 1e6, 1e8, 1.5e9, 1e12])
def test_the_compute_of_a_size_against_a_search_of_the_budget(law, n):
    compute = non_embedding_compute(law, n)
    candidates = n * np.exp(np.linspace(-8, 8, 200_001))
    loss = law.loss(total_parameters(candidates), compute / (6 * candidates))
    assert candidates[np.argmin(loss)] == pytest.approx(n, rel=2e-4)


def test_total_parameters_and_refusals():
    assert total_parameters(1e9) == pytest.approx(1e9 + 47_491 * 1000)
    with pytest.raises(BadInput, match="smaller"):
        local_exponent(BESIROGLU_LAW, 1e9, 1e6)
    with pytest.raises(BadInput, match="parameters"):
        KAPLAN_LAWS.loss(-1, 1e9)
