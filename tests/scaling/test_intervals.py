import json
import math

import numpy as np
import pytest

from hutch.runs.errors import BadInput
from hutch.scaling.intervals import Interval, paired_ratio_difference, percentile_interval


def test_an_interval_knows_its_width_and_what_it_holds():
    interval = Interval(2.0, 1.0, 4.0, 0.8)
    assert interval.width == 3.0
    assert interval.contains(1.0)
    assert not interval.contains(4.1)
    assert not Interval(2.0, math.nan, math.nan, 0.8).contains(2.0)
    assert interval.as_dict() == {"value": 2.0, "low": 1.0, "high": 4.0, "level": 0.8}


def test_nan_is_null_in_json():
    band = Interval(np.array([1.0, 2.0]), np.array([np.nan, 1.0]), np.array([np.inf, 3.0]), 0.8)
    assert json.loads(json.dumps(band.as_dict(), allow_nan=False))["low"] == [None, 1.0]


def test_percentiles_leave_lost_draws_out():
    draws = np.append(np.arange(101.0), np.full(50, np.nan))
    interval = percentile_interval(50.0, draws, 0.8)
    assert (interval.low, interval.high) == (pytest.approx(10), pytest.approx(90))
    few = percentile_interval(1.0, np.append(np.ones(19), np.full(81, np.nan)), 0.8)
    assert math.isnan(few.low)
    assert math.isnan(percentile_interval(1.0, [], 0.8).high)


def documents(seed, gap):
    random = np.random.default_rng(seed)
    lengths = random.integers(200, 5000, size=80).astype(float)
    hardness = random.normal(0.7, 0.2, size=80).clip(0.2)
    b = lengths * hardness
    a = b + lengths * (gap * math.log(2) + random.normal(0, 0.01, size=80))
    return a, b, lengths


def test_the_paired_difference_is_in_bits_per_byte():
    value = paired_ratio_difference([2 * math.log(2), 3 * math.log(2)], [math.log(2)] * 2, [4, 6]).value
    assert value == pytest.approx(0.3)


def test_the_paired_interval_cancels_the_hardness_of_documents():
    a, b, lengths = documents(0, -0.01)
    interval = paired_ratio_difference(a, b, lengths)
    assert interval.high < 0
    unpaired = (a / lengths / math.log(2)).std() / math.sqrt(80)
    assert interval.width < 0.3 * 2 * 1.96 * unpaired
    assert interval == paired_ratio_difference(a, b, lengths)


def test_the_paired_interval_covers():
    held = sum(
        paired_ratio_difference(*documents(seed, 0.005), bootstraps=300, level=0.8, seed=seed).contains(0.005)
        for seed in range(150)
    )
    assert 0.70 < held / 150 < 0.90


def test_bad_documents_are_named():
    with pytest.raises(BadInput, match="bytes_, row 1"):
        paired_ratio_difference([1, 2], [1, 2], [3, 0])
    with pytest.raises(BadInput, match="at least two"):
        paired_ratio_difference([1], [1], [3])
    with pytest.raises(BadInput, match="level"):
        paired_ratio_difference([1, 2], [1, 2], [3, 4], level=80)
