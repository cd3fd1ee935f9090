"""The page of a study: one HTML file that needs nothing but itself."""

import re
from importlib import import_module
from importlib.resources import files
from pathlib import Path

from hutch.reports.markup import Html, element, joined
from hutch.reports.reading import Analysis, read_analysis
from hutch.runs.atomic import write_bytes
from hutch.runs.errors import HutchError

REPORT_FILE = "report.html"

BODIES = {"compute-optimal": "hutch.reports.sections", "retrieval": "hutch.reports.retrieval.sections"}
"""Where the page of each study is laid out: a module with `body(analysis)`."""


def render_page(study_dir: Path) -> Path:
    """Write `report.html` from `analysis.json` in `study_dir`, and return its path.

    Raises `HutchError` where the analysis is missing or broken, or the page cannot be written.
    """
    target = Path(study_dir) / REPORT_FILE
    # A surrogate without its other half, such as a sample or a file name may hold, has no UTF-8.
    write_bytes(target, page(read_analysis(study_dir)).encode(errors="replace"))
    return target


def page(analysis: Analysis) -> str:
    """The page of a study as text. Raises `HutchError` for a study that has none."""
    study = str(analysis.get("study") or "compute-optimal")
    if study not in BODIES:
        raise HutchError(f"there is no page for the study {study!r}; there is one for {', '.join(BODIES)}")
    sections = import_module(BODIES[study])
    return whole_page(str(analysis.get("title") or study), sections.body(analysis))


def whole_page(title: str, content: Html) -> str:
    """Any page of ours: style, content, plotly.js once, and the script that draws its figures."""
    from plotly.offline import get_plotlyjs

    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} – Hutch"),
        element("style", _shipped("page.css")),
    )
    without_scripts = element("noscript", element("p", "The figures need JavaScript; the tables do not.", class_="why"))
    body = element(
        "body",
        element("main", without_scripts, content),
        element("script", _inline(get_plotlyjs())),
        element("script", _shipped("page.js")),
    )
    return "<!doctype html>\n" + element("html", joined([head, body]), lang="en") + "\n"


def _shipped(name: str) -> Html:
    """A file that lies beside this module."""
    return Html(files("hutch.reports").joinpath(name).read_text(encoding="utf-8"))


def _inline(script: str) -> Html:
    """A script that cannot end its own element, whatever its strings hold."""
    return Html(re.sub(r"</(script)", r"<\\/\1", script, flags=re.IGNORECASE))
