"""The numbers of a plan as people read them: factors, hours, days, money, memory."""

from typing import Any

from hutch.reports.formats import DASH, count, decimal, grouped, significant, spread
from hutch.reports.reading import Interval


def three(value: float | None) -> str:
    """Three significant figures."""
    return significant(value, 3)


def factor(value: float | None) -> str:
    """What something is multiplied with: `3.26×`."""
    return DASH if value is None else f"{decimal(value, 2)}×"


def plural(number: Any, word: str) -> str:
    """`1 device`, `562 devices`."""
    return f"{grouped(number)} {word}{'' if number == 1 else 's'}"


def hours_told(hours: Interval) -> str:
    """`404k hours`, and `48.0 s` where there is less than one."""
    if (hours.value or 0.0) >= 1:
        return f"{spread(hours, count)} hours"
    return f"{spread(_scaled(hours, 3600), three)} s"


def days_told(days: Interval) -> str:
    """`16.5 days`, and hours where there are less than three."""
    if (days.value or 0.0) >= 3:
        return f"{spread(days, lambda v: three(v) if v is not None and v < 1000 else count(v))} days"
    return hours_told(_scaled(days, 24))


def dollars(money: Interval) -> str:
    """`$809k`, `$12.30`, `under $0.01`."""
    if (money.value or 0.0) < 0.01:
        return "under $0.01"
    return "$" + spread(money, lambda v: count(v) if v is not None and v >= 1000 else decimal(v, 2))


def _scaled(estimate: Interval, by: float) -> Interval:
    value, low, high = (None if end is None else end * by for end in (estimate.value, estimate.low, estimate.high))
    return Interval(value, low, high, estimate.level)


def storage(value: float | None) -> str:
    """Bytes: `1.16 TB`."""
    written = count(value)
    unit = {"T": " TB", "B": " GB", "M": " MB", "k": " kB"}.get(written[-1])
    return f"{written[:-1]}{unit}" if unit else f"{written} B"
