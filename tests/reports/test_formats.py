"""Numbers as people read them."""

import pytest

from hutch.reports import formats
from hutch.reports.markup import element, json_script, prose
from hutch.reports.reading import Interval


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0"), (999, "999"), (1234, "1.23k"), (999_960, "1M"), (70e9, "70B"), (1.4e12, "1.4T")],
)
def test_count(value: float | None, text: str) -> None:
    assert formats.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e15, "10¹⁵"), (3.2e15, "3.2×10¹⁵"), (5.76e23, "5.76×10²³"), (2e-3, "2×10⁻³"), (0, "0")],
)
def test_power(value: float, text: str) -> None:
    assert formats.power(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (48.2, "48 s"), (59.7, "1 min 00 s"), (372, "6 min 12 s"), (11100, "3 h 05 min")],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


def test_spread_has_a_true_minus_and_drops_unknown_ends() -> None:
    assert formats.spread(Interval(-0.5, -0.75, -0.25, 0.8)) == "−0.500 [−0.750, −0.250]"
    assert formats.spread(Interval(0.5)) == "0.500"
    assert formats.spread(Interval()) == "–"


def test_a_small_difference_keeps_four_places() -> None:
    small, large = Interval(-0.0004, -0.0009, 0.0001), Interval(-0.09, -0.1, -0.08)
    assert formats.spread(small, formats.fine(small)) == "−0.0004 [−0.0009, 0.0001]"
    assert formats.spread(large, formats.fine(large)) == "−0.090 [−0.100, −0.080]"
    assert formats.fine(Interval())(None) == "–"


def test_captions_take_the_level_from_the_first_interval_that_has_one() -> None:
    assert formats.level_of([Interval(0.5), Interval(0.5, 0.4, 0.6, 0.9)]) == "90\u202f% interval"
    assert formats.level_of([Interval()]) == "interval"


def test_log_ticks_stay_inside_the_axis() -> None:
    ticks = formats.log_ticks(2e5, 4e7, formats.count)
    assert ticks["ticktext"] == ["300k", "1M", "3M", "10M", "30M"]


def test_markup_escapes_what_it_did_not_make() -> None:
    assert element("p", "<b>", class_='"x"') == '<p class="&quot;x&quot;">&lt;b&gt;</p>'
    assert prose("C^0.45 <C^a") == "C<sup>0.45</sup> &lt;C<sup>a</sup>"
    assert prose("from 1e+15 to 2.5e-03 FLOPs") == "from 10<sup>15</sup> to 2.5×10<sup>−3</sup> FLOPs"
    assert "</script><" not in json_script('{"a":"</script><b>"}')[:-9]


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, 4, "–"), (0.49731, 4, "0.4973"), (2085.43, 5, "2085.4"), (12846.0, 4, "12846"),
        (1.2341e-7, 4, "1.234×10⁻⁷"), (-0.05, 3, "−0.0500"), (0, 4, "0"), (3.2e9, 3, "3.2×10⁹"),
    ],
)  # fmt: skip
def test_significant(value: float | None, digits: int, text: str) -> None:
    assert formats.significant(value, digits) == text


def test_factors_and_errors_have_their_signs() -> None:
    assert formats.times(3.1015) == "3.10×"
    assert [formats.signed_percent(v) for v in (0.0123, -0.0123, None)] == ["+1.2\u202f%", "−1.2\u202f%", "–"]


@pytest.mark.parametrize(("low", "high"), [(2.07, 2.46), (0.681, 0.768), (3.1e9, 5.2e9), (1.05, 1.2)])
def test_a_short_logarithmic_axis_still_has_ticks(low: float, high: float) -> None:
    ticks = formats.log_ticks(low, high, formats.significant)["tickvals"]
    assert 3 <= len(ticks) <= 8
    assert all(low <= tick <= high for tick in ticks)


def test_even_ticks_are_round_and_evenly_spaced() -> None:
    assert formats.even_ticks(2.02, 5.01, 16) == pytest.approx([2.2 + 0.2 * i for i in range(15)])
    assert formats.even_ticks(0.69, 0.93) == pytest.approx([0.7, 0.75, 0.8, 0.85, 0.9])
