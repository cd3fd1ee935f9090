"""The forecast against the published curve, the closed form, and itself over the same draws."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hutch.runs.errors import BadInput
from hutch.scaling.forecasts import ForecastConfig, difference, forecast, forecasts, normal_90, preset
from hutch.scaling.forecasts import published as theirs
from hutch.scaling.forecasts.affordability import Algorithms, Hardware, Spending
from hutch.scaling.forecasts.anchors import REIMPLEMENTATION_WEIGHTS
from hutch.scaling.forecasts.distributions import Normal, constant
from hutch.scaling.forecasts.median import median_year
from hutch.scaling.forecasts.requirements import DataLaw
from hutch.scaling.forecasts.timeline import crossings
from tests.scaling.forecasts.test_requirements import fixed_anchor

FAST = ForecastConfig(draws=4_000, resamples=60)


def updated(config, mean=1.0):
    return config.with_exponent(Normal(mean, config.data.exponent.sd)).data


@pytest.fixture(scope="module")
def best():
    """The default and its update."""
    config = ForecastConfig()
    return forecasts(config, [config.data, updated(config)])


@pytest.fixture(scope="module")
def fixed():
    """The variant with fixed algorithms, for which the figures of the update are known; baseline, widened, shifted."""
    config = ForecastConfig(algorithms=Algorithms(rule="fixed"), spending=Spending(doubling=2.0))
    config = config.reweighted(REIMPLEMENTATION_WEIGHTS)
    return forecasts(config, [config.data, config.with_exponent(normal_90(0.5, 1.5)).data, updated(config)])


def test_the_default_runs_within_five_points_of_the_published_curve(best):
    gap = theirs.distance(best[0].years, best[0].probability.value)
    assert gap.largest < 3.2
    assert gap.rms < 1.6
    assert (gap.first, gap.last) == (2024, 2100)
    assert best[0].median.year == 2052
    assert 100 * best[0].at(2030) == pytest.approx(8.2, abs=0.2)
    assert 100 * best[0].at(2050) == pytest.approx(48.1, abs=0.4)
    assert 100 * best[0].at(2100) == pytest.approx(74.7, abs=0.3)


@pytest.mark.parametrize(
    ("rule", "weights", "doubling", "median", "at_2050", "at_2100"),
    [
        ("by-requirement", None, 2.0, (2051, 2052), 49.0, 74.7),
        ("by-requirement", {"short": 0.15, "long": 0.20}, 2.5, (2054,), None, None),
        ("by-requirement", REIMPLEMENTATION_WEIGHTS, 2.5, (2050,), 50.5, 77.8),
        ("fixed", REIMPLEMENTATION_WEIGHTS, 2.5, (2051,), 48.8, 74.7),
        ("fixed", REIMPLEMENTATION_WEIGHTS, 2.0, (2051,), 49.8, 74.7),
    ],
)
def test_other_readings_of_the_sources(rule, weights, doubling, median, at_2050, at_2100):
    config = ForecastConfig(
        algorithms=Algorithms(rule=rule), spending=Spending(doubling=doubling), draws=100_000, resamples=20
    )
    made = forecast(config.reweighted(weights or {}))
    assert made.median.year in median
    if at_2050 is not None:
        assert 100 * made.at(2050) == pytest.approx(at_2050, abs=0.4)
        assert 100 * made.at(2100) == pytest.approx(at_2100, abs=0.3)


def test_the_update_of_the_fixed_variant(fixed):
    """Median 2051 to 2053, 2050 from 49.8 to 47.5 %, 2100 from 74.7 to 71.7 %, networks up by 0.5 OOM."""
    baseline, widened, shifted = fixed
    assert baseline.median.year == 2051
    for other in (widened, shifted):
        assert other.median.year == 2053
        assert 100 * other.at(2050) == pytest.approx(47.5, abs=0.3)
        assert 100 * other.at(2100) == pytest.approx(71.7, abs=0.3)
    gap = difference(baseline, widened)
    assert gap.requirement[[1, 3, 4]] == pytest.approx(0.5, abs=0.05)


def test_the_update_lengthens(best):
    gap = difference(*best)
    assert gap.median_years.value == pytest.approx(2.6, abs=0.15)
    assert 0 < gap.median_years.low < gap.median_years.high
    assert gap.median_years.width < 0.1
    unpaired = math.hypot(*(f.median.high - f.median.low for f in best))
    assert gap.median_years.width < unpaired
    assert gap.probability.value[2050 - 2024] < 0


def test_the_median_in_closed_form():
    """One anchor without any variance: the year follows from the formulas by hand."""
    config = replace(FAST, anchors=(fixed_anchor(),), data=DataLaw(exponent=constant(0.8)))
    needed = 14 + 1 + 0.5 + 2 + 12 + 0.8 * (13.5 - 11.2)
    doubling, cap = 3.5 - round((needed - 29) / 2) / 2, 2
    for year in range(2024, 2101):
        t = year - 2025
        spend = 1e9 * 2 ** (t / 2.5) / (1 + 1e9 * 2 ** (t / 2.5) / (0.01 * 24e12 * 1.03**t))
        price = 10**17.6 * 2 ** (t / 2.5) / (1 + 10**17.6 * 2 ** (t / 2.5) / 1e24)
        saved = max(0.0, math.log10(2 ** (t / doubling)) - math.log10(1 + 2 ** (t / doubling) / 10**cap))
        if needed - saved <= math.log10(spend) + math.log10(price):
            break
    made = forecast(config)
    assert made.median.year == year
    assert made.probability.value.tolist() == [0.0] * (year - 2024) + [1.0] * (2101 - year)
    assert made.percentiles == pytest.approx(needed)
    assert made.never == 0


def test_probability_rises_with_the_year_and_stays_below_the_weight_of_the_reachable():
    made = forecast(FAST)
    assert np.all(np.diff(made.probability.value) >= 0)
    assert made.probability.value[-1] <= 0.9
    assert made.by_horizon[-1] == 0
    assert np.all(made.probability.low <= made.probability.high)


@pytest.mark.parametrize("factor", [1.3, 2.0, 10.0])
def test_slower_hardware_or_spending_never_shortens(factor):
    """From the base year on; before it, a slower pace means that prices had fallen less."""
    base = forecast(FAST).probability.value[1:]
    for slower in (
        replace(FAST, hardware=Hardware(doubling=2.5 * factor)),
        replace(FAST, spending=Spending(doubling=2.5 * factor)),
    ):
        assert np.all(forecast(slower).probability.value[1:] <= base)


def test_more_data_at_the_reference_never_shortens():
    config = replace(FAST, algorithms=Algorithms(rule="fixed"))
    base, more = forecasts(config, [config.data, config.reanchored(20).data])
    assert np.all(more.probability.value <= base.probability.value)


def test_one_seed_one_forecast():
    first, again, other = forecast(FAST), forecast(FAST), forecast(replace(FAST, seed=1))
    assert np.array_equal(first.probability.value, again.probability.value)
    assert first.median == again.median
    assert not np.array_equal(first.probability.value, other.probability.value)


def test_a_second_law_leaves_the_first_as_it_was():
    alone, beside = forecast(FAST), forecasts(FAST, [FAST.data, updated(FAST)])[0]
    assert np.array_equal(alone.probability.value, beside.probability.value)


def test_the_same_law_twice_differs_by_nothing():
    gap = difference(*forecasts(FAST, [FAST.data, FAST.data]))
    assert (gap.median_years.value, gap.median_years.low, gap.median_years.high) == (0, 0, 0)


def test_the_monte_carlo_interval_covers(best):
    """At 80 %, over seeds; the large forecast stands in for the truth."""
    true = best[0].median.value
    small = [forecast(ForecastConfig(draws=1_000, resamples=200, seed=seed)).median for seed in range(60)]
    held = np.mean([m.low <= true <= m.high for m in small])
    assert 0.62 < held < 0.95


def test_the_interval_shrinks_with_the_root_of_the_draws():
    widths = []
    for draws in (4_000, 64_000):
        median = forecast(ForecastConfig(draws=draws, resamples=300)).median
        widths.append(median.high - median.low)
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.4)


def test_a_median_beyond_the_horizon_is_no_number():
    late = replace(FAST, hardware=Hardware(doubling=30), until=2060)
    baseline, other = forecasts(late, [late.data, updated(late)])
    assert baseline.median.as_dict()["year"] is None
    assert baseline.median.reason == str(baseline.median) == "after 2060"
    assert math.isnan(difference(baseline, other).median_years.value)
    further = forecast(replace(FAST, hardware=Hardware(doubling=5), until=2150))
    assert further.median.year is not None


def test_a_median_before_the_first_year_is_no_number():
    early = forecast(replace(FAST, hardware=Hardware(start=30, ceiling=40)))
    assert early.median.year is None
    assert str(early.median) == "2024 or before"


def test_crossings_are_linear_between_years():
    years = np.array([2030.0, 2031.0, 2032.0])
    curves = np.array([[0.2, 0.4, 0.6], [0.1, 0.2, 0.3], [0.6, 0.7, 0.8], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]])
    assert crossings(years, curves).tolist() == pytest.approx([2031.5, math.inf, -math.inf, 2031, 2031.5])
    median = median_year(years, curves[0], curves, 0.8)
    assert (median.year, median.value, median.low, median.high) == (2032, pytest.approx(2031.5), None, None)


def test_presets():
    aggressive, conservative = (forecast(replace(preset(n), draws=4_000)) for n in ("aggressive", "conservative"))
    assert 2040 <= aggressive.median.year <= 2044
    assert 2061 <= conservative.median.year <= 2066
    with pytest.raises(BadInput, match="no preset 'mad': choose from aggressive, best-guess, conservative"):
        preset("mad")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"draws": 999}, "draws is 999; a whole number from 1000 to 1000000"),
        ({"until": 2024}, "until is 2024; a whole number from 2025"),
        ({"until": 3000}, "until is 3000"),
        ({"draws": 2000.5}, "draws is 2000.5; a whole number"),
        ({"hardware": Hardware(start=math.nan)}, "the first price of hardware is nan; a finite number"),
        ({"resamples": 3}, "resamples is 3"),
        ({"level": 80}, "level is 80; a share between 0 and 1"),
        ({"hardware": Hardware(doubling=0)}, "the doubling time of hardware is 0"),
        ({"hardware": Hardware(doubling=math.nan)}, "the doubling time of hardware is nan"),
        ({"spending": Spending(doubling=-2)}, "the doubling time of spending is -2"),
        ({"spending": Spending(share=math.inf)}, "the share of the product is inf"),
        ({"algorithms": Algorithms(rule="magic")}, "algorithms is 'magic'; choose from by-requirement, fixed"),
    ],
)
def test_bad_configurations_are_named(change, says):
    with pytest.raises(BadInput, match=says):
        ForecastConfig(**change)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ({"short": 0.4}, "the weights sum to 1.2 and must sum to 1: lifetime=0.05, short=0.4"),
        ({"short": -0.1}, "the weight of short is -0.1; a probability from 0 to 1"),
        ({"none": math.nan}, "the weight of none is nan"),
    ],
)
def test_bad_weights_are_named(weights, says):
    with pytest.raises(BadInput, match=says):
        ForecastConfig().reweighted(weights)


@pytest.mark.parametrize("ratio", [0, -20, math.nan, math.inf])
def test_a_bad_ratio_is_named(ratio):
    with pytest.raises(BadInput, match="tokens per parameter is"):
        ForecastConfig().reanchored(ratio)


def test_the_published_curve_is_whole():
    years, probability = theirs.curve()
    assert (years[0], years[-1], len(years)) == (2024, 2100, 77)
    assert np.all(np.diff(probability) > 0)
    assert years[np.argmax(probability >= 0.5)] == 2053
