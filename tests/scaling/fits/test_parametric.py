import functools
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.runs.errors import BadInput
from hutch.scaling.fits.newton import minimise
from hutch.scaling.fits.objective import Objective
from hutch.scaling.fits.parametric import fit_parametric
from hutch.scaling.fits.problem import Problem
from hutch.scaling.fits.screen import starting_points
from hutch.scaling.laws import ParametricLaw
from hutch.scaling.published import BESIROGLU_LAW, HOFFMANN_ROUNDED, HOFFMANN_UNROUNDED

from ..shared_tables import chinchilla, chinchilla_isoflop, column, rows, table_of


def synthetic(law, noise=0.0, seed=0):
    budgets = np.geomspace(1e18, 1e21, 5)
    n = (law.n_opt(budgets)[:, None] * np.geomspace(0.25, 4, 7)).ravel()
    d = np.repeat(budgets, 7) / 6 / n
    return n, d, law.loss(n, d) * np.exp(noise * np.random.default_rng(seed).normal(size=35))


def assert_same(law, E, A, B, alpha, beta, rel=2e-6):
    assert law.as_dict() == pytest.approx({"E": E, "A": A, "B": B, "alpha": alpha, "beta": beta}, rel=rel)


@pytest.mark.parametrize(
    ("excluded", "f", "optimum", "a"),
    [
        (False, 0.00101827401780, (1.8172181, 477.8259, 2143.417, 0.3473105, 0.3671724), 0.5138995),
        (True, 0.00182601052307, (1.8913385, 495.7260, 12845.61, 0.3493129, 0.4530493), 0.5646444),
    ],
)
def test_exact_optimum_on_the_digitised_points(excluded, f, optimum, a):
    table = chinchilla(excluded=excluded)
    fit = fit_parametric(table_of(*(column(table, c) for c in ("N", "D", "loss"))), bootstraps=0)
    assert fit.objective == pytest.approx(f, rel=1e-9)
    assert_same(fit.law, *optimum)
    assert fit.a.value == pytest.approx(a, abs=1e-6)
    assert (fit.status, fit.starts_agree) == ("converged", 1.0)
    assert fit.objective <= 0.001018746 or excluded


@pytest.mark.parametrize(
    ("law", "f_240", "f_245"),
    [
        (HOFFMANN_ROUNDED, 0.004121009, 0.005017984),
        (HOFFMANN_UNROUNDED, 0.001231163, 0.002323351),
        (BESIROGLU_LAW, 0.001018746, 0.001930820),
    ],
)
def test_objective_at_published_constants(law, f_240, f_245):
    for excluded, f in ((False, f_240), (True, f_245)):
        table = chinchilla(excluded=excluded)
        columns = (column(table, name) for name in ("N", "D", "loss"))
        objective = Objective.of(*columns, 1e-3)
        theta = objective.theta(np.array(list(law.as_dict().values())))[None]
        # Published constants are rounded to five digits or so.
        assert objective.evaluate(theta, np.ones((1, len(table))))[0][0] == pytest.approx(f, rel=2e-4)


def test_exact_optima_on_isoflop_points_llama_olmo_and_datablations():
    _, n, d, loss = chinchilla_isoflop(excluded=True)
    fit = fit_parametric(table_of(n, d, loss), bootstraps=0)
    assert fit.objective == pytest.approx(0.0012614527969, rel=1e-9)
    assert_same(fit.law, 1.9601593, 1137.2809, 39639.28, 0.3961938, 0.5046031)
    table = rows("llama3_isoflop.csv")
    fit = fit_parametric(table_of(*(column(table, c) for c in ("N", "D", "loss_raw"))), bootstraps=0)
    assert fit.objective == pytest.approx(0.00039046784619, rel=1e-9)
    assert_same(fit.law, 0.5941934, 38.328999, 160.2263, 0.2835172, 0.3156563)
    ladder = re.compile(r"(190M|370M|760M|1B|3B)-(0\.5|1|2|5|10)xC")
    table = [row for row in rows("olmo_ladder_final.csv") if ladder.fullmatch(row["run"])]
    assert len(table) == 25
    fit = fit_parametric(table_of(*(column(table, c) for c in ("N", "D", "c4_en"))), bootstraps=0)
    assert fit.objective == pytest.approx(9.7315011635e-05, rel=1e-8)
    assert_same(fit.law, 1.8585732, 124.40638, 33.78026, 0.2718329, 0.1565593)
    table = [row for row in rows("datablations_c4.csv") if float(row["epochs"]) <= 1.001 and not row["seed"]]
    fit = fit_parametric(table_of(*(column(table, c) for c in ("N", "D", "loss"))), bootstraps=0)
    assert fit.objective == pytest.approx(0.00093747517315, rel=1e-9)
    assert_same(fit.law, 1.9029352, 430.90997, 5360.613, 0.3359416, 0.3868226)


def test_bootstraps_leave_their_start():
    """Widths of a on the 240 points, where an optimiser with absolute tolerances gives 0.001."""
    table = chinchilla(excluded=False)
    columns = [column(table, name) for name in ("N", "D", "loss")]
    resampled = fit_parametric(table_of(*columns), bootstraps=600)
    assert resampled.a.width == pytest.approx(0.049, abs=0.006)
    assert resampled.E.low < 1.817 < resampled.E.high
    assert resampled.lost_share == 0
    assert fit_parametric(table_of(*columns), bootstraps=600, subsample=0.8).a.width == pytest.approx(0.026, abs=0.004)


@settings(max_examples=12, deadline=None)
@given(
    E=st.floats(0.5, 2.5),
    A=st.floats(50, 1500),
    B=st.floats(50, 5000),
    alpha=st.floats(0.2, 0.6),
    beta=st.floats(0.2, 0.6),
)
def test_a_law_is_recovered_from_losses_without_noise(E, A, B, alpha, beta):
    law = ParametricLaw(E, A, B, alpha, beta)
    fit = fit_parametric(table_of(*synthetic(law)), bootstraps=0)
    assert fit.status == "converged"
    assert_same(fit.law, E, A, B, alpha, beta, rel=1e-4)


def test_derivatives_are_those_of_finite_differences():
    n, d, loss = synthetic(BESIROGLU_LAW, noise=1e-3)
    # Wide δ and a narrow one, so that runs lie on both branches of the Huber loss.
    for delta in (1.0, 1e-3):
        objective = Objective.of(n, d, loss, delta)
        theta = objective.theta([1.8, 470.0, 2200.0, 0.347, 0.367])
        weights = np.linspace(0.5, 2, len(n))[None]
        _, gradient, hessian, _ = objective.evaluate(theta[None], weights)
        step = 1e-6
        ahead, behind = (
            objective.evaluate(theta + sign * step * np.eye(5), np.repeat(weights, 5, 0)) for sign in (1, -1)
        )
        scale = np.abs(gradient).max()
        assert (ahead[0] - behind[0]) / (2 * step) == pytest.approx(gradient[0], abs=1e-6 * scale)
        numerical = (ahead[1] - behind[1]) / (2 * step)
        assert numerical == pytest.approx(hessian[0], abs=1e-5 * np.abs(hessian).max())


def test_the_optimum_does_not_depend_on_the_scale_of_the_objective():
    n, d, loss = synthetic(BESIROGLU_LAW, noise=3e-3)
    fits = [fit_parametric(table_of(n, d, loss), weights=np.full(35, w), bootstraps=0) for w in (1, 1e-4, 1e4)]
    for fit in fits[1:]:
        assert_same(fit.law, *fits[0].law.as_dict().values(), rel=1e-5)


@pytest.mark.parametrize("scale", [1e-6, 1e3])
def test_a_change_of_units_moves_one_coefficient_only(scale):
    n, d, loss = synthetic(BESIROGLU_LAW, noise=3e-3)
    one, other = (fit_parametric(table_of(n * s, d, loss), bootstraps=0).law for s in (1, scale))
    assert_same(other, one.E, one.A * scale**one.alpha, one.B, one.alpha, one.beta, rel=1e-4)


def test_a_weight_of_two_is_a_row_given_twice():
    n, d, loss = synthetic(BESIROGLU_LAW, noise=3e-3)
    weights = np.ones(35)
    weights[4] = 2
    weighted = fit_parametric(table_of(n, d, loss), weights=weights, bootstraps=0)
    doubled = fit_parametric(table_of(*(np.append(c, c[4]) for c in (n, d, loss))), bootstraps=0)
    assert weighted.objective == pytest.approx(doubled.objective, rel=1e-9)
    assert_same(weighted.law, *doubled.law.as_dict().values(), rel=1e-5)


def test_corner_starts_end_converged_at_the_optimum_or_above_it():
    n, d, loss = synthetic(BESIROGLU_LAW, noise=3e-3)
    objective = Objective.of(n, d, loss, 1e-3)
    corners = np.array([[a, b, e, x, y] for a in (0, 5) for b in (0, 5) for e in (-1, 1) for x, y in ((0, 2), (2, 0))])
    corners = corners.astype(float)
    ended = minimise(Problem(objective, np.ones((len(corners), 35))), corners)
    best = fit_parametric(table_of(n, d, loss), bootstraps=0).objective
    assert np.all(ended.objective >= best * (1 - 1e-9))
    stopped_high = ended.converged & (ended.objective > best * 1.001)
    _, gradient, _, scale = objective.evaluate(ended.phi, np.ones((len(corners), 35)))
    assert np.all((gradient**2 / np.maximum(scale, 1e-300)).sum(1)[stopped_high] < 1e-3 * best)


def test_flat_losses_are_a_status_and_not_a_law():
    n, d, loss = synthetic(BESIROGLU_LAW)
    fit = fit_parametric(table_of(n, d, 8 - loss), bootstraps=50)
    assert (fit.status, fit.law, fit.a) == ("no-start", None, None)
    assert "floor" in fit.reason
    with pytest.raises(BadInput, match="no compute-optimal law"):
        fit.n_opt(1e21)
    json.dumps(fit.as_dict(), allow_nan=False)


def test_bands_and_dictionary():
    fit = fit_parametric(table_of(*synthetic(BESIROGLU_LAW, noise=3e-3)), bootstraps=200)
    compute = np.array([1e20, 1e22, 1e24])
    band = fit.n_opt(compute)
    assert np.all((band.low < band.value) & (band.value < band.high))
    assert np.all(np.diff(np.log(band.high / band.low)) > 0)
    assert band.value == pytest.approx(fit.law.n_opt(compute))
    assert 6 * fit.n_opt(1e22).value * fit.d_opt(1e22).value == pytest.approx(1e22)
    assert fit.loss_opt(1e22).value == pytest.approx(fit.law.loss_opt(1e22))
    assert fit.loss_opt(1e22).contains(fit.law.loss_opt(1e22))
    plain = json.loads(json.dumps(fit.as_dict(), allow_nan=False))
    assert plain["alpha"]["value"] == fit.law.alpha
    assert (plain["a"], plain["reason"], plain["notes"]) == (fit.a.as_dict(), None, [])


@pytest.mark.parametrize(
    ("n", "d", "words"),
    [
        ([1e6, 2e6, 3e6, 4e6, 5e6], [1e8, 2e8, 3e8, 4e8, 5e8], "at least 6"),
        ([1e6, 2e6] * 4, [1e8, 2e8, 3e8, 4e8] * 2, "parameters takes 2 distinct"),
    ],
)
def test_too_few_runs_are_refused(n, d, words):
    with pytest.raises(BadInput, match=words):
        fit_parametric(table_of(n, d, np.linspace(4, 3, len(n))))


def test_the_screen_finds_the_neighbourhood_alone():
    n, d, loss = synthetic(BESIROGLU_LAW)
    objective = Objective.of(n, d, loss, 1e-3)
    best = objective.natural(starting_points(objective, np.ones(35))[0])
    assert best[3:] == pytest.approx([0.348, 0.366], abs=0.04)


def test_losses_without_a_law_are_reported_and_not_clamped():
    n, d, _ = synthetic(BESIROGLU_LAW)
    fit = fit_parametric(table_of(n, d, np.random.default_rng(14).uniform(3, 4, size=35)), bootstraps=40)
    assert (fit.status, fit.a) == ("flat", None)
    assert fit.law.alpha < 0
    assert fit.reason == f"alpha is {fit.law.alpha:.3g}, out of all bounds: the runs do not hold it"
    said = ("of the starts ended at this optimum", fit.reason, "flat: ", "below the fitted E", "gave no optimum")
    assert len(fit.notes) == len(said)
    assert all(words in note for words, note in zip(said, fit.notes, strict=True))
    json.dumps(fit.as_dict(), allow_nan=False)


def test_a_search_that_did_not_converge_says_so(monkeypatch):
    monkeypatch.setattr("hutch.scaling.fits.parametric.minimise", functools.partial(minimise, iterations=2))
    fit = fit_parametric(table_of(*synthetic(BESIROGLU_LAW, noise=3e-3)), bootstraps=0)
    assert fit.status == "iterations"
    assert fit.notes[0] == "the search for the optimum did not converge: it ran out of iterations"
    assert f"{fit.starts_agree:.0%} of the starts" in fit.notes[1]
