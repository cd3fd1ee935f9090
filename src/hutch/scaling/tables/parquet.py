"""Parquet tables, by pyarrow, which comes with an extra."""

from collections.abc import Sequence
from typing import Any, BinaryIO

from hutch.runs.errors import BadInput
from hutch.scaling.tables.cells import Cells, Table


def parquet_table(handle: BinaryIO, source: str) -> Table:
    """The table in a seekable stream; its rows are numbered from 1."""
    try:
        import pyarrow  # pyrefly: ignore[missing-import]
        from pyarrow import parquet  # pyrefly: ignore[missing-import]
    except ImportError as error:
        raise BadInput(f"{source} needs the library pyarrow: pip install 'hutch-lab[parquet]'") from error

    def read(wanted: Sequence[str]) -> Cells:
        try:
            columns = {name: file.read(columns=[name]).column(0) for name in wanted}
        except (pyarrow.ArrowException, OSError) as error:
            raise _unreadable(source, error) from error
        rows = range(1, file.metadata.num_rows + 1)
        return Cells(columns={name: _text(source, name, one) for name, one in columns.items()}, lines=list(rows))

    try:
        file = parquet.ParquetFile(handle)
    except (pyarrow.ArrowException, OSError) as error:
        raise _unreadable(source, error) from error
    return Table(source=source, names=tuple(file.schema_arrow.names), read=read, unit="row")


def _text(source: str, name: str, column: Any) -> list[str]:
    """A column as text, as the other kinds of table hold it: integers and decimals of any size whole, floats with all
    the digits that bring them back."""
    import pyarrow  # pyrefly: ignore[missing-import]

    try:
        return [cell.strip() for cell in column.cast(pyarrow.string()).fill_null("").to_pylist()]
    except pyarrow.ArrowException as error:
        raise BadInput(f"{source}: column {name} holds {column.type}, neither numbers nor text") from error


def _unreadable(source: str, error: Exception) -> BadInput:
    return BadInput(f"{source} is not a Parquet file that can be read: {' '.join(str(error).split())}")
