"""The gain of retrieval on each subset, over the same model on the same tokens and at equal FLOPs."""

from html import escape
from typing import TYPE_CHECKING

from hutch.reports.forests import Row, forest
from hutch.reports.formats import count, fine, level, spread
from hutch.reports.reading import Analysis, Missing, interval, items, part
from hutch.reports.retrieval.looks import NAMES
from hutch.reports.themes import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

BASELINES = {"same_tokens": "same", "equal_flops": "plain"}


def draw(analysis: Analysis, theme: Theme, against: str) -> "go.Figure":
    """A row for all text and one a subset. Raises `Missing`."""
    outcomes = [("all subsets", part(analysis, "reference"))]
    outcomes += [(str(subset["name"]), subset) for subset in items(analysis, "subsets")]
    rows = []
    for name, outcome in outcomes:
        gain = interval(part(outcome, "gains").get(against))
        if not gain.known:
            continue
        whole = name == "all subsets"
        colour = theme.muted
        if gain.low is not None and gain.low > 0:
            colour = theme.optimal
        elif gain.high is not None and gain.high < 0:
            colour = theme.other
        figures = spread(gain, fine(gain))
        documents = f"<br>{count(outcome.get('documents'))} documents" if outcome.get("documents") else ""
        hover = f"<b>{escape(name)}</b>{documents}<br>gain {figures}<br>{level(gain)}"
        rows.append(
            Row(name, gain, colour, "diamond" if whole else "circle", f"<b>{figures}</b>" if whole else figures, hover)
        )
    if not rows:
        raise Missing(f"There is no model {NAMES[BASELINES[against]]} to compare with.")
    return forest(rows, theme, title=f"gain over: {NAMES[BASELINES[against]]} (bits per byte)", reference=0.0)


def describe(analysis: Analysis, against: str) -> str:
    """The figure in words."""
    told = [
        f"{subset['name']} {spread(interval(part(subset, 'gains').get(against)))}"
        for subset in items(analysis, "subsets")
    ]
    return f"Gain of retrieval over the model {NAMES[BASELINES[against]]}, by subset: {'; '.join(told)}."
