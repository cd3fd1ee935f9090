"""Comma-, tab-, semicolon- or bar-separated text: one line of column names, then a record a run."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from operator import itemgetter

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.tables.cells import Cells, Dropped, Table, numbers

DELIMITERS = ",\t;|"


def delimited_table(handle: io.BufferedReader, source: str) -> Table:
    """The table in a binary stream that can be peeked: UTF-8, with or without a byte order mark, gzipped or not."""
    gzipped = handle.peek(2)[:2] == b"\x1f\x8b"
    stream = gzip.GzipFile(fileobj=handle) if gzipped else handle
    records = _Records(source, io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""))
    return Table(source=source, names=records.names, read=records.cells)


class _Records:
    """The records of one file; `line` is the one on which the record that is being read begins."""

    def __init__(self, source: str, text: io.TextIOWrapper) -> None:
        self.source, self.text, self.line = source, text, 1
        with self._one_line_errors():
            header = self._to_header()
            self.reader = csv.reader(chain(header, text), delimiter=_delimiter(header[-1]), strict=True)
            self.names = tuple(name.strip() for name in next(filter(None, self.reader)))
        if not np.isnan(numbers(self.names)).any():
            raise BadInput(f"{source}: line {len(header)} holds numbers where the column names belong")

    def _to_header(self) -> list[str]:
        """The lines up to the first that is not blank."""
        lines = []
        for line in self.text:
            if "\0" in line:
                raise BadInput(self._no_text(len(lines) + 1))
            if line.strip():
                return [*lines, line]
            lines.append("\n")
        raise BadInput(f"{self.source} is empty")

    def cells(self, wanted: Sequence[str]) -> Cells:
        """These columns of all records."""
        places = [self.names.index(name) for name in wanted]
        # With one more, for of a single place an itemgetter makes no tuple.
        pick, width = itemgetter(*places, places[0]), len(self.names)
        rows, lines, broken = [], [], []
        with self._one_line_errors():
            self.line = self.reader.line_num + 1
            for record in self.reader:
                # A record of nothing is the blank line, or the row of bare commas, that ends many files.
                if len(record) == width and any(record):
                    rows.append(pick(record))
                    lines.append(self.line)
                elif any(map(str.strip, record)):
                    broken.append(Dropped(line=self.line, reason=f"{len(record)} cells for {width} columns"))
                self.line = self.reader.line_num + 1
        columns = list(zip(*rows, strict=True)) or [()] * len(places)
        texts = {name: list(map(str.strip, cells)) for name, cells in zip(wanted, columns, strict=False)}
        return Cells(columns=texts, lines=lines, broken=tuple(broken))

    @contextmanager
    def _one_line_errors(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:
            # Text is decoded in pieces, each when the lines of the one before have been read: the lines before the
            # bad bytes are those that have been read and those of the piece.
            read = self.reader.line_num if hasattr(self, "reader") else 0
            raise BadInput(self._no_text(read + 1 + error.object.count(b"\n", 0, error.start))) from error
        except csv.Error as error:
            raise BadInput(f"{self.source}: line {self.line} begins no readable record: {error}") from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise BadInput(f"{self.source} is gzipped and damaged: {error}") from error

    def _no_text(self, line: int) -> str:
        return f"{self.source} is no UTF-8 text (line {line}); give a .csv, .tsv or .parquet table or a study's folder"


def _delimiter(header: str) -> str:
    """The separator that makes the most of the header."""
    return max(DELIMITERS, key=lambda one: len(next(csv.reader([header], delimiter=one))))
