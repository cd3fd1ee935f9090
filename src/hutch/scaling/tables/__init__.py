"""Tables of runs, read from files and ledgers, checked row by row."""

from hutch.scaling.tables.cells import Dropped
from hutch.scaling.tables.reading import TableReading, read_runs

__all__ = ["Dropped", "TableReading", "read_runs"]
