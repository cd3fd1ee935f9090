"""The shared tables of real runs: read in place, never copied; tests skip where they are absent."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from hutch.scaling.run_table import RunTable

_SHARED = Path(os.environ.get("HUTCH_SHARED", Path(__file__).resolve().parents[3] / "shared"))


def table_path(name: str) -> Path:
    """Where shared/data/scaling/`name` is, or a skip that says which file is missing."""
    path = _SHARED / "data" / "scaling" / name
    if not path.is_file():
        pytest.skip(f"no table {path}; set HUTCH_SHARED to the shared folder")
    return path


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a shared table."""
    with table_path(name).open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def column(table: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in table])


def chinchilla(*, excluded: bool) -> list[dict[str, str]]:
    """The 245 digitised points, or the 240 without those that Besiroglu et al. leave out."""
    table = rows("chinchilla_epoch245.csv")
    return [row for row in table if excluded or row["excluded_by_besiroglu"] == "0"]


def chinchilla_isoflop(*, excluded: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Budget, N, D = budget/(6N) and loss of the points on isoFLOP profiles."""
    table = [row for row in chinchilla(excluded=excluded) if row["isoflop_budget"]]
    budget, n = column(table, "isoflop_budget"), column(table, "N")
    return budget, n, budget / (6 * n), column(table, "loss")


def table_of(n: np.ndarray, d: np.ndarray, loss: np.ndarray, budget: np.ndarray | None = None) -> RunTable:
    """Columns as a table whose FLOPs are 6·N·D."""
    return RunTable.of(parameters=n, tokens=d, loss=loss, budget=budget)
