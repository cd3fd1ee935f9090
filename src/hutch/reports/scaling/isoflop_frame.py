"""The frame of the isoFLOP profiles: where the names of the budgets find room, and which runs lie above it."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hutch.reports.reading import interval

if TYPE_CHECKING:
    import plotly.graph_objects as go

LABEL = (0.075, 0.035)
"""Half a budget's name beside its curve takes this share of the frame, across and up."""
FEW = 5
"""Runs that may lie above the frame."""


def side(points: list[dict[str, Any]]) -> str:
    """The end of the curves where fewer runs stand in the way of the names of the budgets."""
    return min(("right", "left"), key=lambda end: _in_the_way(points, end))


def _in_the_way(points: list[dict[str, Any]], end: str) -> int:
    """Runs, and ends of other curves, where a name would stand."""
    spots = [(math.log(p["parameters"]), p["loss"], p["budget"]) for p in points]
    wide = (max(x for x, _, _ in spots) - min(x for x, _, _ in spots)) or 1.0
    high = (max(y for _, y, _ in spots) - min(y for _, y, _ in spots)) or 1.0
    sign = 1 if end == "right" else -1
    hits = 0
    for budget in {b for _, _, b in spots}:
        x, y, _ = max((s for s in spots if s[2] == budget), key=lambda s: sign * s[0])
        hits += sum(0 < sign * (sx - x) / wide < LABEL[0] and abs(sy - y) / high < LABEL[1] for sx, sy, _ in spots)
        hits += sum(abs(sx - x) / wide < LABEL[0] and abs(sy - y) / high < LABEL[1] for sx, sy in _ends(spots, sign))
    return hits


def _ends(spots: list[tuple[float, float, float]], sign: int) -> list[tuple[float, float]]:
    """The last run of each budget on one side."""
    ends = {}
    for x, y, budget in sorted(spots, key=lambda s: sign * s[0]):
        ends[budget] = (x, y)
    return list(ends.values())


def clear_names(figure: "go.Figure", points: list[dict[str, Any]], end: str, top: float) -> None:
    """Move down the names of budgets that stand on a triangle, a run above the frame, to where no run stands."""
    spots = [(math.log(p["parameters"]), min(p["loss"], top)) for p in points]
    wide, high = (max(column) - min(column) or 1.0 for column in zip(*spots, strict=True))
    triangles = [(x, top) for (x, _), p in zip(spots, points, strict=True) if p["loss"] > top]
    sign, step = 1 if end == "right" else -1, 2 * LABEL[1] * high

    def taken(x: float, y: float, by: list[tuple[float, float]]) -> bool:
        beside = (sy for sx, sy in by if -LABEL[0] / 3 < sign * (sx - x) / wide < 2 * LABEL[0])
        return any(abs(sy - y) < 0.99 * step for sy in beside)

    for name in figure.select_traces({"mode": "text"}):
        x, y = math.log(name.x[0]), name.y[0]
        if taken(x, y, triangles):
            below = [top - step * lower for lower in range(1, 5)]
            name.y = [next((one for one in below if not taken(x, one, spots)), below[0])]


def ceiling(points: list[dict[str, Any]], profiles: Mapping[float, Mapping[str, Any]]) -> float:
    """The loss above which a few outlying runs become triangles at the edge, so that the valleys keep their depth."""
    minima = [v for p in profiles.values() if p.get("used") and (v := interval(p.get("loss_opt")).value)]
    losses = [point["loss"] for point in points]
    if len(minima) < 2:
        return math.inf
    top = max(minima) + (max(minima) - min(minima))
    above = sum(loss > top for loss in losses)
    flattened = max(losses) - min(losses) > 1.3 * (top - min(losses))
    return top if flattened and above <= FEW else math.inf
