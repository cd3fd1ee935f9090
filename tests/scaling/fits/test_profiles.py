import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.runs.errors import BadInput
from hutch.scaling.fits.parabolas import Axis, fit_parabolas, residual_losses, vertices
from hutch.scaling.fits.profiles import fit_profiles
from hutch.scaling.laws import ParametricLaw
from hutch.scaling.run_table import RunTable

from ..shared_tables import chinchilla_isoflop, column, rows, table_of

# A sweep of tiny models: valleys of about 0.2 nats, as measured, not of a published law.
TINY = ParametricLaw(E=1.2, A=20.0, B=60.0, alpha=0.25, beta=0.25)


def profiles_of(budget, n, d, loss, **options):
    return fit_profiles(table_of(n, d, loss, budget), **options)


def sweep(budgets, sizes, half_width, law=TINY):
    compute = np.geomspace(1e13, 3e15, budgets)
    n = (law.n_opt(compute)[:, None] * np.geomspace(1 / half_width, half_width, sizes)).ravel()
    budget = np.repeat(compute, sizes)
    return budget, n, budget / 6 / n, law.loss(n, budget / 6 / n)


@pytest.mark.parametrize(
    ("excluded", "a", "k_n", "b", "k_d"),
    [(True, 0.49448, 0.11371, 0.50552, 1.4657), (False, 0.51045, 0.052794, 0.48955, 3.1569)],
)
def test_chinchilla_isoflop_points(excluded, a, k_n, b, k_d):
    fit = profiles_of(*chinchilla_isoflop(excluded=excluded), bootstraps=300)
    assert (fit.a.value, fit.b.value) == (pytest.approx(a, abs=5e-6), pytest.approx(b, abs=5e-6))
    assert (fit.k_n.value, fit.k_d.value) == (pytest.approx(k_n, rel=1e-4), pytest.approx(k_d, rel=1e-4))
    assert fit.a.contains(fit.a.value)
    (refused,) = [profile for profile in fit.profiles if not profile.used]
    assert refused.budget == 1e20
    assert "edge of the sizes tried" in refused.reason


def test_llama_3_points():
    table = rows("llama3_isoflop.csv")
    columns = [column(table, name) for name in ("C", "N", "D", "loss_raw")]
    fit = profiles_of(*columns, bootstraps=100)
    assert len(fit.used) == 10
    assert fit.a.value == pytest.approx(0.46322, abs=5e-6)
    assert fit.k_n.value == pytest.approx(0.55675, rel=1e-4)
    assert fit.b.value == pytest.approx(0.53678, abs=5e-6)
    assert fit.k_d.value == pytest.approx(0.29936, rel=1e-4)
    assert fit.d_opt(3.8e25).value == pytest.approx(1.63e13, rel=0.02)


@settings(max_examples=15, deadline=None)
@given(alpha=st.floats(0.2, 0.5), beta=st.floats(0.2, 0.5), width=st.floats(1.5, 6), budgets=st.integers(4, 7))
def test_exponents_are_unbiased_on_centred_grids_without_noise(alpha, beta, width, budgets):
    law = ParametricLaw(E=1.5, A=300.0, B=800.0, alpha=alpha, beta=beta)
    fit = profiles_of(*sweep(budgets, 7, width, law), bootstraps=0)
    assert fit.a.value == pytest.approx(law.a, abs=1e-6)
    assert fit.b.value == pytest.approx(law.b, abs=1e-6)


@pytest.mark.parametrize(
    ("alpha", "beta", "width", "shift"),
    [(0.34, 0.28, 2, 0.0033), (0.34, 0.28, 8, 0.0299), (0.465, 0.155, 4, 0.0695), (0.465, 0.155, 16, 0.301)],
)
def test_the_known_bias_of_a_parabola(alpha, beta, width, shift):
    law = ParametricLaw(E=1.5, A=300.0, B=800.0, alpha=alpha, beta=beta)
    fit = profiles_of(*sweep(4, 15, width, law), bootstraps=0)
    profile = fit.profiles[0]
    assert profile.n_opt.value / law.n_opt(profile.budget) - 1 == pytest.approx(shift, rel=0.02)


def test_equal_exponents_give_the_minimum_of_the_frontier():
    fit = profiles_of(*sweep(6, 7, 1.5), bootstraps=0)
    assert fit.frontier.form == "E + k*C^-gamma"
    assert fit.frontier.E.value == pytest.approx(TINY.E, rel=0.01)
    assert fit.frontier.gamma.value == pytest.approx(TINY.alpha * TINY.a, rel=0.01)
    assert fit.loss_opt(1e17).value == pytest.approx(TINY.loss_opt(1e17), rel=2e-3)
    three = profiles_of(*sweep(3, 7, 1.5), bootstraps=0, minimum_budgets=3)
    assert (three.frontier.form, three.frontier.E) == ("k*C^-gamma", None)


@pytest.mark.parametrize(("budgets", "sizes", "runs"), [(6, 5, 100), (5, 7, 60)])
def test_intervals_cover_the_exponent(budgets, sizes, runs):
    budget, n, d, loss = sweep(budgets, sizes, 4)
    truth = profiles_of(budget, n, d, loss, bootstraps=0)
    held, one, frontier = [], [], []
    for seed in range(runs):
        noisy = loss + 0.006 * np.random.default_rng(seed).normal(size=len(loss))
        fit = profiles_of(budget, n, d, noisy, bootstraps=120, seed=seed)
        held.append(fit.a is not None and fit.a.contains(truth.a.value))
        if fit.profiles[2].used:
            one.append(fit.profiles[2].n_opt.contains(truth.profiles[2].n_opt.value))
        if fit.frontier is not None:
            frontier.append(fit.loss_opt(1e16).contains(truth.loss_opt(1e16).value))
    assert 0.76 < np.mean(held) < 0.99
    assert 0.65 < np.mean(one) < 0.95
    assert 0.70 < np.mean(frontier) < 0.99


def test_pairs_and_residuals_agree_where_runs_are_many():
    budget, n, d, loss = sweep(5, 25, 4)
    loss = loss + 0.006 * np.random.default_rng(1).normal(size=len(loss))
    widths = [profiles_of(budget, n, d, loss, resample=way).a.width for way in ("pairs", "residuals")]
    assert widths[0] == pytest.approx(widths[1], rel=0.35)


def test_refusals_carry_their_reason():
    budget, n, d, loss = sweep(5, 6, 4)
    names = np.unique(budget)
    loss = np.where(budget == names[0], 8 - loss, loss)  # opens downward
    loss = np.where(budget == names[1], np.log(n), loss)  # rises all the way
    keep = ~((budget == names[2]) & (n > np.median(n[budget == names[2]])))  # three runs
    fit = profiles_of(budget[keep], n[keep], d[keep], loss[keep], bootstraps=50)
    reasons = [profile.reason for profile in fit.profiles]
    assert "opens downward" in reasons[0]
    assert "edge" in reasons[1] or "downward" in reasons[1]
    assert "3 runs" in reasons[2]
    assert (fit.a, fit.frontier, len(fit.used)) == (None, None, 2)
    assert "2 of 5 budgets usable" in fit.reason
    with pytest.raises(BadInput, match="2 of 5"):
        fit.n_opt(1e18)
    json.dumps(fit.as_dict(), allow_nan=False)


def test_lost_draws_are_counted():
    budget, n, d, loss = sweep(4, 5, 1.6)
    quiet, noisy = (
        profiles_of(budget, n, d, loss + noise * np.random.default_rng(1).normal(size=20), bootstraps=400)
        for noise in (0.003, 0.02)
    )
    assert noisy.lost_share == pytest.approx(0.26, abs=0.05)
    assert noisy.lost_share == np.mean([np.isnan(profile.draws[:, 0]).mean() for profile in noisy.used])
    lost = f"{noisy.lost_share:.0%} of the resamples gave no minimum inside the sizes tried"
    assert noisy.notes == (f"{lost}; the interval is too narrow",)
    assert 0 < quiet.lost_share < 0.1
    assert quiet.notes == ()


def test_a_budget_is_not_rounded_and_compute_replaces_it():
    budget, n, d, loss = sweep(4, 5, 3)
    runs = RunTable.of(parameters=n, tokens=d, loss=loss, flops=budget * 1.3, budget=budget)
    fit = fit_profiles(runs, bootstraps=0)
    assert [profile.budget for profile in fit.profiles] == list(np.unique(budget))
    assert [p.compute / p.budget for p in fit.profiles] == pytest.approx([1.3] * 4)
    assert "another convention" in fit.notes[0]
    plain = profiles_of(budget, n, d, loss, bootstraps=0)
    assert plain.notes == ()
    assert fit.n_opt(1.3e15).value == pytest.approx(plain.n_opt(1e15).value)


def test_the_same_seed_gives_the_same_intervals_whatever_the_order_of_rows():
    columns = sweep(4, 6, 3)
    shuffled = np.random.default_rng(0).permutation(24)
    one, two = (profiles_of(*(c[order] for c in columns)).as_dict() for order in (slice(None), shuffled))
    assert one == two
    assert json.loads(json.dumps(one, allow_nan=False))["a"]["level"] == 0.8


def test_residual_draws_keep_the_fit_in_their_mean():
    random = np.random.default_rng(0)
    z = np.linspace(-1, 1, 6)
    loss = 3 + 0.2 * z**2 + 0.01 * random.normal(size=6)
    drawn = residual_losses(z, loss, random.choice([-1.0, 1.0], size=(4000, 6)))
    mean, fit = fit_parabolas(z, drawn).mean(0), fit_parabolas(z, loss[None])[0]
    assert mean == pytest.approx(fit, abs=1e-3)


def test_an_axis_reports_its_parabola_in_logs():
    axis = Axis.of(np.geomspace(1e6, 1e8, 5))
    x = np.log(axis.size)
    c0, c1, c2 = axis.in_logs(fit_parabolas(axis.z, (0.1 * (x - 16) ** 2 + 3)[None])[0])
    assert c0 + c1 * x + c2 * x**2 == pytest.approx(0.1 * (x - 16) ** 2 + 3)
    z, least = vertices(fit_parabolas(axis.z, (0.1 * (x - 16) ** 2 + 3)[None]))
    assert (np.log(axis.sizes(z))[0], least[0]) == (pytest.approx(16), pytest.approx(3))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"loss": -1.0}, "loss, row 3"),
        ({"d": np.nan}, "tokens, row 3"),
        ({"budget": np.inf}, "budget, row 3"),
    ],
)
def test_bad_rows_are_named(change, words):
    names = ("budget", "n", "d", "loss")
    columns = dict(zip(names, (column.copy() for column in sweep(3, 5, 3)), strict=True))
    for name, value in change.items():
        columns[name][3] = value
    with pytest.raises(BadInput, match=words):
        profiles_of(**columns)


def test_a_minimum_below_zero_is_refused():
    size = np.geomspace(1e6, 1e8, 5)
    dip = np.array([5.0, 1.0, 0.01, 1.0, 5.0])
    fit = profiles_of(np.full(5, 1e15), size, 1e15 / 6 / size, dip, bootstraps=20)
    assert "minimum at a loss of -" in fit.profiles[0].reason


def test_options_are_checked():
    columns = sweep(3, 5, 3)
    for change in ({"minimum_points": 3}, {"resample": "jackknife"}, {"bootstraps": -1}, {"level": 1.0}):
        with pytest.raises(BadInput, match=next(iter(change))):
            profiles_of(*columns, **change)
