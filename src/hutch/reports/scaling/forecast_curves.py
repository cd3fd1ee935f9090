"""The cumulative probability of each year: the forecasts, the published curve, and how far apart the presets are."""

from typing import TYPE_CHECKING

from hutch.reports import themes
from hutch.reports.formats import percent
from hutch.reports.reading import Missing, interval, items, part
from hutch.reports.scaling import forecast_words as words
from hutch.reports.scaling.forecast_words import Document, Line
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go


def draw(document: Document, theme: Theme) -> "go.Figure":
    """The figure. Raises `Missing` where the document has no forecast."""
    lines = words.lines(document)
    if len(lines) < 2:
        raise Missing("The document holds no forecast.")
    years = lines[0].years
    figure = themes.new_figure(
        theme,
        height=470,
        x=themes.axis(theme, "year", range=[years[0], years[-1] + 0.5], nticks=8),
        y=themes.axis(theme, "cumulative probability", range=[0, 1], tickformat=".0%", nticks=6),
    )
    figure.add_hline(y=0.5, line={"color": theme.muted, "width": 1, "dash": "dot"}, layer="below")
    _draw_spread(figure, document, years, theme)
    for line in lines:
        _draw_line(figure, document, line, theme)
    return figure


def _look(line: Line, theme: Theme) -> tuple[str, str, float]:
    """Colour, dash and width of a line; no two share a dash, so colour is never all there is."""
    return {
        "baseline": (theme.optimal, "solid", 2.5),
        "updated": (theme.other, "dash", 2.5),
        "reanchored": (theme.published[1], "dashdot", 2.5),
        "published": (theme.ink, "dot", 2.0),
    }[line.key]


def _draw_spread(figure: "go.Figure", document: Document, years: list[int], theme: Theme) -> None:
    """What lies between the outermost presets."""
    rows = items(document, "spread")
    if len(rows) < 2:
        return
    upper, lower = rows[0]["probability"], rows[-1]["probability"]
    figure.add_scatter(
        x=[*years, *reversed(years)],
        y=[*upper, *reversed(lower)],
        fill="toself",
        fillcolor=theme.band,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        name=f"from {rows[-1]['preset']} to {rows[0]['preset']}",
    )


def _draw_line(figure: "go.Figure", document: Document, line: Line, theme: Theme) -> None:
    """A curve, with a mark where it passes one half."""
    colour, dash, width = _look(line, theme)
    figure.add_scatter(
        x=line.years,
        y=line.probability,
        mode="lines",
        line={"color": colour, "width": width, "dash": dash},
        name=line.name,
        legendgroup=line.key,
        customdata=[
            f"<b>{line.name}</b><br>{year}: {percent(share, 1)}"
            for year, share in zip(line.years, line.probability, strict=True)
        ],
        hovertemplate=themes.HOVER,
    )
    median = interval(part(document, line.key, "median"))
    if median.known:
        figure.add_scatter(
            x=[median.value],
            y=[0.5],
            mode="markers",
            marker={"size": 11, "symbol": "diamond", "color": colour, "line": {"color": theme.paper, "width": 1.5}},
            legendgroup=line.key,
            showlegend=False,
            customdata=[f"<b>{line.name}</b><br>median {words.median(part(document, line.key, 'median'))}"],
            hovertemplate=themes.HOVER,
        )


def describe(document: Document) -> str:
    """The figure in words."""
    told = []
    for line in words.lines(document)[:-1]:
        median = words.median(part(document, line.key, "median"))
        told.append(f"{line.name}: median {median}, {percent(line.probability[-1])} by {line.years[-1]}")
    return f"Cumulative probability by year. {'; '.join(told)}. {words.published_words(document)}"
