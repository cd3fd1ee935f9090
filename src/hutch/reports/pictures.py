"""A figure on the page: drawn once for each theme, described in words, or replaced by why it is absent."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hutch.reports import growth, themes
from hutch.reports.markup import Html, element, json_script
from hutch.reports.reading import Analysis, Missing

if TYPE_CHECKING:
    import plotly.graph_objects as go

Draw = Callable[[Analysis, themes.Theme], "go.Figure"]


def picture(name: str, analysis: Analysis, draw: Draw, alt: str, caption: Any) -> Html:
    """A figure in both themes for the page's script to draw, or the reason why there is none."""
    try:
        drawn = [draw(analysis, theme) for theme in themes.THEMES]
    except Missing as missing:
        return element("div", element("p", str(missing), class_="why"), class_="figure absent", data_absent=name)
    # The engine that takes any string; orjson, where it is installed, refuses lone surrogates.
    both = ",".join(f'"{t.name}":{f.to_json(engine="json")}' for t, f in zip(themes.THEMES, drawn, strict=True))
    height = drawn[0].to_dict()["layout"]["height"]
    return element(
        "figure",
        element("div", class_="plot", id=f"plot-{name}", role="img", aria_label=alt, style=f"height:{height}px"),
        json_script("{" + both + "}", data_plot=f"plot-{name}"),
        element("figcaption", caption),
        class_="figure",
    )


def growing(name: str, analysis: Analysis, quantity: growth.Quantity, caption: Any) -> Html:
    """How `quantity` grows with compute, as a figure."""

    def draw(a: Analysis, theme: themes.Theme) -> "go.Figure":
        return growth.draw(a, theme, quantity)

    return picture(name, analysis, draw, growth.describe(analysis, quantity), caption)
