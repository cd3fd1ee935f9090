import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.runs.errors import BadInput
from hutch.scaling.fits.downstream import fit_downstream
from hutch.scaling.overtraining import DownstreamLaw

LOSSES = np.linspace(2.2, 4.0, 20)
LAW = DownstreamLaw(epsilon=0.85, k=3.0, gamma=1.1)


@settings(max_examples=30, deadline=None)
@given(epsilon=st.floats(0.5, 1), gamma=st.floats(0.2, 10), reach=st.floats(0.1, 0.45))
def test_noise_free_constants_come_back(epsilon, gamma, reach):
    law = DownstreamLaw(epsilon, reach * np.exp(gamma * LOSSES[0]), gamma)
    fit = fit_downstream(LOSSES, law.error(LOSSES), bootstraps=0)
    assert fit.law.epsilon == pytest.approx(epsilon, rel=1e-6)
    assert fit.law.k == pytest.approx(law.k, rel=1e-5)
    assert fit.law.gamma == pytest.approx(gamma, rel=1e-6)
    assert fit.residual < 1e-8


def test_against_a_slow_search_of_all_three():
    from scipy.optimize import least_squares

    error = LAW.error(LOSSES) + 0.01 * np.random.default_rng(3).normal(size=20)
    fit = fit_downstream(LOSSES, error, bootstraps=0)

    def residual(p):
        return error - (p[0] - np.exp(p[1] - np.exp(p[2]) * (LOSSES - 2.2)))

    slow = [
        least_squares(residual, [0.8, np.log(0.3), ln_gamma], xtol=1e-14, ftol=1e-14, gtol=1e-14).cost
        for ln_gamma in np.linspace(-2, 2, 9)
    ]
    assert fit.residual**2 * 20 / 2 == pytest.approx(min(slow), rel=1e-9)


def test_intervals_hold_the_truth_and_the_band_is_theirs():
    error = LAW.error(LOSSES) + 0.004 * np.random.default_rng(0).normal(size=20)
    fit = fit_downstream(LOSSES, error, bootstraps=500, level=0.95, seed=1)
    assert fit.epsilon.contains(0.85)
    assert fit.k.contains(3.0)
    assert fit.gamma.contains(1.1)
    band = fit.error([2.0, 3.0])
    assert np.all(band.contains(LAW.error([2.0, 3.0])))
    assert fit.error(2.5).low < fit.error(2.5).value < fit.error(2.5).high
    # Further from the models, less sure.
    assert fit.error(1.5).width > fit.error(3.0).width
    assert fit.lost_share == 0
    assert fit.notes == ()
    again = fit_downstream(LOSSES, error, bootstraps=500, level=0.95, seed=1)
    assert np.array_equal(again.draws, fit.draws)
    assert json.loads(json.dumps(fit.as_dict()))["models"] == 20


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (0.9 - 0.1 * LOSSES, "does not rise"),
        (np.full(20, 0.5), "does not rise"),
        (0.1 + 0.2 * LOSSES, "straight line"),
        (0.1 + np.exp(LOSSES - 5), "bends upwards"),
        (np.where(LOSSES[0] == LOSSES, 0.3, 0.8), "a step"),
    ],
)
def test_data_that_hold_no_gamma_are_refused_with_a_reason(error, words):
    fit = fit_downstream(LOSSES, error, bootstraps=20)
    assert fit.law is None
    assert words in fit.reason
    with pytest.raises(BadInput, match=words):
        fit.error(3.0)
    assert fit.as_dict()["gamma"] is None


def test_a_law_that_resamples_lose_says_so():
    # Four models that barely bend.
    fit = fit_downstream([2.0, 2.5, 3.0, 3.5], [0.30, 0.41, 0.50, 0.60], bootstraps=200)
    assert fit.law is not None
    assert fit.lost_share > 0.1
    assert "resamples gave no law" in fit.notes[0]


def test_bad_input():
    with pytest.raises(BadInput, match="3 distinct losses"):
        fit_downstream([2, 3, 4, 4], [0.3, 0.4, 0.5, 0.5])
    with pytest.raises(BadInput, match="error, row 1"):
        fit_downstream([2, 3, 4, 5], [0.3, -0.4, 0.5, 0.5])
    with pytest.raises(BadInput, match="level"):
        fit_downstream(LOSSES, LAW.error(LOSSES), level=1.5)
