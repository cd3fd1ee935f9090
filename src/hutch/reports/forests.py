"""Forest plots: estimates with intervals, one row each, its name on the left and its figures on the right.

Names stand above the bars instead of beside the axis, so that the plot keeps its width on a telephone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from hutch.reports import themes
from hutch.reports.formats import count, decimal, fine, four, level, spread, two
from hutch.reports.published import families
from hutch.reports.reading import NUMBERS, Analysis, Interval, Missing, interval, items, part, reason
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

_READS = {"envelope": "training envelope", "profiles": "valley minima", "parametric": "parametric loss"}
APPROACHES = {name: f"ours, {number}: {_READS[name]}" for name, number in NUMBERS.items()}
ROW_HEIGHT = 44


@dataclass(frozen=True)
class Row:
    """One line of a forest: what was estimated, how surely, and how to draw it."""

    label: str
    estimate: Interval
    colour: str
    symbol: str
    figures: str
    hover: str


def forest(rows: list[Row], theme: Theme, *, title: str, reference: float | None = None) -> "go.Figure":
    """Rows from top to bottom; `reference` is a value that all rows are read against."""
    ends = [v for r in rows for v in (r.estimate.low, r.estimate.value, r.estimate.high, reference) if v is not None]
    room = 0.08 * (max(ends) - min(ends) or abs(max(ends)) or 1.0)
    figure = themes.new_figure(
        theme,
        height=70 + ROW_HEIGHT * len(rows),
        x=themes.axis(theme, title, range=[min(ends) - room, max(ends) + room], nticks=6),
        y=themes.axis(theme, "", range=[len(rows) - 0.6, -0.8], visible=False),
    )
    # Set at once: adding annotations one by one takes plotly quadratic time.
    words = [annotation for place, row in enumerate(rows) for annotation in _words(place, row, theme)]
    figure.update_layout(showlegend=False, annotations=words)
    if reference is not None:
        figure.add_vline(x=reference, line={"color": theme.muted, "width": 1, "dash": "dot"}, layer="below")
    for place, row in enumerate(rows):
        _draw_row(figure, place, row, theme)
    return figure


def _draw_row(figure: "go.Figure", place: int, row: Row, theme: Theme) -> None:
    estimate, bars = row.estimate, None
    if estimate.value is not None and estimate.low is not None and estimate.high is not None:
        bars = themes.error_bars([estimate.low], [estimate.value], [estimate.high], row.colour)
    figure.add_scatter(
        x=[estimate.value],
        y=[place],
        mode="markers",
        error_x=bars,
        marker={
            "symbol": row.symbol,
            "size": 11,
            "color": row.colour,
            "line": {"width": 2, "color": row.colour},
        },
        customdata=[row.hover],
        hovertemplate=themes.HOVER,
    )


def _words(place: int, row: Row, theme: Theme) -> list[dict[str, Any]]:
    """The name on the left and the figures on the right, above the bar of the row."""
    sides = ((escape(row.label), 0, "left", theme.ink), (row.figures, 1, "right", row.colour))
    return [
        {
            "text": text,
            "x": x,
            "xref": "paper",
            "xanchor": anchor,
            "y": place,
            "yshift": 17,
            "showarrow": False,
            # The reference line must not strike through the figures.
            "bgcolor": theme.paper,
            "borderpad": 1,
            "font": {"size": 12, "color": colour},
        }
        for text, x, anchor, colour in sides
    ]


def draw_exponents(analysis: Analysis, theme: Theme) -> "go.Figure":
    """The exponent of parameters, ours by approach beside the published ones."""
    rows = _our_exponents(analysis, theme)
    if not rows:
        raise Missing(reason(analysis, "fits", "profiles"))
    rows += _published_exponents(analysis, theme)
    return forest(rows, theme, title="exponent a of optimal parameters, N ∝ C<sup>a</sup>", reference=0.5)


def _our_exponents(analysis: Analysis, theme: Theme) -> list[Row]:
    rows = []
    for approach, label in APPROACHES.items():
        fit = part(analysis, "fits", approach)
        a, b = interval(fit.get("a")), interval(fit.get("b"))
        if a.known:
            hover = f"<b>{label}</b><br>a {spread(a)}<br>b {spread(b)}<br>{level(a)}"
            rows.append(Row(label, a, theme.optimal, "circle", f"<b>{spread(a, two)}</b>", hover))
    return rows


def _published_exponents(analysis: Analysis, theme: Theme) -> list[Row]:
    return [
        published_row(result, family.colour)
        for family in families(analysis, theme)
        for result in family.results
        if result.get("a") is not None
    ]


def published_row(result: Mapping[str, Any], colour: str, exponent: str = "a") -> Row:
    """An exponent of a published result, open where ours is filled."""
    name = str(result["name"])
    shown = Interval(result[exponent], result.get(f"{exponent}_low"), result.get(f"{exponent}_high"))
    a, b = (shown if exponent == e else Interval(result.get(e)) for e in ("a", "b"))
    hover = f"<b>{escape(name)}</b><br>a {spread(a)}<br>b {spread(b)}<br>{escape(str(result.get('source') or ''))}"
    # The estimate has the two digits that were printed, its interval the three.
    ends = f" [{decimal(shown.low)}, {decimal(shown.high)}]" if shown.bounded else ""
    return Row(name, shown, colour, "square-open", f"{two(shown.value)}{ends}", hover)


def describe_exponents(analysis: Analysis) -> str:
    """The exponents in words."""
    ours = [
        f"{label} {spread(interval(part(analysis, 'fits', approach).get('a')))}"
        for approach, label in APPROACHES.items()
    ]
    theirs = [f"{p['name']} {decimal(p.get('a'), 2)}" for p in items(analysis, "published")]
    return "Exponents of optimal parameters. " + "; ".join(ours + theirs) + "."


def draw_test(analysis: Analysis, theme: Theme) -> "go.Figure":
    """The Chinchilla test: bits per byte, optimal minus Gopher-like, on each held-out subset."""
    test = part(analysis, "chinchilla_test")
    overall = test.get("overall")
    outcomes = ([overall] if overall else []) + list(test.get("subsets") or ())
    rows = []
    for outcome in outcomes:
        difference = interval(outcome.get("difference"))
        if not difference.known:
            continue
        whole = outcome is overall
        hover = (
            f"<b>{escape(str(outcome.get('name')))}</b><br>{count(outcome.get('documents'))} documents, "
            f"{count(outcome.get('bytes'))} bytes<br>optimal {four(outcome.get('optimal_bpb'))}"
            f"<br>Gopher-like {four(outcome.get('gopher_like_bpb'))}"
            f"<br>difference {spread(difference, four)}<br>{level(difference)}"
        )
        name = "all subsets" if whole else str(outcome.get("name"))
        figures = spread(difference, fine(difference))
        figures = f"<b>{figures}</b>" if whole else figures
        symbol = "diamond" if whole else "circle"
        rows.append(Row(name, difference, _winner(difference, theme), symbol, figures, hover))
    if not rows:
        raise Missing(reason(analysis, "chinchilla_test"))
    return forest(rows, theme, title="bits per byte, optimal − Gopher-like", reference=0.0)


def _winner(difference: Interval, theme: Theme) -> str:
    """The colour of the model that is better beyond the interval, muted where neither is."""
    if difference.high is not None and difference.high < 0:
        return theme.optimal
    return theme.other if difference.low is not None and difference.low > 0 else theme.muted


def describe_test(analysis: Analysis) -> str:
    """The test in words."""
    test = part(analysis, "chinchilla_test")
    overall = interval(part(test, "overall").get("difference"))
    return (
        "Difference in bits per byte between the compute-optimal and the Gopher-like model on each held-out "
        f"subset; negative means that the optimum is better. Overall {spread(overall, fine(overall))}. "
        f"{test.get('verdict') or ''}"
    ).strip()
