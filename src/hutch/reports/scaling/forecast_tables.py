"""The tables of a forecast's page."""

from collections.abc import Mapping
from typing import Any

from hutch.reports.formats import DASH, decimal, percent
from hutch.reports.markup import Html, element, prose
from hutch.reports.reading import items, part
from hutch.reports.scaling import forecast_words as words
from hutch.reports.scaling.forecast_words import Document
from hutch.reports.tables import table


def differences(document: Document) -> Html:
    """What the update moves: probabilities, then medians."""
    lines, told = words.lines(document), words.differences(document)
    rows: list[tuple[str, ...]] = [
        (str(first["year"]), percent(first["baseline"], 1), *(_moved(one["probabilities"][at]) for one in told))
        for at, first in enumerate(told[0]["probabilities"])
    ]
    rows.append(("median", *(words.median(part(document, line.key, "median")) for line in lines[:-1])))
    rows.append(("years later", "", *(_later(one["median_years"]) for one in told)))
    heads = ("year", *(line.head for line in lines[:-1]))
    return table(heads, rows, caption="Cumulative probability (points from the baseline)", numeric=(1, 2, 3))


def _moved(row: Mapping[str, Any]) -> str:
    return f"{percent(row['updated'], 1)} ({words.points(row['difference']['value'])})"


def _later(raw: Mapping[str, Any]) -> str:
    return f"{words.signed(raw['value'], 2)} {words.ends(raw)}".strip()


def by_year(document: Document) -> Html:
    """The curves in figures."""
    lines = words.lines(document)
    rows = [
        (str(year), *(percent(words.at_year(line, year), 1) for line in lines)) for year in words.years_shown(document)
    ]
    return table(("year", *(line.head for line in lines)), rows, caption="Year by year", numeric=range(1, 5))


def _under(text: Any) -> Html:
    """A line below a name, wide enough to read where the table has to scroll."""
    return element("small", prose(text), class_="under", style="min-width:15em")


def presets(document: Document) -> Html:
    """The median of each preset, ours and the published ones."""
    rows = [
        (
            [str(row["preset"]), _under(row["changes"])],
            words.median(part(row, "median")),
            str(part(row, "published").get("computed")),
            str(part(row, "published").get("reported")),
        )
        for row in items(document, "spread")
    ]
    heads = ("preset", "median here", "published", "as reported")
    return table(heads, rows, caption="Median years of the presets", numeric=(1, 2, 3))


def guesses(document: Document) -> Html:
    """The soft spots, each with what its alternative would give."""
    rows = [
        (
            [str(row["name"]), _under(row["why"])],
            [prose(row["used"]), element("small", ["→ ", prose(row["alternative"])], class_="under")],
            words.median(part(row, "median")),
            words.signed(row.get("shift_years")),
        )
        for row in items(document, "guesses")
    ]
    heads = ("guess", "in use → instead", "median then", "years")
    return table(heads, rows, caption="Guesses and soft spots, one changed at a time", numeric=(2, 3))


def anchors(document: Document) -> Html:
    """What each anchor asks for, exactly."""
    rows = []
    for anchor in items(document, "anchors"):
        before, after = (part(document, key, "requirement", anchor["name"]) for key in ("baseline", "updated"))
        size = DASH if anchor["log_parameters"] is None else decimal(anchor["log_parameters"], 1)
        rows.append(
            (
                [str(anchor["name"]), _under(anchor["meaning"])],
                percent(anchor["weight"], 1),
                size,
                *(decimal(before[p], 1) for p in ("p10", "p50", "p90")),
                decimal(after["p50"], 1),
                percent(before["reached_by_horizon"]),
            )
        )
    heads = ("anchor", "weight", "parameters", "10 %", "median", "90 %", "updated", "in reach")
    caption = f"Training compute and parameters, log10; in reach: by {items(document, 'years')[-1]}"
    return table(heads, rows, caption=caption, numeric=range(1, 8))
