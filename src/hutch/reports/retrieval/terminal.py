"""The study's figures for a terminal of 80 columns."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hutch.reports.formats import decimal, fine, percent, power, spread
from hutch.reports.reading import Analysis, interval, items, part
from hutch.reports.terminal import plain_table

if TYPE_CHECKING:
    from rich.table import Table


def figures(analysis: Analysis) -> "list[Table]":
    """Bits per byte by size, and the figures to remember."""
    return [_sizes(analysis), _remembered(analysis)]


def _sizes(analysis: Analysis) -> "Table":
    table = plain_table("bits per byte", "width", "with", "off", "same tokens", "equal FLOPs")
    for cell in items(analysis, "cells"):
        bits = [decimal(interval(part(cell, "bits_per_byte").get(k)).value) for k in ("on", "off", "same", "plain")]
        table.add_row(f"{power(cell['budget'])} FLOPs", str(cell["width"]), *bits)
    return table


def _remembered(analysis: Analysis) -> "Table":
    level = analysis.get("level")
    table = plain_table(f"gain of retrieval, {percent(level)} intervals" if level else "gain of retrieval", "")
    mean = items(analysis, "database_curve", "mean")
    lines: list[tuple[str, Any]] = [
        ("at equal FLOPs, best size each", analysis.get("gain_of_best")),
        ("on the same tokens, mean of sizes", mean[-1] if mean else None),
        ("for each doubling of the database", part(analysis, "database_curve").get("slope")),
        ("most neighbours over one", part(analysis, "neighbours_curve").get("most_over_one")),
        ("overlap at most 12.5 %, same tokens", _left(analysis)),
    ]
    for name, raw in lines:
        estimate = interval(raw)
        table.add_row(name, spread(estimate, fine(estimate)))
    for found in items(analysis, "multiplier"):
        estimate = interval(found.get("multiplier"))
        shown = decimal(estimate.value, 2) if estimate.known else str(found.get("bound"))
        table.add_row(f"compute multiplier at {power(found['budget'])}", f"{shown}: {found['verdict']}")
    return table


def _left(analysis: Analysis) -> Mapping[str, Any] | None:
    curve, named = part(analysis, "copying", "exact"), part(analysis, "copying").get("named")
    alphas, gains = items(curve, "alphas"), items(curve, "gains", "same")
    return gains[alphas.index(named)] if named in alphas and gains else None
