"""Numbers as people read them: counts with k, M, B; powers of ten; durations; estimates with intervals."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from hutch.reports.reading import Interval

DASH = "–"
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def count(value: float | None) -> str:
    """Parameters, tokens, bytes: three figures and a suffix (`1.23M`)."""
    if value is None:
        return DASH
    for size, suffix in _SUFFIXES:
        # 999.6k must read 1M, not 1000k: the step up is taken where rounding would cross it.
        if abs(value) >= size * 0.9995:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.3g}"


def power(value: float | None, digits: int = 3) -> str:
    """FLOPs: `3.2×10¹⁵`, and `10¹⁵` where the mantissa is one."""
    if value is None:
        return DASH
    if value <= 0:
        return f"{value:g}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    ten = "10" + str(int(exponent)).translate(_SUPERSCRIPTS)
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return ten if mantissa == "1" else f"{mantissa}×{ten}"


def decimal(value: float | None, places: int = 3) -> str:
    """A plain number with fixed places and a true minus sign."""
    return DASH if value is None else f"{value:.{places}f}".replace("-", "−")


def two(value: float | None) -> str:
    """An exponent."""
    return decimal(value, 2)


def four(value: float | None) -> str:
    """A loss or a small difference, exactly."""
    return decimal(value, 4)


def fine(estimate: Interval) -> Callable[[float | None], str]:
    """How to write a difference: with four places where three would leave nothing of it."""
    return four if estimate.value is not None and abs(estimate.value) < 0.001 else decimal


def grouped(value: float | None) -> str:
    """A whole number, exact, with thousands apart: for tooltips and tables that must not round."""
    return DASH if value is None else f"{value:,.0f}".replace(",", "\u202f")


def percent(value: float | None, places: int = 0) -> str:
    """A share as per cent."""
    return DASH if value is None else f"{value:.{places}%}".replace("%", "\u202f%").replace("-", "−")


def duration(seconds: float | None) -> str:
    """`48 s`, `6 min 12 s`, `3 h 05 min`."""
    if seconds is None or not math.isfinite(seconds):
        return DASH
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def spread(estimate: Interval, form: Any = decimal) -> str:
    """An estimate with its interval, each number written by `form`: `0.49 [0.46, 0.52]`."""
    if not estimate.known:
        return DASH
    if not estimate.bounded:
        return form(estimate.value)
    return f"{form(estimate.value)} [{form(estimate.low)}, {form(estimate.high)}]"


def level(estimate: Interval) -> str:
    """The level of an interval in words, empty where there is none."""
    return f"{percent(estimate.level)} interval" if estimate.bounded and estimate.level else ""


def level_of(estimates: Iterable[Interval]) -> str:
    """What captions call the intervals of a picture: `80 % interval`, or `interval` where none says its level."""
    return next(filter(None, map(level, estimates)), "interval")


def log_ticks(low: float, high: float, form: Any) -> dict[str, list[Any]]:
    """Ticks of a logarithmic axis from `low` to `high`: decades, with threes or 1-2-5 on short axes.

    Powers of ten are wide, so an axis of them falls back to decades sooner.
    """
    decades = math.log10(high / low) if high > low > 0 else 1.0
    steps = (1,) if decades > (2.2 if form is power else 3.5) else (1, 3) if decades > 1.2 else (1, 2, 5)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [step * 10.0**p for p in powers for step in steps]
    values = [v for v in values if low <= v <= high]
    if len(values) < 3:
        values = even_ticks(low, high)
    return {"tickvals": values, "ticktext": [form(v) for v in values]}


def even_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values between `low` and `high`, evenly spaced, about `most` steps of them or half as many."""
    span = (high - low) or abs(low) or 1.0
    unit = 10.0 ** math.floor(math.log10(span / most))
    step = next(unit * m for m in (1, 2, 5, 10) if span / (unit * m) <= most)
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def significant(value: float | None, digits: int = 4) -> str:
    """A constant of any size, with that many significant figures: `0.4973`, `2085`, `1.234×10⁻⁷`."""
    if value is None:
        return DASH
    if value == 0 or not 1e-4 <= abs(value) < 1e6:
        return power(value, digits) if value > 0 else f"{value:.{digits}g}".replace("-", "−")
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return decimal(value, places)


def times(value: float | None) -> str:
    """A factor: `3.3×`."""
    return DASH if value is None else f"{significant(value, 3)}×"


def signed_percent(value: float | None, places: int = 1) -> str:
    """A relative error, its sign always written: `+1.2 %`."""
    return DASH if value is None else ("+" if value > 0 else "") + percent(value, places)
