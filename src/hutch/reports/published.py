"""Published results as pictures show them: the results of one paper share a colour and a dash, everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hutch.reports.reading import Analysis, items
from hutch.reports.themes import Theme

DASHES = ("dash", "dot", "dashdot", "longdash")


@dataclass(frozen=True)
class Family:
    """The results of one paper, by the name of its first author."""

    name: str
    colour: str
    dash: str
    results: tuple[Mapping[str, Any], ...]


def families(analysis: Analysis, theme: Theme) -> list[Family]:
    """The papers in the order in which the analysis first names them."""
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for result in items(analysis, "published"):
        grouped.setdefault(str(result.get("name") or "?").split(",")[0].strip(), []).append(result)
    return [
        Family(name, theme.published[i % len(theme.published)], DASHES[i % len(DASHES)], tuple(results))
        for i, (name, results) in enumerate(grouped.items())
    ]
