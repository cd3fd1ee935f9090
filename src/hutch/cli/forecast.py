"""`hutch forecast`."""

from typing import Any


def add_commands(rooms: Any) -> None:
    """Add the command to the command line."""
