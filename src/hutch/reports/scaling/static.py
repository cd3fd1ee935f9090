"""Figures as PNG, SVG or PDF files, drawn by Kaleido in a browser without a window; nothing is fetched."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hutch.reports.reading import Missing
from hutch.reports.scaling import fit_words
from hutch.reports.scaling.approaches import Document
from hutch.reports.scaling.fit_figures import FIGURES
from hutch.reports.themes import LIGHT
from hutch.runs.atomic import write_bytes
from hutch.runs.errors import BadInput, HutchError

if TYPE_CHECKING:
    import plotly.graph_objects as go

FORMATS = ("png", "svg", "pdf")
WIDTH = 900
"""Pixels across; a PNG has twice as many."""
TITLE_HEIGHT = 64
NEEDED = (
    "pictures as files need Kaleido and Chrome or Chromium: pip install 'hutch-lab[pictures]'; without them, the "
    "page's own buttons save each figure as PNG or SVG"
)


def save_pictures(document: Document, folder: Path, formats: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Every figure of a fit for which the document has numbers, a file a figure and format; returns the files.

    `BadInput` for a format that is none of `FORMATS`, or without Kaleido or a browser; `HutchError` where the browser
    or the disk fails.
    """
    drawn = {}
    for figure in FIGURES.values():
        try:
            drawn[figure.name] = titled(figure.draw(document, LIGHT), figure.title, fit_words.title(document))
        except Missing:
            continue
    return save_figures(drawn, folder, formats)


def titled(figure: "go.Figure", title: str, subject: str) -> "go.Figure":
    """A figure that leaves its page: it takes its title, its subject and its ground along."""
    words = f"<b>{escape(title)}</b><br><span style='font-size:12px;color:{LIGHT.muted}'>{escape(subject)}</span>"
    height = figure.to_dict()["layout"]["height"] + TITLE_HEIGHT
    across = {"x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 14}}
    up = {"y": 1 - 14 / height, "yref": "container", "yanchor": "top"}
    return figure.update_layout(
        title={"text": words, "font": {"size": 16}} | across | up,
        margin_t=TITLE_HEIGHT,
        height=height,
        width=WIDTH,
        paper_bgcolor=LIGHT.paper,
    )


def save_figures(figures: Mapping[str, "go.Figure"], folder: Path, formats: Sequence[str]) -> list[Path]:
    """Figures by name as files in `folder`; errors as of `save_pictures`."""
    unknown = [form for form in formats if form not in FORMATS]
    if unknown:
        raise BadInput(f"format {unknown[0]!r} is not known; one of {', '.join(FORMATS)} is needed")
    wanted = [(name, form) for name in figures for form in formats]
    drawn = {name: figure.to_dict() for name, figure in figures.items()}
    # A thread of its own, because a notebook already runs a loop in this one.
    with ThreadPoolExecutor(1) as thread:
        images = thread.submit(asyncio.run, _render([(drawn[name], form) for name, form in wanted])).result()
    paths = [Path(folder) / f"{name}.{form}" for name, form in wanted]
    for path, image in zip(paths, images, strict=True):
        write_bytes(path, image)
    return paths


async def _render(figures: Iterable[tuple[dict[str, Any], str]]) -> list[bytes]:
    """Each figure in its format, all in one browser."""
    try:
        from kaleido import Kaleido
        from kaleido.errors import ChromeNotFoundError
    except ImportError as error:
        raise BadInput(NEEDED) from error
    try:
        # MathJax would be fetched from the network, and no figure of ours has a formula in TeX.
        async with Kaleido(mathjax=False) as browser:
            return [await browser.calc_fig(drawn, opts=_size(drawn, form)) for drawn, form in figures]
    except ChromeNotFoundError as error:
        raise BadInput(NEEDED) from error
    except Exception as error:
        # Kaleido, its browser and the pipe between them fail in many ways; the reader needs the way out.
        line = " ".join(str(error).split()) or type(error).__name__
        raise HutchError(f"the browser drew no picture ({line}); the page's own buttons save PNG and SVG") from error


def _size(drawn: dict[str, Any], form: str) -> Any:
    size = {side: drawn["layout"][side] for side in ("width", "height")}
    return {"format": form, "scale": 2 if form == "png" else 1, **size}
