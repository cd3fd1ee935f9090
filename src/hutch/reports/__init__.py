"""Reports: what a study found, as a page, on the terminal, and live while it runs.

    render_page(study_dir)        analysis.json -> report.html, one self-contained file
    study_summary(analysis)       the same results for a terminal of 80 columns
    claims_table(claims)          claims and verdicts as plain text
    LiveView()                    the study while it runs, on stderr

A report draws what `analysis.json` says and computes no statistic. Where the analysis has no figure, the
report gives the analysis' reason in words. Plotly and rich are imported where they draw, not here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hutch.reports.live import LiveView
    from hutch.reports.page import render_page
    from hutch.reports.reading import read_analysis
    from hutch.reports.terminal import claims_table, study_summary

__all__ = ["LiveView", "claims_table", "read_analysis", "render_page", "study_summary"]

_HOMES = {
    "LiveView": "live",
    "claims_table": "terminal",
    "read_analysis": "reading",
    "render_page": "page",
    "study_summary": "terminal",
}


def __getattr__(name: str) -> Any:
    """Import the module of a public name when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
