"""A forecast on the terminal, in 100 columns."""

from typing import TYPE_CHECKING, Any

from hutch.reports.formats import percent
from hutch.reports.reading import items, part
from hutch.reports.scaling import forecast_words as words
from hutch.reports.scaling.forecast_words import Document
from hutch.reports.terminal import plain_table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


def forecast_summary(document: Document, page: Any = None) -> "RenderableType":
    """Years, medians, what the update moves and why, how sure, the guesses; `page` is where the page lies."""
    from rich.console import Group
    from rich.text import Text

    pieces: list[Any] = [
        Text(str(document.get("title")), style="bold"),
        Text(" · ".join(words.scope(document)), style="dim"),
        Text(str(document.get("answer"))),
        Text(""),
        _years(document),
        Text(""),
        _moved(document),
        Text(""),
        Text(str(part(document, "difference").get("why"))),
        Text(""),
        _spread(document),
        Text(""),
        _guesses(document),
        Text(""),
        *(Text(f"! {note}", style="yellow") for note in _lost(document)),
        *(Text(f"– {note}") for note in (words.published_words(document), *items(document, "notes"))),
    ]
    if page is not None:
        pieces += [Text(""), Text(f"report  {page}", overflow="fold")]
    return Group(*pieces)


def _years(document: Document) -> "Table":
    """Cumulative probabilities, the medians below them."""
    from rich.text import Text

    lines = words.lines(document)
    table = plain_table("cumulative probability", *(line.head for line in lines))
    for column in table.columns[1:]:
        column.justify = "right"
    for year in words.years_shown(document):
        table.add_row(str(year), *(percent(words.at_year(line, year), 1) for line in lines))
    forecasts = [part(document, line.key, "median") for line in lines]
    medians = [words.median(raw) for raw in forecasts[:-1]] + [str(forecasts[-1].get("computed"))]
    table.add_row(*(Text(cell, style="bold") for cell in ("median year", *medians)))
    ends = [words.median_ends(raw) for raw in forecasts[:-1]]
    table.add_row(*(Text(cell, style="dim") for cell in (f"  {words.monte_carlo(document)}", *ends)))
    never = [percent(part(document, line.key).get("never_by_horizon"), 1) for line in lines[:-1]]
    table.add_row(f"not by {lines[0].years[-1]}", *never)
    return table


def _moved(document: Document) -> "Table":
    """What the update moves, over the same draws."""
    from rich.text import Text

    years = [str(row["year"]) for row in items(document, "difference", "probabilities")]
    table = plain_table("difference over the same draws", "median", *years)
    for column in table.columns[2:]:
        column.justify = "right"
    names = [line.name for line in words.lines(document)[1:-1]]
    for name, told in zip(names, words.differences(document), strict=True):
        gaps = [words.points(row["difference"]["value"]) for row in told["probabilities"]]
        shift = Text(words.years_later(told["median_years"]), style="bold")
        table.add_row(name, shift, *(f"{gap} pts" for gap in gaps))
    return table


def _spread(document: Document) -> "Table":
    """The presets: how unsure the model itself is."""
    from rich.text import Text

    table = plain_table("how sure: the presets", "median", "published", "what it takes")
    for row in items(document, "spread"):
        theirs = part(row, "published")
        published = f"{theirs.get('computed')}, reported {theirs.get('reported')}"
        table.add_row(row["preset"], words.median(part(row, "median")), published, Text(row["changes"], style="dim"))
    return table


def _guesses(document: Document) -> "Table":
    """The soft spots, each with what its alternative would give."""
    from rich.text import Text

    table = plain_table("guesses and soft spots: in use → instead", "median then", "years")
    table.columns[2].justify = "right"
    for row in items(document, "guesses"):
        told = Text(f"{row['name']}: {row['used']} → {row['alternative']}")
        told.append(f"; {row['why']}", style="dim")
        table.add_row(told, words.median(part(row, "median")), words.signed(row.get("shift_years")))
    return table


def _lost(document: Document) -> list[str]:
    """Where an interval of a difference is not to be trusted."""
    return [str(note) for told in words.differences(document) for note in items(told, "notes")]
