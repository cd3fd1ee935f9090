import json

import numpy as np
import pytest

from hutch.runs.errors import BadInput
from hutch.scaling.curves import Curve, smooth
from hutch.scaling.fits.envelope import fit_envelope
from hutch.scaling.laws import ParametricLaw

LAW = ParametricLaw(E=1.5, A=300.0, B=800.0, alpha=0.3, beta=0.3)


def family(sizes, horizons, penalty=0.05, points=120, noise=0.0):
    """Runs whose loss sits `penalty` above the law until the schedule ends, as an undecayed rate holds it."""
    curves = []
    random = np.random.default_rng(0)
    for n in sizes:
        best = LAW.d_opt(LAW.compute_for_parameters(n))
        for horizon in horizons:
            d = np.linspace(1 / points, 1, points) * best * horizon
            loss = LAW.loss(n, d) * (1 + penalty * (1 - d / d[-1])) + noise * random.normal(size=points)
            curves.append(Curve(n, 6 * n * d, d, loss))
    return curves


def test_the_exponent_of_the_law_comes_back():
    # Horizons past the optimum, so that at every FLOP all sizes near it are still running.
    curves = family(np.geomspace(1e7, 1e10, 16), [4.0], penalty=0.0, points=400)
    fit = fit_envelope(curves, window=0, bootstraps=100)
    assert fit.a.value == pytest.approx(LAW.a, abs=0.02)
    assert fit.a.value + fit.b.value == pytest.approx(1, abs=1e-3)
    assert fit.a.contains(LAW.a)
    assert fit.n_opt(1e20).value == pytest.approx(LAW.n_opt(1e20), rel=0.05)


def test_edge_sizes_flatten_the_law_when_kept():
    curves = family(np.geomspace(1e7, 1e9, 7), np.geomspace(0.3, 5, 10))
    dropped, kept = (fit_envelope(curves, window=1, keep_edges=keep, bootstraps=0) for keep in (False, True))
    assert abs(dropped.a.value - LAW.a) < abs(kept.a.value - LAW.a)
    assert any("smallest or largest" in note for note in dropped.notes)


def test_the_edge_is_that_of_the_sizes_that_compete_there():
    """Two profiles of three sizes, the second with larger ones: each has its own smallest and largest."""
    curves = []
    for n_opt, sizes in ((2e6, (1e6, 2e6, 4e6)), (2e7, (1e7, 2e7, 4e7))):
        end = 1e3 * n_opt**2
        flops = np.geomspace(end / 5, end, 60)
        curves += [
            Curve(n, flops, flops / 6 / n, 4 + 0.1 * np.log(n / n_opt) ** 2 - 0.1 * np.log(flops / 1e15)) for n in sizes
        ]
    fit = fit_envelope(curves, window=0, bootstraps=0)
    assert set(fit.n) == {2e6, 2e7}
    assert not fit.at_edge.any()
    # Without the middle sizes every winner is the smallest or largest of its profile, and four sizes in all.
    fit = fit_envelope([curve for curve in curves if curve.parameters not in (2e6, 2e7)], window=0, bootstraps=0)
    assert {1e7, 4e6} & set(fit.n)
    assert fit.at_edge.all()
    assert not fit.used.any()
    assert fit.reason == "sizes between the smallest and the largest on the envelope: 0; a law needs at least two"


def test_lost_resamples_are_counted_and_said():
    """Eight runs, each of another size: a resample often leaves fewer than two sizes inside."""
    fit = fit_envelope(family(np.geomspace(1e7, 1e9, 8), [4.0], penalty=0.0), window=0, points=200, bootstraps=100)
    assert fit.lost_share == pytest.approx(0.23, abs=0.1)
    assert fit.notes[-1] == f"{fit.lost_share:.0%} of the resamples gave no law; the interval is too narrow"


def test_points_are_the_lowest_of_all_curves_there():
    curves = family(np.geomspace(1e7, 1e9, 6), [0.5, 1, 2], noise=0.005)
    fit = fit_envelope(curves, bootstraps=0)
    for index in (0, 400, 900, len(fit.flops) - 1):
        flop = fit.flops[index : index + 1]
        losses = [curve.at(flop, 10.0)[0][0] for curve in curves]
        assert fit.loss[index] == min(losses)
        assert fit.curve[index] == int(np.argmin(losses))
        assert fit.n[index] == curves[fit.curve[index]].parameters
        assert 0 < fit.fraction[index] <= 1
    assert 6 * fit.n * fit.d == pytest.approx(fit.flops)
    assert len(fit.flops) == 1500


def test_an_envelope_that_touches_runs_early_says_so():
    early = fit_envelope(family(np.geomspace(1e7, 1e9, 8), [4.0], penalty=0.0), bootstraps=0)
    assert "last 15%" in early.notes[0]
    dense = family(np.geomspace(1e7, 1e9, 8), np.geomspace(0.1, 10, 60), penalty=0.5)
    late = fit_envelope(dense, window=0, bootstraps=0)
    assert np.median(late.fraction) > 0.85


def test_no_competition_is_a_reason():
    flops = np.geomspace(1e15, 1e16, 20)
    apart = [
        Curve(1e6, flops, flops / 6e6, np.linspace(5, 4, 20)),
        Curve(1e7, 100 * flops, flops, np.linspace(4, 3, 20)),
    ]
    fit = fit_envelope(apart)
    assert (fit.a, len(fit.flops)) == (None, 0)
    assert "compete" in fit.reason
    json.dumps(fit.as_dict(), allow_nan=False)
    same = fit_envelope([apart[0], apart[0]])
    assert "compete" in same.reason


def test_dictionary_has_points_and_thins_them():
    fit = fit_envelope(family(np.geomspace(1e7, 1e9, 10), [4.0], penalty=0.0), bootstraps=60, points=200)
    plain = json.loads(json.dumps(fit.as_dict(), allow_nan=False))
    assert {len(column) for column in plain["points"].values()} == {len(fit.flops)}
    assert plain["points"]["used"] == (~fit.at_edge).tolist()
    assert plain["a"]["low"] <= plain["a"]["high"]
    thin = fit.as_dict(points=30)["points"]
    assert {len(column) for column in thin.values()} == {30}
    assert (thin["flops"][0], thin["flops"][-1]) == (fit.flops[0], fit.flops[-1])


def test_smoothing_keeps_lines_and_averages_inside():
    line = 5 - 0.01 * np.arange(60.0)
    assert smooth(line, 5) == pytest.approx(line)
    assert smooth(line, 40) == pytest.approx(line)
    spike = np.zeros(101)
    spike[50] = 1
    weights = np.exp(-0.5 * (np.arange(-12, 13) / 3) ** 2)
    assert smooth(spike, 3)[38:63] == pytest.approx(weights / weights.sum())
    assert np.array_equal(smooth(line, 0), line)
    noisy = line + np.random.default_rng(0).normal(size=60)
    assert np.abs(smooth(noisy, 8) - line).mean() < 0.5 * np.abs(noisy - line).mean()


def test_smoothing_equals_a_slow_local_line():
    loss = np.random.default_rng(1).normal(size=30)
    for i in (0, 3, 15, 29):
        offset = np.arange(30) - i
        near = np.abs(offset) <= 8
        weight = np.sqrt(np.exp(-0.5 * (offset / 2) ** 2) * near)
        design = np.stack([np.ones(30), offset], axis=1) * weight[:, None]
        assert smooth(loss, 2)[i] == pytest.approx(np.linalg.lstsq(design, loss * weight, rcond=None)[0][0])


@pytest.mark.parametrize(
    ("flops", "loss", "words"),
    [([1, 2, 2], [3, 2, 1], "flops, row 2"), ([1, 2, 3], [3, 0, 1], "loss, row 1"), ([1], [3], "one point")],
)
def test_bad_curves_are_named(flops, loss, words):
    with pytest.raises(BadInput, match=words):
        Curve(1e6, flops, flops, loss)


def test_one_curve_is_refused():
    with pytest.raises(BadInput, match="at least two"):
        fit_envelope(family([1e7], [1.0]))


def test_points_of_unfinished_schedules_can_be_left_out():
    """Few horizons a size, and rates that hold the loss up until they have decayed."""
    curves = family(np.geomspace(1e7, 1e9, 10), [0.2, 1.0, 5.0], penalty=0.2)
    everything, ends = (fit_envelope(curves, window=1, last_part=part, bootstraps=50) for part in (1.0, 0.15))
    assert abs(ends.a.value - LAW.a) < abs(everything.a.value - LAW.a)
    assert any("left out" in note and "last 15%" in note for note in ends.notes)
    with pytest.raises(BadInput, match="last_part"):
        fit_envelope(curves, last_part=0.0)
