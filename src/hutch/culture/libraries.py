"""The libraries of this room: imported where they are used, and missed in one line."""

import importlib
from typing import Any

from hutch.runs.errors import BadInput


def library(name: str) -> Any:
    """The module `name`, such as numba or gymnasium. Raises BadInput where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.split(".")[0]
        raise BadInput(f"culture needs the library {package}: pip install 'hutch-lab[culture]'") from error
