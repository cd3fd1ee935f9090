"""Fit small, predict large: published figures, and laws that do not extrapolate."""

import json

import numpy as np
import pytest

from hutch.runs.errors import BadInput
from hutch.scaling.fits.holdout import hold_out_envelope, hold_out_parametric, hold_out_profiles

from ..shared_tables import chinchilla, column, rows, table_of
from .test_saved import curves
from .test_valleys import LOPSIDED, sweep


@pytest.mark.parametrize(
    ("above", "fitted", "tested", "error"),
    [(1e20, 128, 112, 0.0084), (3e20, 170, 70, 0.0105), (6e20, 193, 47, 0.0107), (1e21, 205, 35, 0.0097)],
)
def test_ordered_holdouts_of_the_digitised_points(above, fitted, tested, error):
    table = chinchilla(excluded=False)
    runs = table_of(*(column(table, c) for c in ("N", "D", "loss")))
    held = hold_out_parametric(runs, 0.95 * above, bootstraps=100)
    assert (held.fitted, held.tested) == (fitted, tested)
    assert held.mean_absolute_error.value == pytest.approx(error, abs=6e-5)
    assert held.mean_absolute_error.low < error < held.mean_absolute_error.high
    assert held.reach > 10


def test_the_ladder_predicts_its_largest_size():
    table = rows("olmo_ladder_final.csv")
    chosen = [r for r in table if r["run"].split("-")[-1] in ("1xC", "2xC", "5xC", "10xC") and r["run"].count("-") == 1]
    small = [r for r in chosen if r["size"] in ("190M", "370M", "760M", "1B")]
    large = [r for r in table if r["run"] in [f"3B-{m}xC" for m in ("0.5", "1", "2", "5", "10")]]
    assert (len(small), len(large)) == (16, 5)
    columns = [column(small + large, c) for c in ("N", "D", "c4_en")]
    # Sizes and not FLOPs part the two here; 0.5xC of 3B spends less than 10xC of 1B.
    runs = table_of(*columns, np.where(np.arange(21) < 16, 1.0, 2.0))
    held = hold_out_parametric(runs, 1.5, bootstraps=0)
    assert held.mean_absolute_error.value == pytest.approx(0.0149, abs=1e-4)


def test_profiles_predict_sizes_and_losses():
    runs = sweep(half_width=4, budgets=7, sizes=7, noise=5e-4)
    sizes = hold_out_profiles(runs, 3e19, bootstraps=200)
    assert (sizes.quantity, sizes.tested) == ("parameters", 2)
    assert sizes.mean_absolute_error.value < 0.1
    losses = hold_out_profiles(runs, 3e19, quantity="loss", bootstraps=200)
    assert losses.mean_absolute_error.value < 0.005
    document = json.loads(json.dumps(losses.as_dict(), allow_nan=False))
    assert len(document["rows"]) == 2
    # Two tests are too few to resample.
    assert (document["bias"]["low"], document["bias"]["high"]) == (None, None)
    assert document["rows"][0]["measured"] == losses.measured[0]


def test_an_envelope_predicts_later_sizes():
    held = hold_out_envelope(curves(12), 3e18, bootstraps=100)
    assert held.quantity == "parameters"
    assert held.tested > 10
    assert held.bias.value < 0.5


def test_a_law_that_breaks_is_caught():
    runs = sweep(half_width=4, budgets=7, sizes=7, noise=5e-4)
    broken = table_of(runs.parameters, runs.tokens, np.where(runs.budget > 3e19, 1.1, 1.0) * runs.loss, runs.budget)
    held, intact = (hold_out_parametric(table, 3e19, bootstraps=100) for table in (broken, runs))
    assert held.bias.value == pytest.approx(1 / 1.1 - 1, abs=0.02)
    assert held.bias.high < 0
    assert abs(intact.bias.value) < 0.01


def test_what_cannot_be_tested_says_why():
    runs = sweep(half_width=4, budgets=7, sizes=7)
    for above, side in ((1e17, "below"), (1e23, "at or above")):
        with pytest.raises(BadInput, match=f"nothing lies {side}"):
            hold_out_parametric(runs, above)
    few = hold_out_profiles(runs, 3e18, bootstraps=10)
    assert few.mean_absolute_error is None
    assert "budgets usable" in few.reason
    assert LOPSIDED.a < 0.5
    json.dumps(few.as_dict(), allow_nan=False)
