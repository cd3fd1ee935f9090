"""How each kind of model is drawn, everywhere on the page; kinds differ by dash and symbol as well as by colour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hutch.reports.themes import Theme

NAMES = {
    "on": "with retrieval",
    "off": "the same, switched off",
    "same": "without, same tokens",
    "plain": "without, equal FLOPs",
}


@dataclass(frozen=True)
class Look:
    """The look of one kind of model."""

    colour: str
    dash: str
    symbol: str


def look_of(kind: str, theme: Theme) -> Look:
    """The look of "on", "off", "same" or "plain"."""
    return {
        "on": Look(theme.optimal, "solid", "circle"),
        "off": Look(theme.muted, "dot", "circle-open"),
        "same": Look(theme.published[0], "dash", "diamond-open"),
        "plain": Look(theme.other, "solid", "square"),
    }[kind]


def band(xs: list[float], points: list[Mapping[str, Any]], colour: str) -> dict[str, Any] | None:
    """A translucent band between the ends of intervals as a plotly trace; None where an end is unknown."""
    if any(point.get("low") is None or point.get("high") is None for point in points) or len(points) < 2:
        return None
    return {
        "x": [*xs, *reversed(xs)],
        "y": [*(p["high"] for p in points), *(p["low"] for p in reversed(points))],
        "fill": "toself",
        "fillcolor": translucent(colour),
        "line": {"width": 0},
        "mode": "lines",
        "hoverinfo": "skip",
        "showlegend": False,
    }


def translucent(colour: str, opacity: float = 0.14) -> str:
    """A colour like #5b3fa0 that lets what lies below shine through."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def span(points: Sequence[Mapping[str, Any]], *, zero: bool) -> list[float]:
    """A range for an axis that holds all intervals, and 0 where `zero`, with a little room."""
    ends = [v for p in points for v in (p.get("low"), p.get("value"), p.get("high")) if v is not None]
    ends += [0.0] if zero else []
    room = 0.08 * (max(ends) - min(ends) or abs(max(ends)) or 1.0)
    return [min(ends) - room, max(ends) + room]
