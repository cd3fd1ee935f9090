"""The valleys: held-out loss against parameters, one profile a budget, each with its fitted minimum.

Hoffmann et al. 2022 (arXiv:2203.15556), figure 3: at a fixed budget the loss has a minimum in the number of
parameters, and where the minimum moves as the budget grows is the whole question.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from hutch.reports import themes
from hutch.reports.formats import count, decimal, four, grouped, percent, power, spread
from hutch.reports.reading import Analysis, Missing, budgets, interval, items, part, reason
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

NAME_WIDTH = 76
POINT_ROLES = ("profile", "holdout", "optimal", "gopher-like")


@dataclass(frozen=True)
class Words:
    """How valleys are told: what the loss is called, its unit, what is told of a run (and its profile) under the
    pointer, at which end of its curve a budget is named, and above which loss nothing is shown as it is."""

    loss: str
    unit: str
    hover: Callable[[Mapping[str, Any], Mapping[str, Any] | None], str]
    side: str = "right"
    ceiling: float = math.inf


def draw(analysis: Analysis, theme: Theme) -> "go.Figure":
    """The figure. Raises `Missing` where no run of a profile has ended with a loss."""
    points = _points(analysis)
    if not points:
        raise Missing("No run of a profile ended with a loss, so there is no valley to draw.")
    profiles = {float(p["budget"]): p for p in items(analysis, "fits", "profiles", "profiles")}
    return draw_valleys(points, profiles, budgets(analysis), theme, Words("held-out loss", "nats per token", _hover))


def draw_valleys(
    points: Sequence[Mapping[str, Any]],
    profiles: Mapping[float, Mapping[str, Any]],
    budgets: Sequence[float],
    theme: Theme,
    words: Words,
) -> "go.Figure":
    """Runs (parameters, loss, budget) as one valley a budget, each with its profile where it has one."""
    x_low, x_high = _x_range(points)
    losses = [min(run["loss"], words.ceiling) for run in points]
    room = 0.06 * (max(losses) - min(losses) or 1.0)
    figure = themes.new_figure(
        theme,
        height=430,
        x=themes.log_axis(theme, "parameters", x_low, x_high, count),
        y=themes.axis(theme, f"{words.loss} ({words.unit})", range=[min(losses) - room, max(losses) + room]),
    )
    # The names of budgets stand in the right margin: their width is in pixels, not in parameters.
    figure.update_layout(showlegend=False, margin={words.side[0]: NAME_WIDTH})
    # The unit stands once, on the first and highest curve, where the others are still below.
    unit = "FLOPs"
    for budget, colour in themes.budget_colours(list(budgets), theme).items():
        mine = [run for run in points if float(run["budget"]) == budget]
        if mine:
            _draw_profile(figure, mine, profiles.get(budget), colour, theme, unit, words)
            unit = ""
    return figure


def describe(analysis: Analysis) -> str:
    """The figure in words, for readers who do not see it."""
    profiles = items(analysis, "fits", "profiles", "profiles")
    minima = [
        f"{count(interval(p.get('n_opt')).value)} parameters at {power(p['budget'])} FLOPs"
        for p in profiles
        if p.get("used") and interval(p.get("n_opt")).known
    ]
    found = "; ".join(minima) if minima else "no minimum was fitted"
    return f"Held-out loss against parameters, one curve for each training budget. Minima: {found}."


def _points(analysis: Analysis) -> list[Mapping[str, Any]]:
    """Runs that belong to a valley and ended with a loss."""
    runs = items(analysis, "runs")
    return [r for r in runs if r.get("role") in POINT_ROLES and r.get("loss") and r.get("status") == "done"]


def _x_range(points: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """The span of parameters, with a little room at both ends."""
    sizes = [run["parameters"] for run in points]
    low, high = min(sizes), max(sizes)
    span = max(high / low, 1.5)
    return low / span**0.05, high * span**0.05


def _draw_profile(
    figure: "go.Figure",
    runs: list[Mapping[str, Any]],
    profile: Mapping[str, Any] | None,
    colour: str,
    theme: Theme,
    unit: str,
    words: Words,
) -> None:
    """One budget: its curve, its points, its minimum, its name at the right end."""
    runs = sorted(runs, key=lambda run: run["parameters"])
    sizes, losses = [run["parameters"] for run in runs], [run["loss"] for run in runs]
    fitted = _curve(profile)
    xs, ys = _below(words.ceiling, *(fitted or (sizes, losses)))
    line = {"color": colour, "width": 2} if fitted else {"color": colour, "width": 1, "dash": "dot"}
    figure.add_scatter(x=xs, y=ys, mode="lines", line=line, hoverinfo="skip")
    filled = profile is None or bool(profile.get("used"))
    edge = {"width": 1, "color": theme.paper} if filled else {"width": 2, "color": colour}
    figure.add_scatter(
        x=sizes,
        y=[min(loss, words.ceiling) for loss in losses],
        mode="markers",
        marker={"color": colour, "size": 8, "symbol": _symbols(runs, profile, words.ceiling), "line": edge},
        customdata=[words.hover(run, profile) for run in runs],
        hovertemplate=themes.HOVER,
    )
    if profile is not None and profile.get("used"):
        _draw_minimum(figure, profile, colour, theme, words)
    lines = [power(runs[0]["budget"]), unit, "held out" if profile is None else ""]
    gap, end = ("\u00a0\u00a0", ""), -1
    if words.side == "left":
        gap, end = ("", "\u00a0\u00a0"), 0
    name = "<br>".join(f"{gap[0]}{line}{gap[1]}" for line in lines if line)
    _draw_name(figure, name, xs[end], ys[end], colour, f"middle {words.side}")


def _below(ceiling: float, xs: list[float], ys: list[float]) -> tuple[list[float], list[float]]:
    """The part of a curve under `ceiling`."""
    kept = [(x, y) for x, y in zip(xs, ys, strict=True) if y <= ceiling] or list(zip(xs, ys, strict=True))
    return [x for x, _ in kept], [y for _, y in kept]


def _draw_name(figure: "go.Figure", name: str, x: float, y: float, colour: str, place: str) -> None:
    """The budget beside an end of its curve."""
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="text",
        text=[name],
        textposition=place,
        textfont={"color": colour, "size": 13},
        hoverinfo="skip",
        cliponaxis=False,
    )


def _symbols(runs: Sequence[Mapping[str, Any]], profile: Mapping[str, Any] | None, ceiling: float) -> str | list[str]:
    """The symbol of the profile, or one a run: hollow where left out of the parabola, a triangle above the frame."""
    every = [
        "triangle-up" if run["loss"] > ceiling else _symbol({"used": False} if run.get("fitted") is False else profile)
        for run in runs
    ]
    return every if len(set(every)) > 1 else every[0]


def _symbol(profile: Mapping[str, Any] | None) -> str:
    """Filled where the profile counts, hollow where it was refused, square where no profile was asked for."""
    if profile is None:
        return "square"
    return "circle" if profile.get("used") else "circle-open"


def _curve(profile: Mapping[str, Any] | None) -> tuple[list[float], list[float]] | None:
    """The fitted parabola over its sizes: coefficients of 1, ln N, (ln N)²."""
    if not profile or not profile.get("used"):
        return None
    coefficients, sizes = profile.get("coefficients_n"), profile.get("parameters")
    if not coefficients or not sizes:
        return None
    log_n = np.linspace(np.log(min(sizes)), np.log(max(sizes)), num=60)
    return np.exp(log_n).tolist(), np.polynomial.polynomial.polyval(log_n, coefficients).tolist()


def _draw_minimum(figure: "go.Figure", profile: Mapping[str, Any], colour: str, theme: Theme, words: Words) -> None:
    """The minimum, its interval as a horizontal bar."""
    n_opt, loss = interval(profile.get("n_opt")), interval(profile.get("loss_opt"))
    if n_opt.value is None or loss.value is None:
        return
    told = (
        f"<b>minimum at {power(profile['budget'])} FLOPs</b><br>parameters {spread(n_opt, count)}<br>"
        f"tokens {spread(interval(profile.get('d_opt')), count)}<br>{words.loss} {spread(loss, decimal)}"
        + (f"<br>{percent(n_opt.level)} intervals" if n_opt.level else "")
    )
    bars = None
    if n_opt.low is not None and n_opt.high is not None:
        bars = themes.error_bars([n_opt.low], [n_opt.value], [n_opt.high], theme.ink)
    figure.add_scatter(
        x=[n_opt.value],
        y=[loss.value],
        mode="markers",
        error_x=bars,
        marker={
            "symbol": "diamond",
            "size": 11,
            "color": colour,
            "line": {"color": theme.ink, "width": 1.5},
        },
        customdata=[told],
        hovertemplate=themes.HOVER,
    )


def _hover(run: Mapping[str, Any], profile: Mapping[str, Any] | None) -> str:
    """One run, exactly."""
    words = (
        f"<b>{escape(str(run['id']))}</b> ({escape(str(run['role']))})<br>budget {power(run['budget'])} FLOPs<br>"
        f"parameters {grouped(run['parameters'])}<br>tokens {grouped(run.get('tokens'))}<br>"
        f"held-out loss {four(run['loss'])} nats per token"
    )
    if profile and not profile.get("used"):
        words += f"<br><i>profile refused: {escape(str(profile.get('reason') or 'no reason given'))}</i>"
    return words


def refusals(analysis: Analysis) -> list[str]:
    """Why the fit, or any single profile, was refused: one line for each different reason."""
    words = []
    if not interval(part(analysis, "fits", "profiles").get("a")).known:
        words.append(reason(analysis, "fits", "profiles"))
    return words + refused_profiles(items(analysis, "fits", "profiles", "profiles"))


def refused_profiles(profiles: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why profiles were refused: one line for each different reason."""
    same: dict[str, list[str]] = {}
    for profile in profiles:
        if not profile.get("used"):
            same.setdefault(str(profile.get("reason") or "no reason given"), []).append(power(profile["budget"]))
    return [f"{', '.join(refused)} FLOPs: {why}" for why, refused in same.items()]
