"""Printing what rich renders."""

import sys
from typing import Any

PIPED_WIDTH = 100
"""Columns where there is no terminal to ask; rich would take 80 and break the tables."""


def show(renderable: Any) -> None:
    """Print to stdout, as wide as the terminal."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(renderable)
