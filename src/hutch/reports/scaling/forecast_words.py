"""The words that the terminal and the page of a forecast share, and the order in which both show its parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hutch.reports.formats import DASH, decimal, percent
from hutch.reports.reading import interval, items, part

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """One of the curves: its place in the document, its name, the cumulative probability of each year."""

    key: str
    name: str
    head: str
    """The name where there is little room."""
    years: list[int]
    probability: list[float]


def lines(document: Document) -> list[Line]:
    """The forecasts that there are, then the published one."""
    years = list(items(document, "years"))
    found = [
        Line(key, *_names(document, key), years, list(items(document, key, "probability", "value")))
        for key in ("baseline", "updated", "reanchored")
        if part(document, key)
    ]
    theirs = part(document, "published")
    return [*found, Line("published", "published", "published", list(theirs["years"]), list(theirs["probability"]))]


def _names(document: Document, key: str) -> tuple[str, str]:
    """The name of a forecast, and the same for the head of a column."""
    mean = decimal(part(document, key, "data_exponent").get("mean"), 2)
    if key == "reanchored":
        ratio = f"{part(document, key).get('tokens_per_parameter'):g}"
        return f"exponent {mean}, {ratio} tokens/parameter", f"reanchored at {ratio}"
    return f"data exponent {mean}", f"exponent {mean}"


def years_shown(document: Document) -> list[int]:
    """The years that a table has room for: every fifth, every tenth from 2060, every fiftieth from 2200."""
    years = items(document, "years")
    shown = [y for y in years if y % (5 if y <= 2060 else 10 if y <= 2200 else 50) == 0]
    return shown if years[-1] in shown else [*shown, years[-1]]


def at_year(line: Line, year: int) -> float | None:
    """The cumulative probability of a year, None where the line does not reach."""
    return line.probability[year - line.years[0]] if line.years[0] <= year <= line.years[-1] else None


def median(raw: Mapping[str, Any]) -> str:
    """`2052`, or why there is none, such as `after 2100`."""
    return str(raw.get("year") or raw.get("reason") or DASH)


def median_ends(raw: Mapping[str, Any]) -> str:
    """`[2051.7, 2051.8]`; a dash where an end lies outside the forecast."""
    if raw.get("value") is None:
        return ""
    return f"[{decimal(raw.get('low'), 1)}, {decimal(raw.get('high'), 1)}]"


def years_later(raw: Mapping[str, Any]) -> str:
    """A difference of medians with its interval: `+2.6 [+2.6, +2.6] years`."""
    gap = interval(raw)
    if not gap.known:
        return str(raw.get("reason") or DASH)
    return f"{signed(gap.value, 2)} {ends(raw)} years"


def ends(raw: Mapping[str, Any]) -> str:
    """The interval of a difference: `[+2.58, +2.62]`, empty where there is none."""
    gap = interval(raw)
    return f"[{signed(gap.low, 2)}, {signed(gap.high, 2)}]" if gap.bounded else ""


def signed(value: float | None, places: int = 1) -> str:
    """A number with its sign, `+2.6`; nothing but rounding is a plain 0."""
    if value is None:
        return DASH
    text = decimal(value, places)
    if not float(f"{value:.{places}f}"):
        return text.removeprefix("−")
    return text if value < 0 else f"+{text}"


def points(value: float | None) -> str:
    """A difference of probabilities in percentage points."""
    return signed(None if value is None else 100 * value, 1)


def differences(document: Document) -> list[Mapping[str, Any]]:
    """The difference of each forecast from the baseline: the update, then the data law that was moved as well."""
    told = [part(document, "difference"), part(document, "reanchored", "difference")]
    return [one for one in told if one]


def monte_carlo(document: Document) -> str:
    """What the intervals are called: `80 % Monte Carlo, draws only`."""
    return f"{percent(part(document, 'difference').get('level'))} Monte Carlo, draws only"


def scope(document: Document) -> list[str]:
    """What was asked."""
    config = part(document, "configuration")
    return [
        f"bio anchors (Cotra 2020), {config.get('name')}",
        f"algorithms {str(part(config, 'algorithms').get('rule')).replace('by-requirement', 'by requirement')}",
        f"{config.get('draws'):,} draws an anchor".replace(",", "\u202f"),
        f"seed {config.get('seed')}",
    ]


def spread_words(document: Document) -> str:
    """How far the presets are apart, ours and the published ones."""
    rows = items(document, "spread")
    ours = " to ".join(median(part(rows[i], "median")) for i in (0, -1))
    theirs = " to ".join(str(part(rows[i], "published").get("computed")) for i in (0, -1))
    return f"aggressive to conservative: {ours}; published {theirs}"


def published_words(document: Document) -> str:
    """How far the baseline runs from the published curve."""
    gap = part(document, "published", "difference")
    first, last = gap["years"]
    largest, rms = (decimal(gap[name], 1) for name in ("max_points", "rms_points"))
    return (
        f"The baseline lies at most {largest} points from the published curve (in {gap['max_year']}), rms {rms} over "
        f"{first}–{last}."
    )
