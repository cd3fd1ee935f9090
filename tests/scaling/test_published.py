import numpy as np
import pytest

from hutch.runs.errors import BadInput
from hutch.scaling import published
from hutch.scaling.published import LAWS

TABLE_3 = [  # parameters, and FLOP and tokens by approach; 1.26e25 is printed as 1.26e24
    (400e6, 1.92e19, 8.0e9, 1.84e19, 7.7e9, 2.21e19, 9.2e9),
    (1e9, 1.21e20, 20.2e9, 1.20e20, 20.0e9, 1.62e20, 27.1e9),
    (10e9, 1.23e22, 205.1e9, 1.32e22, 219.5e9, 2.46e22, 410.1e9),
    (67e9, 5.76e23, 1.5e12, 6.88e23, 1.7e12, 1.71e24, 4.1e12),
    (175e9, 3.85e24, 3.7e12, 4.54e24, 4.3e12, 1.26e25, 12.0e12),
    (280e9, 9.90e24, 5.9e12, 1.18e25, 7.1e12, 3.52e25, 20.1e12),
    (520e9, 3.43e25, 11.0e12, 4.19e25, 13.4e12, 1.36e26, 43.5e12),
    (1e12, 1.27e26, 21.2e12, 1.59e26, 26.5e12, 5.65e26, 94.1e12),
    (10e12, 1.30e28, 216.2e12, 1.75e28, 292.0e12, 8.55e28, 1425.5e12),
]


@pytest.mark.parametrize("row", TABLE_3)
def test_implied_coefficients_give_the_tables_back(row):
    n, *pairs = row
    for approach, law in enumerate((published.HOFFMANN_1, published.HOFFMANN_2, published.HOFFMANN_3_TABLE)):
        compute, tokens = pairs[2 * approach], pairs[2 * approach + 1]
        assert compute / (6 * n * tokens) == pytest.approx(1, abs=0.05)
        assert law.n_opt(compute) == pytest.approx(n, rel=0.04)
        assert law.d_opt(compute) == pytest.approx(tokens, rel=0.051)


def test_printed_exponents_are_the_implied_ones_rounded():
    for law in (published.HOFFMANN_1, published.HOFFMANN_2, published.HOFFMANN_3):
        assert law.a == pytest.approx(law.a_printed, abs=0.005)
        assert law.b == pytest.approx(law.b_printed, abs=0.005)


def test_kaplan_at_two_budgets():
    assert published.KAPLAN.n_opt(1e21) == pytest.approx(7.77e9, rel=1e-3)
    assert published.KAPLAN.d_opt(1e21) == pytest.approx(3.87e10, rel=2e-3)
    assert published.KAPLAN.n_opt(5e20) == pytest.approx(4.683e9, rel=1e-3)
    assert published.KAPLAN.n_opt(5.76e23) == pytest.approx(8.04e11, rel=1e-3)


def test_besiroglu_and_llama():
    assert published.BESIROGLU.a == pytest.approx(published.BESIROGLU.a_printed, abs=5e-4)
    assert published.BESIROGLU.n_opt(5.76e23) == pytest.approx(7.225e10, rel=2e-3)
    assert published.LLAMA_3.d_opt(3.8e25) == pytest.approx(1.63e13, rel=5e-3)
    law = published.LLAMA_3
    assert 6 * law.n_opt(1e22) * law.d_opt(1e22) == pytest.approx(1e22)


def test_approach_3_is_the_unrounded_loss_law_and_not_quite_its_table():
    law = published.HOFFMANN_3
    assert law.loss_law is published.HOFFMANN_UNROUNDED
    assert law.n_opt(5.76e23) == pytest.approx(4.036e10, rel=5e-4)
    assert law.d_opt(5.76e23) == pytest.approx(2.379e12, rel=5e-4)
    compute = np.array([law.loss_law.compute_for_parameters(row[0]) for row in TABLE_3])
    above = compute / [row[5] for row in TABLE_3] - 1
    assert above[0] == pytest.approx(0.06, abs=0.005)
    assert above[3] == pytest.approx(0.02, abs=0.005)
    assert above[8] == pytest.approx(0.18, abs=0.005)


def test_every_law_names_its_source():
    assert all("arXiv" in law.source for law in (*published.PUBLISHED, *published.SECONDARY))
    with pytest.raises(BadInput, match="no k_n"):
        published.HOFFMANN_C4.n_opt(1e21)


def test_laws_by_key_give_both_figures_and_say_why_an_interval_is_missing():
    assert list(LAWS) == ["hoffmann-1", "hoffmann-2", "hoffmann-3", "besiroglu", "kaplan", "llama3"]
    for law in LAWS.values():
        assert law.n_opt(1e21) > 0
        assert law.d_opt(1e21) > 0
        assert law.interval_note
        assert (law.n_opt_interval(1e21) is None) == (law.a_low is None)
    assert LAWS["kaplan"].n_opt_interval(1e21) is None
    assert LAWS["llama3"].d_opt_interval(1e21) is None
    assert LAWS["hoffmann-3"].loss_law is published.HOFFMANN_UNROUNDED
    assert LAWS["besiroglu"].loss_law is published.BESIROGLU_LAW


def test_the_interval_turns_about_the_middle_of_the_budgets():
    law, middle = published.HOFFMANN_2, np.sqrt(6e18 * 3e21)
    assert law.n_opt_interval(middle).width == pytest.approx(0, abs=1e-3)
    interval = law.n_opt_interval(100 * middle)
    assert interval.level == 0.8
    assert interval.low == pytest.approx(law.n_opt(middle) * 100**0.462)
    assert interval.high == pytest.approx(law.n_opt(middle) * 100**0.534)
    assert interval.value == pytest.approx(law.n_opt(100 * middle))
    # Below the middle the larger exponent gives the smaller model.
    below = law.n_opt_interval(middle / 100)
    assert below.low == pytest.approx(law.n_opt(middle) * 100**-0.534)
    assert below.low < below.value < below.high
    tokens = law.d_opt_interval([middle, 100 * middle])
    assert tokens.high[1] == pytest.approx(law.d_opt(middle) * 100**0.529)


def test_intervals_of_the_refit_and_of_approach_3():
    law = published.BESIROGLU
    assert law.a_high - law.a_low == pytest.approx(0.051)
    interval = law.n_opt_interval(5.76e23)
    assert interval.low < law.n_opt(5.76e23) < interval.high
    # As printed, which lies beside its own law: the note says so.
    printed = published.HOFFMANN_3.n_opt_interval(5.76e23)
    assert printed.high / printed.low == pytest.approx((5.76e23 / np.sqrt(6e18 * 3e21)) ** 0.001)
    assert not printed.contains(printed.value)
    assert "optimiser" in published.HOFFMANN_3.interval_note


def test_secondary_figures_bear_their_mark():
    assert all(law.secondary for law in published.SECONDARY)
    assert not any(law.secondary for law in published.PUBLISHED)
    assert (published.DEEPSEEK_CURRENT.a, published.DEEPSEEK_CURRENT.b) == (0.524, 0.476)
    for law in published.SECONDARY:
        assert law.a + law.b == pytest.approx(1)
    assert pytest.approx(0.213 / 0.465) == published.OLMO_HYBRID_TRANSFORMER.a


def test_constants_of_other_papers():
    law = published.MUENNIGHOFF_LAW
    assert (law.A, law.B, law.E, law.alpha) == pytest.approx((520.825, 1487.716, 1.86914, 0.3526596), rel=1e-5)
    assert law.alpha == law.beta
    assert published.SARDANA_LAW.loss(70e9, 1e12) == pytest.approx(1.947273, abs=5e-7)
