"""IsoFLOP profiles: loss against parameters, a parabola a budget, its minimum marked; refused budgets hollow."""

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from hutch.reports.formats import count, grouped, power, significant
from hutch.reports.reading import Missing, interval, items
from hutch.reports.scaling.approaches import Document, loss_unit, runs, short_why
from hutch.reports.scaling.isoflop_frame import ceiling, clear_names, side
from hutch.reports.themes import Theme
from hutch.reports.valleys import Words, draw_valleys, refused_profiles

if TYPE_CHECKING:
    import plotly.graph_objects as go


DRAWN = 3
"""Distinct sizes below which a budget is no profile to look at."""


def draw(document: Document, theme: Theme) -> "go.Figure":
    """The figure. Raises `Missing` where there is no profile."""
    profiles = _profiles(document)
    points = _points(document, profiles)
    if not points:
        raise Missing(short_why(document, "isoflop"))
    top = ceiling(points, profiles)
    seen = [{**point, "loss": min(point["loss"], top)} for point in points]
    words = Words("loss", escape(loss_unit(document)), _told, side(seen), top)
    shown = {budget: {**p, "parameters": _sizes_fitted(p)} for budget, p in profiles.items()}
    figure = draw_valleys(points, shown, sorted(shown), theme, words).update_layout(height=500)
    clear_names(figure, points, words.side, top)
    return figure


def _profiles(document: Document) -> dict[float, Mapping[str, Any]]:
    """The profiles by budget, less those of a size or two."""
    found = items(document, "fits", "isoflop", "profiles")
    return {float(p["budget"]): p for p in found if len(set(p.get("parameters") or ())) >= DRAWN}


def above(document: Document) -> str:
    """How many runs lie above the frame, empty where none does."""
    profiles = _profiles(document)
    points = _points(document, profiles)
    top = ceiling(points, profiles) if points else math.inf
    outside = sum(point["loss"] > top for point in points)
    return f"Triangles: {outside} runs above the frame (loss over {significant(top, 3)}). " if outside else ""


def _points(document: Document, profiles: Mapping[float, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The runs of all profiles, each with the line of the table that it stands on."""
    lines = {(run["parameters"], run["loss"]): run["line"] for run in runs(document)}
    names = ("parameters", "tokens", "loss", "fitted")
    return [
        {"budget": budget, "line": lines.get((row[0], row[2])), **dict(zip(names, row, strict=True))}
        for budget, profile in profiles.items()
        for row in zip(*(profile.get(name) or () for name in names[:3]), _fitted(profile), strict=True)
    ]


def _fitted(profile: Mapping[str, Any]) -> list[bool]:
    """Whether each run is near enough to the minimum to have been fitted."""
    return list(profile.get("fitted") or [True] * len(profile.get("parameters") or ()))


def _sizes_fitted(profile: Mapping[str, Any]) -> list[float]:
    """The sizes that the parabola was fitted to: it is drawn no farther."""
    return [n for n, near in zip(profile.get("parameters") or (), _fitted(profile), strict=True) if near]


def _told(run: Mapping[str, Any], profile: Mapping[str, Any] | None) -> str:
    """One run, exactly."""
    line = "a run" if run["line"] is None else f"line {run['line']:.0f}"
    words = (
        f"<b>{line}</b><br>budget {power(run['budget'])} FLOPs<br>parameters {grouped(run['parameters'])}"
        f"<br>tokens {grouped(run['tokens'])}<br>loss {significant(run['loss'], 5)}"
    )
    if profile and not profile.get("used"):
        words += f"<br><i>budget refused: {escape(str(profile.get('reason') or 'no reason given'))}</i>"
    elif not run["fitted"]:
        words += "<br><i>too far from the minimum to be fitted</i>"
    return words


def describe(document: Document) -> str:
    """The figure in words."""
    minima = [
        f"{count(interval(p.get('n_opt')).value)} parameters at {power(p['budget'])} FLOPs"
        for p in items(document, "fits", "isoflop", "profiles")
        if p.get("used")
    ]
    found = "; ".join(minima) if minima else "no minimum was fitted"
    return f"Loss against parameters, one curve for each training budget. Minima: {found}."


def interpolated(document: Document) -> str:
    """What a minimum without a parabola is, empty where all have one."""
    without = [p for p in _profiles(document).values() if p.get("used") and not p.get("coefficients_n")]
    return "Dotted, filled: the runs joined; the minimum is interpolated between them. " if without else ""


def drawable(document: Document) -> bool:
    """Some budget has enough sizes to be looked at."""
    return bool(_profiles(document))


def refusals(document: Document) -> list[str]:
    """Why budgets were refused: one line for each different reason."""
    return refused_profiles(items(document, "fits", "isoflop", "profiles"))
