"""The two pictures of a plan: the loss over sizes at its compute, and the optimal size over compute."""

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.formats import DASH, count, decimal, four, log_ticks, percent, power, spread
from hutch.reports.growth import draw_band
from hutch.reports.reading import Interval, Missing, interval, items, part
from hutch.reports.scaling import plan_words as words
from hutch.reports.scaling.papers import PublishedLine, draw_laws
from hutch.reports.scaling.plan_words import Document
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

_HEIGHT = 430
_MARKS = {"optimal": "star", "½": "circle", "2×": "circle", "¼": "circle-open", "4×": "circle-open"}


def draw_valley(document: Document, theme: Theme) -> "go.Figure":
    """Loss against parameters at the plan's compute. Raises `Missing` without a loss law."""
    line = part(document, "curves", "valley")
    if not line:
        raise Missing(f"No loss at other sizes: {words.why(document, 'other_sizes')}.")
    sizes, low, high = list(line["x"]), min(line["x"]), max(line["x"])
    figure = themes.new_figure(
        theme,
        height=_HEIGHT,
        x=themes.log_axis(theme, "parameters, at equal compute", low, high, count),
        y=themes.axis(theme, "loss (nats per token)"),
    )
    draw_band(figure, sizes, line, theme.band, "valley")
    figure.add_scatter(
        x=sizes,
        y=line["value"],
        mode="lines",
        line={"color": theme.optimal, "width": 2.5},
        name=escape(str(line["name"])) + _at(line),
        legendgroup="valley",
        customdata=[
            f"{count(n)} parameters<br>loss {four(value)}" for n, value in zip(sizes, line["value"], strict=True)
        ],
        hovertemplate=themes.HOVER,
    )
    _draw_sizes(figure, document, theme)
    return figure


def _draw_sizes(figure: "go.Figure", document: Document, theme: Theme) -> None:
    """The sizes of the table, as points that say what they waste."""
    for row, raw in zip(words.size_rows(document), items(document, "other_sizes", "rows"), strict=True):
        name, plan = row[0], row[0] == "optimal"
        told = f"<b>{'the plan' if plan else f'{name} the size'}</b><br>{row[1]} parameters, {row[2]} tokens"
        told += f"<br>loss {row[3]}"
        if row[4] != DASH:
            told += f"<br>{row[4]} more loss<br>{row[5]} of the compute wasted"
        figure.add_scatter(
            x=[raw["parameters"]],
            y=[interval(raw["loss"]).value],
            mode="markers+text",
            marker={
                "symbol": _MARKS.get(name, "circle"),
                "size": 16 if plan else 10,
                "color": theme.optimal if plan else theme.other,
                "line": {"color": theme.paper if plan else theme.other, "width": 1 if plan else 2},
            },
            text=["plan" if plan else name],
            textposition="top center",
            textfont={"size": 12, "color": theme.ink},
            showlegend=False,
            customdata=[told],
            hovertemplate=themes.HOVER,
        )


def describe_valley(document: Document) -> str:
    """The valley in words."""
    rows = [f"{row[0]} the size: {row[4]} more loss" for row in words.size_rows(document) if row[4] != DASH]
    lowest = decimal(words.known(document, "loss").value)
    return f"Loss against parameters at the compute of the plan, whose own loss is {lowest}. {'; '.join(rows)}."


def draw_allocation(document: Document, theme: Theme) -> "go.Figure":
    """Optimal parameters against compute: the plan's law with its band, published laws, the plan itself."""
    line = part(document, "curves", "allocation")
    compute = list(line["x"])
    values = [value for value in line["value"] if value]
    figure = themes.new_figure(
        theme,
        height=_HEIGHT,
        x=_wide_axis(theme, _compute_title(document), compute, power),
        y=_wide_axis(theme, "optimal parameters N", [min(values) / 3, max(values) * 3], count),
    )
    _shade_data(figure, document, theme)
    draw_laws(figure, _published(document), theme, apart=True)
    draw_band(figure, compute, line, theme.band, "law")
    figure.add_scatter(
        x=compute,
        y=line["value"],
        mode="lines",
        line={"color": theme.optimal, "width": 2.5},
        name=escape(str(line["name"])) + _at(line),
        legendgroup="law",
        legendrank=1,
        customdata=_told(line),
        hovertemplate=themes.HOVER,
    )
    _draw_plan(figure, document, theme)
    return figure


def _compute_title(document: Document) -> str:
    if not words.other_count(document):
        return "training compute C (FLOP)"
    return f"compute C, counted as {words.counted(document)} (FLOP)"


def _wide_axis(theme: Theme, title: str, values: list[float], form: Any) -> dict[str, Any]:
    """A logarithmic axis with at most about seven ticks, however many decades it spans."""
    low, high = min(values), max(values)
    ticks = log_ticks(low, high, form)
    every = math.ceil(len(ticks["tickvals"]) / 7)
    shown = {name: list(column)[::every] for name, column in ticks.items()}
    return themes.axis(theme, title, type="log", range=[math.log10(low), math.log10(high)], **shown)


def _shade_data(figure: "go.Figure", document: Document, theme: Theme) -> None:
    """The compute that the law's runs cover."""
    covered = items(document, "law", "compute_range")
    if len(covered) != 2:
        return
    figure.add_vrect(x0=covered[0], x1=covered[1], fillcolor=theme.grid, opacity=0.55, line_width=0, layer="below")
    figure.add_annotation(
        text="data",
        # A logarithmic axis takes the logarithm here.
        x=(math.log10(covered[0]) + math.log10(covered[1])) / 2,
        y=0.985,
        yref="y domain",
        yanchor="top",
        showarrow=False,
        font={"size": 12, "color": theme.muted},
    )


def _published(document: Document) -> list[PublishedLine]:
    return [
        PublishedLine(name=str(line["name"]), x=line["x"], y=line["value"], told=_told(line))
        for line in items(document, "curves", "published")
    ]


def _told(line: Mapping[str, Any]) -> list[str]:
    """Each point of a line, exactly."""
    rows = zip(line["x"], line["value"], line["low"], line["high"], strict=True)
    return [
        f"<b>{escape(str(line['name']))}</b><br>{power(c)} FLOP<br>{spread(Interval(v, low, high), count)} parameters"
        for c, v, low, high in rows
    ]


def _at(line: Mapping[str, Any]) -> str:
    return f", {percent(line['level'])} interval" if line.get("level") else ""


def _draw_plan(figure: "go.Figure", document: Document, theme: Theme) -> None:
    n, compute = words.known(document, "parameters"), words.known(document, "flops")
    bars = None
    if n.value is not None and n.low is not None and n.high is not None:
        bars = themes.error_bars([n.low], [n.value], [n.high], theme.optimal)
    figure.add_scatter(
        x=[compute.value],
        y=[n.value],
        mode="markers",
        error_y=bars,
        marker={"symbol": "star", "size": 16, "color": theme.optimal, "line": {"color": theme.paper, "width": 1}},
        name="the plan",
        legendrank=2,
        customdata=[f"<b>the plan</b><br>{power(compute.value)} FLOP<br>{spread(n, count)} parameters"],
        hovertemplate=themes.HOVER,
    )


def describe_allocation(document: Document) -> str:
    """The allocation in words."""
    n, compute = words.known(document, "parameters"), words.known(document, "flops")
    others = ", ".join(str(line["name"]) for line in items(document, "curves", "published"))
    return (
        f"Optimal parameters against compute, both logarithmic, under {part(document, 'law').get('name')}; the plan "
        f"lies at {power(compute.value)} FLOP and {spread(n, count)} parameters. Beside it: {others}."
    )
