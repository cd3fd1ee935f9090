"""What each anchor asks for: the distribution of the training compute, one row an anchor."""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.formats import decimal, percent
from hutch.reports.reading import Missing, items, part
from hutch.reports.scaling.forecast_words import Document
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

LOW, HIGH = 17.0, 54.0
"""log10 FLOP that the axis shows."""
ROW = 62
RISE = 0.6
"""Height of the tallest distribution, in rows."""
APART = 3.2
"""OOM that two years along the top keep between them, or the later one is not written."""


def draw(document: Document, theme: Theme) -> "go.Figure":
    """The figure. Raises `Missing` where no anchor lies inside the axis."""
    rows = _rows(document)
    if not rows:
        raise Missing("The document holds no anchor.")
    figure = themes.new_figure(
        theme,
        height=98 + ROW * len(rows),
        x=themes.axis(theme, "training compute, log₁₀ FLOP", range=[LOW, HIGH]),
        y=themes.axis(theme, "", range=[len(rows) - 0.6, -0.75], visible=False),
    )
    tallest = max(max(part(document, key, "requirement", row["name"])["counted"]) for row in rows for key in _KEYS)
    words = []
    for place, row in enumerate(rows):
        for key in _KEYS:
            _draw_row(figure, document, row, key, place, RISE / tallest, theme)
        words += _words(document, row, place, theme)
    for mark in items(document, "affordable"):
        figure.add_vline(x=mark["log_flop"], line={"color": theme.muted, "width": 1, "dash": "dot"}, layer="below")
    figure.update_layout(annotations=[*words, *_marks(document, theme)])
    return figure


_KEYS = ("baseline", "updated")


def _rows(document: Document) -> list[Mapping[str, Any]]:
    """The anchors whose middle lies inside the axis."""
    return [
        anchor
        for anchor in items(document, "anchors")
        if LOW < part(document, "baseline", "requirement", anchor["name"])["p50"] < HIGH
    ]


def _draw_row(
    figure: "go.Figure", document: Document, row: Mapping[str, Any], key: str, place: int, scale: float, theme: Theme
) -> None:
    """One distribution, with a bar from its 10th to its 90th percentile below it."""
    told = part(document, key, "requirement", row["name"])
    edges = items(document, "requirement_edges")
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    colour, dash = (theme.optimal, "solid") if key == "baseline" else (theme.other, "dash")
    name = f"data exponent {decimal(part(document, key, 'data_exponent').get('mean'), 2)}"
    figure.add_scatter(
        x=middles,
        y=[place - scale * share for share in told["counted"]],
        mode="lines",
        # The first bin is empty, so the area closes along the row's own line.
        fill="toself" if key == "baseline" else None,
        fillcolor=theme.band,
        line={"color": colour, "width": 1.5, "dash": dash},
        name=name,
        legendgroup=key,
        showlegend=place == 0,
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[told["p10"], told["p50"], told["p90"]],
        y=[place + (0.07 if key == "baseline" else 0.17)] * 3,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"color": colour, "size": [1, 8, 1], "symbol": "circle" if key == "baseline" else "diamond"},
        legendgroup=key,
        showlegend=False,
        customdata=[
            f"<b>{row['name']}</b>, {name}<br>{row['meaning']}<br>log₁₀ FLOP {decimal(told['p10'], 1)} · "
            f"<b>{decimal(told['p50'], 1)}</b> · {decimal(told['p90'], 1)} (10th, 50th, 90th percentile)"
            f"<br>reached by {items(document, 'years')[-1]}: {percent(told['reached_by_horizon'])}"
        ]
        * 3,
        hovertemplate=themes.HOVER,
    )


def _words(document: Document, row: Mapping[str, Any], place: int, theme: Theme) -> list[dict[str, Any]]:
    """Name and weight at the left of a row, the medians at its right."""
    medians = [decimal(part(document, key, "requirement", row["name"])["p50"], 1) for key in _KEYS]
    moved = medians[0] if medians[0] == medians[1] else f"{medians[0]} → {medians[1]}"
    sides = ((f"<b>{row['name']}</b> {percent(row['weight'])}", 0, "left"), (moved, 1, "right"))
    return [
        {
            "text": text,
            "x": x,
            "xref": "paper",
            "xanchor": anchor,
            "y": place,
            "yanchor": "top",
            "yshift": 1,
            "showarrow": False,
            "font": {"size": 12, "color": theme.ink},
        }
        for text, x, anchor in sides
    ]


def _marks(document: Document, theme: Theme) -> list[dict[str, Any]]:
    """The years above the lines of what they can buy."""
    written: list[dict[str, Any]] = []
    for mark in items(document, "affordable"):
        if written and abs(mark["log_flop"] - written[-1]["x"]) < APART:
            continue
        written.append(
            {
                "text": str(mark["year"]),
                "x": mark["log_flop"],
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 11, "color": theme.muted},
            }
        )
    return written


def describe(document: Document) -> str:
    """The figure in words."""
    told = []
    for row in _rows(document):
        needed = part(document, "baseline", "requirement", row["name"])
        told.append(f"{row['name']} {', '.join(decimal(needed[p], 1) for p in ('p10', 'p50', 'p90'))}")
    return f"Training compute that each anchor asks for, log10 FLOP, 10th, 50th and 90th percentile: {'; '.join(told)}."
