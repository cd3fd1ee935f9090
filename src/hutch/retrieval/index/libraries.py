"""The libraries that search by numbers: imported where they are used, and missed in one line."""

import importlib
from typing import Any

from hutch.runs.errors import BadInput


def library(name: str) -> Any:
    """The module `name`, such as faiss or numba. Raises BadInput where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BadInput(f"retrieval needs the library {name}: pip install 'hutch-lab[retrieval]'") from error
