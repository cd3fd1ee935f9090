"""How the optimum grows: parameters (or tokens) at the minimum against compute, beside published slopes.

A published slope says nothing about where its line lies for our data, so each is drawn through the centre
(geometric mean) of our minima: only the slopes are to be compared.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from hutch.reports import themes
from hutch.reports.formats import count, grouped, level, percent, power, spread, two
from hutch.reports.published import families
from hutch.reports.reading import (
    NUMBERS,
    Analysis,
    Interval,
    Missing,
    budgets,
    interval,
    items,
    leading_approach,
    part,
    reason,
)
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go


REACH = 10.0
"""How far beyond the outermost estimate an interval may stretch the axis; a longer one runs out of the frame."""


@dataclass(frozen=True)
class Quantity:
    """What grows: its name in `analysis.json`, and the exponent that says how fast."""

    name: str
    optimum: str
    exponent: str
    symbol: str


PARAMETERS = Quantity("parameters", "n_opt", "a", "N")
TOKENS = Quantity("tokens", "d_opt", "b", "D")


def draw(analysis: Analysis, theme: Theme, quantity: Quantity) -> "go.Figure":
    """The figure. Raises `Missing` where no profile has a minimum."""
    minima = _minima(analysis, quantity)
    if not minima:
        raise Missing(reason(analysis, "fits", "profiles"))
    x_low, x_high = _x_range(analysis, minima)
    y_low, y_high = _y_range([estimate for _, estimate, _ in minima] + _held_out(analysis, quantity))
    figure = themes.new_figure(
        theme,
        height=430,
        x=themes.log_axis(theme, "training compute (FLOPs)", x_low, x_high, power),
        y=themes.log_axis(theme, f"{quantity.name} at the minimum", y_low, y_high, count),
    )
    centre = tuple(
        math.exp(sum(math.log(v) for v in column) / len(column))
        for column in ([m[0] for m in minima], [m[1].value or 1.0 for m in minima])
    )
    _draw_published(figure, analysis, theme, quantity, centre, (x_low, x_high))
    _draw_fit(figure, analysis, theme, quantity)
    _draw_minima(figure, analysis, theme, quantity)
    _draw_heldout(figure, analysis, theme, quantity)
    return figure


def describe(analysis: Analysis, quantity: Quantity) -> str:
    """The figure in words, for readers who do not see it."""
    exponent = interval(part(analysis, "fits", leading_approach(analysis)).get(quantity.exponent))
    ours = f"Our exponent is {spread(exponent)}." if exponent.known else "No exponent was fitted."
    theirs = ", ".join(
        f"{p['name']} {two(p[quantity.exponent])}"
        for p in items(analysis, "published")
        if p.get(quantity.exponent) is not None
    )
    return (
        f"Optimal {quantity.name} against training compute, both logarithmic. {ours} "
        f"Published exponents: {theirs or 'none'}."
    )


def _minima(analysis: Analysis, quantity: Quantity) -> list[tuple[float, Interval, Mapping[str, Any]]]:
    """(budget, optimum, profile) of every profile that was not refused."""
    found = []
    for profile in items(analysis, "fits", "profiles", "profiles"):
        optimum = interval(profile.get(quantity.optimum))
        if profile.get("used") and optimum.known:
            found.append((float(profile["budget"]), optimum, profile))
    return found


def _held_out(analysis: Analysis, quantity: Quantity) -> list[Interval]:
    """The prediction and the measurement at the held-out budget."""
    extrapolation = part(analysis, "extrapolation")
    return [interval(extrapolation.get(f"{quantity.name}_{kind}")) for kind in ("predicted", "measured")]


def _y_range(estimates: list[Interval]) -> tuple[float, float]:
    """The span of all estimates, and of their intervals as far as `REACH`, with a little room."""
    values = [e.value for e in estimates if e.value]
    low, high = min(values), max(values)
    ends = [end for e in estimates for end in (e.low, e.high) if end]
    low = max(min([low, *ends]), low / REACH)
    high = min(max([high, *ends]), high * REACH)
    return low / 1.6, high * 1.6


def _x_range(analysis: Analysis, minima: list[tuple[float, Interval, Mapping[str, Any]]]) -> tuple[float, float]:
    xs = [m[0] for m in minima]
    heldout = part(analysis, "extrapolation").get("budget") or analysis.get("holdout_budget")
    xs += [heldout] if heldout else []
    room = max(max(xs) / min(xs), 4.0) ** 0.08
    return min(xs) / room, max(xs) * room


def _draw_published(
    figure: "go.Figure",
    analysis: Analysis,
    theme: Theme,
    quantity: Quantity,
    centre: tuple[float, ...],
    x_range: tuple[float, float],
) -> None:
    """Thin lines through the centre; results of one paper share a colour and a legend entry."""
    xs = np.array([x_range[0], centre[0], x_range[1]])
    for family in families(analysis, theme):
        results = [r for r in family.results if r.get(quantity.exponent) is not None]
        slopes = ", ".join(dict.fromkeys(two(r[quantity.exponent]) for r in results))
        for order, result in enumerate(results):
            slope = result[quantity.exponent]
            words = f"<b>{escape(str(result['name']))}</b><br>exponent {slope:g}<br>drawn through our centre"
            figure.add_scatter(
                x=xs.tolist(),
                y=(centre[1] * (xs / centre[0]) ** slope).tolist(),
                mode="lines",
                line={"color": family.colour, "width": 1.4, "dash": family.dash},
                name=f"{escape(family.name)} {slopes}",
                legendgroup=family.name,
                showlegend=order == 0,
                legendrank=4,
                customdata=[words] * 3,
                hovertemplate=themes.HOVER,
            )


def _draw_fit(figure: "go.Figure", analysis: Analysis, theme: Theme, quantity: Quantity) -> None:
    """Our fitted line with its band, as far as the analysis carried it."""
    approach = leading_approach(analysis)
    band = part(analysis, "bands", approach, quantity.name)
    compute, value = items(analysis, "bands", "compute"), band.get("value")
    if not compute or not value:
        return
    exponent = interval(part(analysis, "fits", approach).get(quantity.exponent))
    draw_band(figure, compute, band, theme.band, "fit")
    label = f"ours, {NUMBERS.get(approach, approach)}"
    if exponent.known:
        label += f": {two(exponent.value)}"
    if exponent.level:
        label += f", {percent(exponent.level)} band"
    figure.add_scatter(
        x=list(compute),
        y=list(value),
        mode="lines",
        line={"color": theme.optimal, "width": 2.5},
        name=label,
        legendgroup="fit",
        legendrank=1,
        customdata=[f"{power(c)} FLOPs<br>{quantity.name} {grouped(v)}" for c, v in zip(compute, value, strict=True)],
        hovertemplate=themes.HOVER,
    )


def draw_band(figure: "go.Figure", compute: Sequence[float], band: Mapping[str, Any], colour: str, group: str) -> None:
    """The interval of a fitted line, where both of its ends are finite; `group` hides with the line's legend."""
    ends = zip(compute, band.get("low") or (), band.get("high") or (), strict=False)
    known = [(c, low, high) for c, low, high in ends if low is not None and high is not None]
    if not known:
        return
    xs, lows, highs = (list(column) for column in zip(*known, strict=True))
    figure.add_scatter(
        x=[*xs, *reversed(xs)],
        y=[*highs, *reversed(lows)],
        fill="toself",
        fillcolor=colour,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=group,
    )


def _draw_minima(
    figure: "go.Figure",
    analysis: Analysis,
    theme: Theme,
    quantity: Quantity,
) -> None:
    """The minimum of each valley, in the colour that it has there."""
    colours = themes.budget_colours(budgets(analysis), theme)
    for order, (budget, optimum, profile) in enumerate(_minima(analysis, quantity)):
        words = (
            f"<b>minimum at {power(budget)} FLOPs</b><br>{quantity.name} {grouped(optimum.value)}"
            f"<br>{spread(optimum, count)} {level(optimum)}"
            f"<br>held-out loss {spread(interval(profile.get('loss_opt')))}"
        )
        figure.add_scatter(
            x=[budget],
            y=[optimum.value],
            mode="markers",
            error_y=_bars(optimum, colours[budget]),
            marker={
                "symbol": "diamond",
                "size": 11,
                "color": colours[budget],
                "line": {"color": theme.ink, "width": 1.5},
            },
            name="minima",
            legendgroup="minima",
            showlegend=order == 0,
            legendrank=2,
            customdata=[words],
            hovertemplate=themes.HOVER,
        )


def _bars(estimate: Interval, colour: str) -> dict[str, Any] | None:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return None
    return themes.error_bars([estimate.low], [estimate.value], [estimate.high], colour)


def _draw_heldout(figure: "go.Figure", analysis: Analysis, theme: Theme, quantity: Quantity) -> None:
    """The prediction at the held-out budget as a star, and the measured optimum where there is one."""
    extrapolation = part(analysis, "extrapolation")
    marks = (("measured", "circle-open", theme.ink, 22), ("predicted", "star", theme.optimal, 15))
    for kind, symbol, colour, size in marks:
        estimate = interval(extrapolation.get(f"{quantity.name}_{kind}"))
        if not estimate.known or not extrapolation.get("budget"):
            continue
        figure.add_scatter(
            x=[extrapolation["budget"]],
            y=[estimate.value],
            mode="markers",
            error_y=_bars(estimate, colour),
            marker={
                "symbol": symbol,
                "size": size,
                "color": colour,
                "line": {"color": colour, "width": 0 if kind == "predicted" else 2},
            },
            name=kind,
            legendrank=3,
            customdata=[
                f"<b>held-out budget, {kind}</b><br>{power(extrapolation['budget'])} FLOPs<br>"
                f"{quantity.name} {grouped(estimate.value)}<br>{spread(estimate, count)} {level(estimate)}"
            ],
            hovertemplate=themes.HOVER,
        )
