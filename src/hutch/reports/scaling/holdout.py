"""The holdout: laws fitted below a compute, asked for the runs above it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from itertools import chain
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.formats import count, level, percent, power, signed_percent, significant, spread
from hutch.reports.reading import Interval, Missing, interval, part
from hutch.reports.scaling import approaches
from hutch.reports.scaling.approaches import Document
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

SYMBOLS = {"envelope": "square", "isoflop": "diamond", "parametric": "circle"}
MOST = 120
"""Tests of one approach that are drawn, but for a remainder."""


@dataclass(frozen=True)
class Outcome:
    """One held-out run (or budget): what was measured there, and what the law gave."""

    flops: float
    measured: float
    predicted: Interval

    @property
    def error(self) -> Interval:
        """Predicted over measured, less one."""
        return _each(self.predicted, lambda end: end / self.measured - 1)


def tests(document: Document) -> list[tuple[str, Mapping[str, Any]]]:
    """(approach, test) of every test; an approach may have two, such as "isoflop" and "isoflop_loss"."""
    every = part(document, "holdout", "fits")
    return [(a, every[key]) for a in approaches.NAMES for key in every if key.split("_")[0] == a and every[key]]


def outcomes(document: Document, quantity: str) -> dict[str, list[Outcome]]:
    """By approach, for those that were asked for `quantity`: "loss" or "parameters"."""
    found = {}
    for approach, test in tests(document):
        rows = [
            Outcome(float(row["flops"]), float(row["measured"]), interval(row.get("predicted")))
            for row in test.get("rows") or ()
            if row.get("measured") and interval(row.get("predicted")).known
        ]
        if rows and test.get("quantity") == quantity:
            # An envelope is tested at many points that lie close together.
            found[approach] = rows[:: max(1, len(rows) // MOST)]
    return found


def _needed(document: Document, quantity: str) -> dict[str, list[Outcome]]:
    found = outcomes(document, quantity)
    if not found:
        raise Missing(f"No approach predicted the {quantity} of held-out runs.")
    return found


def draw_values(document: Document, theme: Theme, quantity: str) -> "go.Figure":
    """Predicted against measured; on the diagonal they agree. Raises `Missing` where nothing was predicted."""
    found = _needed(document, quantity)
    every = [outcome for rows in found.values() for outcome in rows]
    values = [v for o in every for v in (o.measured, o.predicted.low, o.predicted.value, o.predicted.high) if v]
    room = (max(values) / min(values)) ** 0.06 * 1.01
    low, high = min(values) / room, max(values) * room
    unit = escape(approaches.loss_unit(document)) if quantity == "loss" else "parameters"
    name = "loss" if quantity == "loss" else "optimal N"
    form = count if quantity == "parameters" else "{:g}".format
    axis = partial(themes.log_axis, theme, low=low, high=high, form=form)
    figure = themes.new_figure(
        theme,
        height=400,
        x=axis(title=f"measured {name} ({unit})"),
        y=axis(title=f"predicted {name} ({unit})"),
    )
    figure.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        line={"color": theme.muted, "width": 1, "dash": "dot"},
        name="predicted = measured",
        hoverinfo="skip",
    )
    for approach, rows in found.items():
        figure.add_scatter(
            x=[o.measured for o in rows],
            y=[o.predicted.value for o in rows],
            error_y=themes.interval_bars([o.predicted for o in rows], approaches.colour(approach, theme)),
            **_look(approach, rows, theme, form),
        )
    return figure


def draw_errors(document: Document, theme: Theme, quantity: str) -> "go.Figure":
    """The relative error against compute. Raises `Missing` where nothing was predicted."""
    found = _needed(document, quantity)
    off = {approach: [_each(o.error, lambda end: 100 * end) for o in rows] for approach, rows in found.items()}
    spent = [o.flops for rows in found.values() for o in rows]
    form = count if quantity == "parameters" else significant
    figure = themes.new_figure(
        theme,
        height=400,
        x=themes.log_axis(theme, "training compute C (FLOPs)", min(spent) / 1.3, max(spent) * 1.3, power),
        y=themes.axis(theme, "predicted / measured − 1 (%)", range=_span(list(chain(*off.values())))),
    )
    figure.add_hline(y=0, line={"color": theme.muted, "width": 1, "dash": "dot"}, layer="below")
    for approach, rows in found.items():
        errors = off[approach]
        figure.add_scatter(
            x=[o.flops for o in rows],
            y=[error.value for error in errors],
            error_y=themes.interval_bars(errors, approaches.colour(approach, theme)),
            **_look(approach, rows, theme, form),
        )
    return figure


def _span(errors: list[Interval]) -> list[float]:
    """From the lowest to the highest end, zero always among them, with a little room."""
    ends = [end for e in errors for end in (e.low, e.value, e.high, 0.0) if end is not None]
    room = 0.06 * (max(ends) - min(ends) or 1.0)
    return [min(ends) - room, max(ends) + room]


def _each(estimate: Interval, change: Callable[[float], float]) -> Interval:
    """An estimate with `change` made to its value and to both ends."""
    value, low, high = (None if end is None else change(end) for end in (estimate.value, estimate.low, estimate.high))
    return Interval(value, low, high, estimate.level)


def _look(approach: str, rows: list[Outcome], theme: Theme, form: Any) -> Mapping[str, Any]:
    colour = approaches.colour(approach, theme)
    return {
        "mode": "markers",
        "marker": {
            "symbol": SYMBOLS[approach],
            "size": 9,
            "color": colour,
            "line": {"color": theme.paper, "width": 1},
        },
        "name": approaches.NAMES[approach],
        "customdata": [
            f"<b>{escape(approaches.label(approach))}</b><br>{power(o.flops)} FLOPs<br>measured {form(o.measured)}"
            f"<br>predicted {spread(o.predicted, form)}<br>{level(o.predicted)}"
            f"<br>error {signed_percent(o.error.value)}"
            for o in rows
        ],
        "hovertemplate": themes.HOVER,
    }


def describe(document: Document, quantity: str) -> str:
    """The figures in words."""
    told = [
        f"{approaches.label(approach)}: mean absolute error "
        f"{percent(interval(test.get('mean_absolute_error')).value, 2)} over {test.get('tested')}"
        for approach, test in tests(document)
        if test.get("quantity") == quantity
    ]
    above = power(part(document, "holdout").get("above"))
    return f"Predicted against measured {quantity} above {above} FLOPs, which no fit has seen. {'; '.join(told)}."
