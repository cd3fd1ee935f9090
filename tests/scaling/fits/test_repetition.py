import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.runs.errors import BadInput
from hutch.scaling.fits.repetition import fit_repetition
from hutch.scaling.fits.repetition_objective import RepetitionProblem
from hutch.scaling.published import MUENNIGHOFF_LAW
from hutch.scaling.repetition import MUENNIGHOFF, RepeatedDataLaw
from hutch.scaling.run_table import RunTable
from tests.scaling.shared_tables import column, rows


def runs_of(law, noise=0.0, seed=0):
    """Runs over sizes, unique tokens and epochs, with their losses under `law`."""
    n, unique, epochs = (
        axis.ravel() for axis in np.meshgrid([1e7, 1e8, 1e9, 5e9], [1e8, 1e9, 1e10], [1, 2, 4, 8, 16, 32, 64])
    )
    loss = law.loss(n, unique * epochs, unique)
    loss = loss * np.exp(noise * np.random.default_rng(seed).standard_t(3, size=len(n)))
    return RunTable.of(parameters=n, tokens=unique * epochs, loss=loss), unique


@settings(max_examples=15, deadline=None)
@given(r_d=st.floats(1, 60), r_n=st.floats(0.5, 30))
def test_noise_free_constants_come_back(r_d, r_n):
    runs, unique = runs_of(RepeatedDataLaw(MUENNIGHOFF_LAW, r_d, r_n))
    fit = fit_repetition(runs, unique, MUENNIGHOFF_LAW, bootstraps=0)
    assert (fit.r_d_star.value, fit.r_n_star.value) == pytest.approx((r_d, r_n), rel=1e-6)
    assert fit.status == "converged"
    assert math.isnan(fit.r_d_star.low)


@pytest.mark.parametrize("delta", [1e-3, math.inf])
def test_noisy_constants_lie_in_their_intervals(delta):
    runs, unique = runs_of(MUENNIGHOFF, noise=0.003, seed=1)
    fit = fit_repetition(runs, unique, MUENNIGHOFF_LAW, delta=delta, bootstraps=300, level=0.95, seed=2)
    assert fit.r_d_star.contains(MUENNIGHOFF.r_d_star)
    assert fit.r_n_star.contains(MUENNIGHOFF.r_n_star)
    assert fit.r_d_star.width < 10
    assert fit.lost_share == 0
    assert fit.starts_agree > 0.5
    assert fit.notes == ()
    assert (fit.runs, fit.repeated_runs) == (84, 72)
    again = fit_repetition(runs, unique, MUENNIGHOFF_LAW, delta=delta, bootstraps=300, level=0.95, seed=2)
    assert np.array_equal(fit.draws, again.draws)
    assert json.loads(json.dumps(fit.as_dict()))["r_d_star"]["value"] == fit.r_d_star.value


def test_the_objective_is_the_law_and_its_derivatives_are_right():
    runs, unique = runs_of(MUENNIGHOFF, noise=0.002)
    weights = np.random.default_rng(0).random((3, len(runs)))
    for delta in (1e-3, 0.1, math.inf):
        problem = RepetitionProblem.of(
            MUENNIGHOFF_LAW, runs.parameters, runs.tokens, unique, runs.loss, delta=delta, weights=weights
        )
        phi = np.log([[3.0, 20.0], [15.0, 5.0], [400.0, 0.05]])
        f, g, h, _ = problem.evaluate(phi, np.arange(3))
        step = 1e-5
        for axis in range(2):
            up, down = phi.copy(), phi.copy()
            up[:, axis] += step
            down[:, axis] -= step
            f_up, g_up = problem.evaluate(up, np.arange(3))[:2]
            f_down, g_down = problem.evaluate(down, np.arange(3))[:2]
            assert g[:, axis] == pytest.approx((f_up - f_down) / (2 * step), rel=1e-5, abs=1e-9)
            if delta != 1e-3:  # There the second derivative jumps where a residual passes δ.
                assert h[:, axis] == pytest.approx((g_up - g_down) / (2 * step), rel=1e-4, abs=1e-8)
        law = RepeatedDataLaw(MUENNIGHOFF_LAW, 3.0, 20.0)
        residual = np.log(law.loss(runs.parameters, runs.tokens, unique) / runs.loss)
        size = np.abs(residual)
        huber = (
            residual**2 / 2
            if math.isinf(delta)
            else np.where(size <= delta, residual**2 / 2, delta * (size - delta / 2))
        )
        assert f[0] == pytest.approx(weights[0] @ huber)


def test_no_grid_finds_anything_lower():
    runs, unique = runs_of(MUENNIGHOFF, noise=0.05, seed=3)
    fit = fit_repetition(runs, unique, MUENNIGHOFF_LAW, bootstraps=0)
    problem = RepetitionProblem.of(
        MUENNIGHOFF_LAW, runs.parameters, runs.tokens, unique, runs.loss, delta=1e-3, weights=np.ones((1, len(runs)))
    )
    axis = np.linspace(np.log(0.02), np.log(5000), 250)
    nodes = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    assert fit.objective <= problem.huber(nodes).sum(1).min()


def test_a_flat_direction_is_said_so():
    # Repeats that lose no worth: any large R_D* will do.
    runs, unique = runs_of(RepeatedDataLaw(MUENNIGHOFF_LAW, 1e9, 5.0))
    fit = fit_repetition(runs, unique, MUENNIGHOFF_LAW, bootstraps=0)
    assert fit.r_n_star.value == pytest.approx(5.0, rel=1e-3)
    assert "R_D* is only known to be large" in " ".join(fit.notes)
    runs, unique = runs_of(RepeatedDataLaw(MUENNIGHOFF_LAW, 1e-6, 5.0))
    fit = fit_repetition(runs, unique, MUENNIGHOFF_LAW, bootstraps=0)
    assert "R_D* is only known to be small" in " ".join(fit.notes)


def test_refusals():
    runs, unique = runs_of(MUENNIGHOFF)
    with pytest.raises(BadInput, match=r"unique_tokens, row 0: 2e\+08 is above"):
        fit_repetition(runs, 2 * unique, MUENNIGHOFF_LAW)
    with pytest.raises(BadInput, match="no run repeats"):
        fit_repetition(runs, runs.tokens, MUENNIGHOFF_LAW)
    small = runs.parameters < 2e7
    with pytest.raises(BadInput, match="R_N"):
        fit_repetition(runs.select(small & (unique > 5e9)), unique[small & (unique > 5e9)], MUENNIGHOFF_LAW)
    with pytest.raises(BadInput, match="3 runs"):
        fit_repetition(runs.select(slice(3)), unique[:3], MUENNIGHOFF_LAW)
    with pytest.raises(BadInput, match="delta"):
        fit_repetition(runs, unique, MUENNIGHOFF_LAW, delta=0)
    with pytest.raises(BadInput, match="unique_tokens"):
        fit_repetition(runs, unique[:-1], MUENNIGHOFF_LAW)


def test_real_runs_hold_the_published_constants_only_loosely():
    table = [row for row in rows("datablations_c4.csv") if float(row["loss"]) < 6 and float(row["epochs"]) <= 60]
    runs = RunTable.of(parameters=column(table, "N"), tokens=column(table, "D"), loss=column(table, "loss"))
    unique = column(table, "D_unique")
    fit = fit_repetition(runs, unique, MUENNIGHOFF_LAW, bootstraps=100)
    problem = RepetitionProblem.of(
        MUENNIGHOFF_LAW, runs.parameters, runs.tokens, unique, runs.loss, delta=1e-3, weights=np.ones((1, len(runs)))
    )
    published = problem.huber(np.log([[MUENNIGHOFF.r_d_star, MUENNIGHOFF.r_n_star]])).sum()
    # The paper's own 182 runs leave out most of those that over-fit; with these in, repeats and surplus parameters
    # part ways, and the fit says that it holds neither.
    assert fit.status == "converged"
    assert fit.objective <= published
    assert any("R_D* is only known to be large" in note for note in fit.notes)
