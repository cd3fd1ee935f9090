"""What a tooltip tells of a run, and of a run beside its fitted loss."""

from collections.abc import Mapping
from typing import Any

from hutch.reports.formats import grouped, power, signed_percent, significant


def told(run: Mapping[str, Any], unit: str) -> str:
    """A run by its line in the table."""
    line = "a run" if run["line"] is None else f"line {run['line']:.0f}"
    return (
        f"<b>{line}</b><br>{power(run['flops'])} FLOPs<br>parameters {grouped(run['parameters'])}"
        f"<br>tokens {grouped(run['tokens'])}<br>loss {significant(run['loss'], 5)} {unit}"
    )


def told_with_fit(run: Mapping[str, Any], unit: str, predicted: float | None, residual: float | None) -> str:
    """A run and what the law gives for it."""
    return f"{told(run, unit)}<br>law {significant(predicted, 5)}, {signed_percent(residual, 2)}"
