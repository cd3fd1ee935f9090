import pytest

from hutch.runs.errors import BadInput
from hutch.scaling import published

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
    for approach, law in enumerate((published.HOFFMANN_1, published.HOFFMANN_2, published.HOFFMANN_3)):
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


def test_every_law_names_its_source():
    assert all("arXiv" in law.source for law in published.PUBLISHED)
    with pytest.raises(BadInput, match="no k_n"):
        published.HOFFMANN_C4.n_opt(1e21)
