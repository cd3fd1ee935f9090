"""How a profile's minimum is read: ranges, interpolation, and runs that are not one budget."""

import numpy as np
import pytest

from hutch.scaling.fits.akima import interpolated_minima
from hutch.scaling.fits.profiles import fit_profiles
from hutch.scaling.laws import ParametricLaw
from hutch.scaling.run_table import RunTable

from ..shared_tables import column, rows, table_of

LOPSIDED = ParametricLaw(E=1.5, A=300.0, B=800.0, alpha=0.465, beta=0.155)


def sweep(half_width=16, sizes=15, budgets=4, off=1.0, law=LOPSIDED, noise=0.0):
    compute = np.geomspace(1e18, 1e20, budgets)
    n = (law.n_opt(compute)[:, None] * off * np.geomspace(1 / half_width, half_width, sizes)).ravel()
    budget = np.repeat(compute, sizes)
    loss = law.loss(n, budget / 6 / n) * np.exp(noise * np.random.default_rng(0).normal(size=n.size))
    return table_of(n, budget / 6 / n, loss, budget)


def bias(fit):
    profile = fit.profiles[0]
    return profile.n_opt.value / LOPSIDED.n_opt(profile.budget) - 1


def test_a_range_and_an_interpolation_undo_the_bias_of_a_wide_parabola():
    wide = bias(fit_profiles(sweep(), bootstraps=0))
    near = bias(fit_profiles(sweep(), within=4, bootstraps=0))
    through = bias(fit_profiles(sweep(), method="akima", bootstraps=0))
    assert wide == pytest.approx(0.301, rel=0.02)
    assert abs(near) < 0.08
    assert abs(through) < 0.02


def test_a_range_keeps_the_runs_near_the_minimum_and_says_when_too_few_are_left():
    fit = fit_profiles(sweep(), within=4, bootstraps=0)
    profile = fit.profiles[0]
    kept = profile.parameters[profile.fitted]
    assert kept.max() / kept.min() <= 16 * (1 + 1e-9)
    assert 4 <= len(kept) < 15
    few = fit_profiles(sweep(), within=1.2, bootstraps=0)
    assert few.reason.startswith("0 of 4 budgets usable")
    assert "within a factor of 1.2 of the minimum; at least 4 are needed" in few.profiles[0].reason


def test_an_edge_is_refused_by_name_with_either_method():
    for method in ("parabola", "akima"):
        fit = fit_profiles(sweep(half_width=3, off=20.0), method=method, bootstraps=0)
        assert "at or beyond the edge of the sizes tried" in fit.profiles[0].reason
        assert "1e+18: minimum at" in fit.reason


def test_interpolated_draws_scatter_about_the_point():
    fit = fit_profiles(sweep(half_width=6, sizes=9, noise=2e-3), method="akima", bootstraps=400)
    assert fit.a.low < fit.a.value < fit.a.high
    assert fit.a.contains(LOPSIDED.a)
    assert fit.profiles[0].coefficients_n is None
    pairs = fit_profiles(sweep(half_width=6, sizes=25, noise=2e-3), method="akima", resample="pairs", bootstraps=200)
    assert pairs.a.low < pairs.a.high


def test_llama_with_every_method_agrees_within_its_interval():
    table = rows("llama3_isoflop.csv")
    runs = RunTable.of(
        parameters=column(table, "N"),
        tokens=column(table, "D"),
        flops=column(table, "C"),
        loss=column(table, "loss_raw"),
    )
    through = fit_profiles(runs, method="akima", bootstraps=300)
    assert through.a.contains(fit_profiles(runs, bootstraps=0).a.value)
    assert through.a.contains(fit_profiles(runs, within=3, bootstraps=0).a.value)


def test_interpolation_of_a_parabola_in_logs_finds_its_vertex():
    z = np.linspace(-1, 1, 41)
    loss = np.exp(1 + 0.3 * (z - 0.137) ** 2)
    found, least = interpolated_minima(z, np.stack([loss, loss[::-1], np.exp(z)]))
    assert found[:2] == pytest.approx([0.137, -0.137], abs=2e-3)
    assert least[:2] == pytest.approx(np.exp(1), rel=1e-4)
    assert np.isnan(found[2])


def test_interpolation_averages_equal_sizes_and_leaves_out_absent_runs():
    z = np.array([-1.0, -0.5, 0.0, 0.0, 0.5, 1.0])
    loss = np.array([[3.0, 2.0, 1.4, 1.6, 2.0, 3.0]])
    assert interpolated_minima(z, loss)[1][0] == pytest.approx(1.5, abs=1e-3)
    weights = np.array([[1.0, 1, 1, 0, 1, 1], [1, 0, 0, 0, 0, 1]])
    found = interpolated_minima(z, np.repeat(loss, 2, 0), weights)
    assert found[1][0] == pytest.approx(1.4, abs=1e-3)
    assert np.isnan(found[0][1])


def test_runs_that_are_not_one_budget_are_refused():
    runs = sweep(half_width=4)
    chained = RunTable.of(
        parameters=runs.parameters,
        tokens=runs.tokens * np.geomspace(1, 3, len(runs)),
        loss=runs.loss,
        budget=runs.budget,
    )
    fit = fit_profiles(chained, bootstraps=0, minimum_budgets=3)
    assert any("not one budget" in str(profile.reason) for profile in fit.profiles) or fit.notes
    one = RunTable.of(parameters=runs.parameters, flops=np.geomspace(1e18, 2e18, len(runs)), loss=runs.loss)
    (profile,) = fit_profiles(one, bootstraps=0).profiles
    assert profile.reason.startswith("not one budget: its runs spent 1e+18 to 2e+18")


def test_flops_become_budgets():
    runs = sweep(half_width=4, sizes=7)
    by_flops = RunTable.of(parameters=runs.parameters, tokens=runs.tokens, loss=runs.loss)
    one, other = fit_profiles(runs, bootstraps=50), fit_profiles(by_flops, bootstraps=50)
    assert one.a.value == pytest.approx(other.a.value, rel=1e-9)
    assert [p.budget for p in other.profiles] == pytest.approx([p.budget for p in one.profiles])


def test_runs_of_no_budget_stay_out():
    runs = sweep(half_width=4, sizes=7)
    budget = np.where(np.arange(len(runs)) == 3, np.nan, runs.budget)
    fit = fit_profiles(table_of(runs.parameters, runs.tokens, runs.loss, budget), bootstraps=0)
    assert [len(profile.loss) for profile in fit.profiles] == [6, 7, 7, 7]
