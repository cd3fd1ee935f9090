"""Training curves: loss against the FLOPs spent so far, and the envelope under all of them.

Hoffmann et al. 2022, figure 2: the lowest loss that any run reached for each amount of compute.
"""

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.formats import count, decimal, grouped, log_ticks, percent, power
from hutch.reports.reading import Analysis, Missing, budgets, items, part
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go


def draw(analysis: Analysis, theme: Theme) -> "go.Figure":
    """The figure. Raises `Missing` where no run kept its curve."""
    runs = [run for run in items(analysis, "runs") if _has_curve(run)]
    if not runs:
        raise Missing("No run kept its training curve.")
    finals = [r["loss"] for r in runs if r.get("loss") and r.get("status") == "done"]
    lows = [min(y for y in r["curve"]["loss"] if y is not None) for r in runs]
    # The first steps fall from ln(vocabulary); with them the curves of interest would be one flat line.
    top = max(finals) * 1.3 if finals else max(lows) * 1.5
    low, high = _compute_range(runs, top)
    figure = themes.new_figure(
        theme,
        height=460,
        x=themes.axis(
            theme,
            "training compute spent (FLOPs)",
            type="log",
            range=[math.log10(low), math.log10(high)],
            **log_ticks(low, high, power),
        ),
        y=themes.axis(theme, "training loss (nats per token)", range=[min(lows) * 0.97, top]),
    )
    figure.update_layout(legend_title={"text": "budget (FLOPs)  ", "font": {"size": 12, "color": theme.muted}})
    _draw_curves(figure, runs, analysis, theme)
    draw_envelope(figure, analysis, theme)
    return figure


def _has_curve(run: Mapping[str, Any]) -> bool:
    """At least one point is finite; a diverged run may have kept none."""
    curve = part(run, "curve")
    return bool(curve.get("flops")) and any(loss is not None for loss in curve.get("loss") or ())


def _compute_range(runs: list[Mapping[str, Any]], top: float) -> tuple[float, float]:
    """The compute at which any curve is low enough to be seen; all of it where none is."""
    points = [
        (flops, loss)
        for run in runs
        for flops, loss in zip(run["curve"]["flops"], run["curve"]["loss"], strict=False)
        if flops > 0 and loss is not None
    ]
    seen = [flops for flops, loss in points if loss <= top] or [flops for flops, _ in points] or [1.0]
    return min(seen) / 1.2, max(seen) * 1.2


def _draw_curves(figure: "go.Figure", runs: list[Mapping[str, Any]], analysis: Analysis, theme: Theme) -> None:
    """One thin line a run in the colour of its budget, small budgets on top of large ones."""
    colours = themes.budget_colours(budgets(analysis), theme)
    named: set[float] = set()
    for run in sorted(runs, key=lambda r: r.get("budget") or 0):
        budget = float(run.get("budget") or 0)
        done = run.get("status") == "done"
        curve = run["curve"]
        head = (
            f"<b>{escape(str(run['id']))}</b> ({escape(str(run.get('status')))})"
            f"<br>{count(run.get('parameters'))} parameters"
        )
        figure.add_scatter(
            x=curve["flops"],
            y=curve["loss"],
            mode="lines",
            line={
                "color": colours.get(budget, theme.muted),
                "width": 1,
                "dash": "solid" if done else "dot",
            },
            opacity=0.6,
            name=power(budget),
            legendgroup=str(budget),
            showlegend=budget not in named,
            customdata=[
                f"{head}<br>{power(f, 3)} FLOPs<br>training loss {decimal(y)}"
                for f, y in zip(curve["flops"], curve["loss"], strict=False)
            ],
            hovertemplate=themes.HOVER,
        )
        named.add(budget)


def draw_envelope(figure: "go.Figure", analysis: Analysis, theme: Theme) -> None:
    """The lowest loss for each amount of compute; pale where it is kept out of the law."""
    points = part(analysis, "fits", "envelope", "points")
    flops, loss = points.get("flops"), points.get("loss")
    if not flops or not loss:
        return
    used = points.get("used") or [True] * len(flops)
    words = _envelope_words(points, used)
    looks = (("envelope, not in the law", False, "lines", 1.5, 0.4), ("envelope", True, "lines+markers", 2.5, 1.0))
    for name, wanted, mode, width, opacity in looks:
        if wanted not in used:
            continue
        figure.add_scatter(
            x=flops,
            # The pale line is whole, and the part in the law lies upon it.
            y=[y if u or not wanted else None for y, u in zip(loss, used, strict=False)],
            mode=mode,
            line={"color": theme.ink, "width": width},
            marker={"size": 5, "color": theme.ink},
            opacity=opacity,
            name=name,
            customdata=words,
            hovertemplate=themes.HOVER,
        )


def _envelope_words(points: Mapping[str, Any], used: list[bool]) -> list[str]:
    """Each point of the envelope, exactly."""
    unknown = [None] * len(used)
    names = ("flops", "loss", "parameters", "tokens", "fraction")
    rows = zip(*(points.get(name) or unknown for name in names), used, strict=False)
    return [
        f"<b>envelope{'' if u else ', not in the law'}</b><br>{power(f, 3)} FLOPs<br>training loss {decimal(y)}"
        f"<br>parameters {grouped(n)}<br>tokens {grouped(d)}<br>at {percent(share)} of its run"
        for f, y, n, d, share, u in rows
    ]


def describe(analysis: Analysis) -> str:
    """The figure in words."""
    kept = [run for run in items(analysis, "runs") if _has_curve(run)]
    words = f"Training loss against compute spent for {len(kept)} runs"
    return f"{words}, with the lowest loss for each amount of compute."
