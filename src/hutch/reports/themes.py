"""The look of every figure: two themes, one palette from small to large budget, one way to draw axes.

The budget palette runs in one direction of lightness, so it survives greyscale and the common forms of
colour blindness; published results differ from ours, and from each other, by dash and symbol as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hutch.reports.formats import log_ticks
from hutch.reports.reading import Interval

if TYPE_CHECKING:
    import plotly.graph_objects as go

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", sans-serif'


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The colours of one page scheme, as CSS colours."""

    name: str
    ink: str
    """Text, and our own fits."""
    muted: str
    """Axis labels."""
    grid: str
    paper: str
    band: str
    """The interval of our fit, translucent."""
    optimal: str
    """The compute-optimal model of the Chinchilla test."""
    other: str
    """The Gopher-like model of the Chinchilla test."""
    published: tuple[str, ...]
    """One colour a family of published results."""
    ramp: tuple[str, ...]
    """Stops of the budget palette, from small to large."""


LIGHT = Theme(
    name="light",
    ink="#1c1b22",
    muted="#5d5b68",
    grid="#e9e7ee",
    paper="#ffffff",
    band="rgba(91, 63, 160, 0.16)",
    optimal="#5b3fa0",
    other="#c8620a",
    published=("#0b7a75", "#b8336a", "#7a6a00", "#3a6ea5"),
    ramp=("#dd8214", "#e0535f", "#b1418f", "#6a3a9c", "#2a2360"),
)
DARK = Theme(
    name="dark",
    ink="#f0eef6",
    muted="#a9a6b6",
    grid="#2e2c38",
    paper="#16151c",
    band="rgba(190, 165, 255, 0.20)",
    optimal="#b79cff",
    other="#f39a4a",
    published=("#4fd1c5", "#ff8fb7", "#d9c94a", "#7fb3ea"),
    ramp=("#7359c9", "#b65bc0", "#ea6a8f", "#f79a66", "#fbe08f"),
)
THEMES = (LIGHT, DARK)


def budget_colours(budgets: list[float], theme: Theme) -> dict[float, str]:
    """One colour a budget along the theme's ramp, evenly spaced by rank."""
    stops = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in theme.ramp], dtype=float)
    at = np.linspace(0, len(stops) - 1, max(2, len(budgets)))[: len(budgets)]
    channels = np.stack([np.interp(at, np.arange(len(stops)), stops[:, k]) for k in range(3)], axis=1)
    return {b: "#" + "".join(f"{round(v):02x}" for v in rgb) for b, rgb in zip(budgets, channels, strict=True)}


def axis(theme: Theme, title: str, **more: Any) -> dict[str, Any]:
    """A quiet axis: a hairline grid, no zero line, the unit in the title."""
    look: dict[str, Any] = {
        "title": {"text": title, "font": {"size": 13, "color": theme.muted}, "standoff": 10},
        "gridcolor": theme.grid,
        "linecolor": theme.grid,
        "tickfont": {"size": 12, "color": theme.muted},
        "zeroline": False,
        "automargin": True,
        "fixedrange": True,
    }
    return look | more


def log_axis(theme: Theme, title: str, low: float, high: float, form: Any, **more: Any) -> dict[str, Any]:
    """A logarithmic axis from `low` to `high`, its ticks written by `form`."""
    span = [float(np.log10(low)), float(np.log10(high))]
    return axis(theme, title, type="log", range=span, **log_ticks(low, high, form), **more)


def new_figure(theme: Theme, *, height: int, x: dict[str, Any], y: dict[str, Any]) -> "go.Figure":
    """An empty figure in the house style; its legend lies below the axes, never over the data."""
    import plotly.graph_objects as go

    return go.Figure(
        layout={
            "template": "none",
            "height": height,
            "margin": {"l": 10, "r": 14, "t": 14, "b": 10},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 13, "color": theme.ink},
            "hoverlabel": {
                "bgcolor": theme.paper,
                "bordercolor": theme.muted,
                "font": {"family": FONT, "size": 13, "color": theme.ink},
                "align": "left",
            },
            "hovermode": "closest",
            "legend": {
                "orientation": "h",
                "yref": "container",
                "y": 0,
                "yanchor": "bottom",
                "x": 0,
                "xanchor": "left",
                "font": {"size": 12, "color": theme.ink},
                "itemsizing": "trace",
            },
            "xaxis": x,
            "yaxis": y,
        }
    )


HOVER = "%{customdata}<extra></extra>"


def error_bars(low: list[float], value: list[float], high: list[float], colour: str) -> dict[str, Any]:
    """Plotly error bars from the ends of intervals; Plotly wants distances from the value."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [h - v for h, v in zip(high, value, strict=True)],
        "arrayminus": [v - lo for lo, v in zip(low, value, strict=True)],
        "color": colour,
        "thickness": 2,
        "width": 4,
    }


def interval_bars(estimates: Sequence[Interval], colour: str) -> dict[str, Any]:
    """Error bars of estimates, of no length where an end is unknown."""
    values = [e.value or 0.0 for e in estimates]
    lows = [v if e.low is None else e.low for e, v in zip(estimates, values, strict=True)]
    highs = [v if e.high is None else e.high for e, v in zip(estimates, values, strict=True)]
    return error_bars(lows, values, highs, colour) | {"thickness": 1.5, "width": 3}
