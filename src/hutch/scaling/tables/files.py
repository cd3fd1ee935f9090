"""Opening whatever holds a table: what it is, is told by its first bytes and by its name."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from hutch.runs.errors import BadInput
from hutch.scaling.tables.cells import Table
from hutch.scaling.tables.delimited import delimited_table
from hutch.scaling.tables.ledgers import ledger_table
from hutch.scaling.tables.parquet import parquet_table

PARQUET = (".parquet", ".pq")
SQLITE = (".sqlite", ".sqlite3", ".db")


@contextmanager
def open_table(source: str | PathLike[str]) -> Iterator[Table]:
    """The table in a delimited text file (also gzipped, also a pipe), a Parquet file, a ledger or a study's folder.

    `BadInput` for what is missing, cannot be read, or is nothing of this.
    """
    source, path = os.fspath(source), Path(source)
    try:
        if path.is_dir():
            if not (path / "ledger.sqlite").is_file():
                raise BadInput(f"{source} is a folder without a ledger.sqlite; give a table or a study's folder")
            path = path / "ledger.sqlite"
        with path.open("rb") as handle:
            # A look ahead, for a pipe cannot be opened twice.
            start = handle.peek(16)
            if start.startswith(b"SQLite format 3\0"):
                yield ledger_table(path, source)
            elif path.suffix.lower() in SQLITE:
                raise BadInput(f"{source} is no SQLite database, and a ledger is one")
            elif start.startswith(b"PAR1") or path.suffix.lower() in PARQUET:
                yield parquet_table(handle, source)
            else:
                yield delimited_table(handle, source)
    except FileNotFoundError as error:
        raise BadInput(f"{source} does not exist; give a table (.csv, .tsv, .parquet) or a study's folder") from error
    except OSError as error:
        raise BadInput(f"{source} cannot be read: {error.strerror or error}") from error
