"""Small tables for the tests: files written as text, and what reading them says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hutch.runs.errors import BadInput
from hutch.scaling.tables import TableReading, read_runs

Read = Callable[..., TableReading]


def write(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(path: Path, **options: Any) -> str:
    """The one line of a refusal, with the folder taken out of it."""
    with pytest.raises(BadInput) as caught:
        read_runs(path, **options)
    said = str(caught.value)
    assert "\n" not in said
    return said.replace(f"{path.parent}/", "")
