"""Text files of the known kinds as streams, with errors that name the file and the place in it."""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from hutch.runs.errors import BadInput

KINDS: dict[str, Literal["text", "json", "parquet"]] = {
    ".txt": "text",
    ".md": "text",
    ".jsonl": "json",
    ".parquet": "parquet",
}


def text_kind(path: Path) -> Literal["text", "json", "parquet"] | None:
    """What the file's name says it holds, or None; text and JSON lines may be compressed."""
    endings = [suffix.lower() for suffix in path.suffixes]
    if len(endings) > 1 and endings[-1] in (".gz", ".zst") and endings[-2] != ".parquet":
        endings.pop()
    return KINDS.get(endings[-1]) if endings else None


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The decompressed bytes of a file. Raises BadInput when it cannot be opened or is damaged."""
    import zstandard

    try:
        with path.open("rb") as raw:
            if path.suffix.lower() == ".gz":
                stream: Any = gzip.GzipFile(fileobj=raw)
            elif path.suffix.lower() == ".zst":
                stream = io.BufferedReader(
                    cast(Any, zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)),
                    1 << 20,
                )
            else:
                stream = raw
            yield stream
    except (gzip.BadGzipFile, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise BadInput(f"{path} is damaged or not of the kind its name says: {error}") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error


def decode(data: bytes, path: Path, offset: int = 0) -> str:
    """UTF-8 `data`, which starts at byte `offset` of the decompressed file; BadInput names what is not."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        place = offset + error.start
        raise BadInput(f"{path} is not UTF-8 text: byte 0x{data[error.start]:02x} at offset {place}") from error


def json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """(line number from 1, value) for each line that is not blank."""
    offset = 0
    with open_bytes(path) as handle:
        for number, line in enumerate(handle, start=1):
            text = decode(line, path, offset)
            offset += len(line)
            if text.strip():
                try:
                    value = json.loads(text)
                except ValueError as error:
                    raise BadInput(f"{path}:{number} is not JSON: {error}") from error
                yield number, value


def parquet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(row number from 1, row) with the columns that a document may have, a few thousand rows in memory."""
    try:
        import pyarrow  # pyrefly: ignore[missing-import]
        from pyarrow import parquet  # pyrefly: ignore[missing-import]
    except ImportError as error:
        raise BadInput(f"{path} needs the library pyarrow: pip install 'hutch-lab[parquet]'") from error
    try:
        with parquet.ParquetFile(path) as table:
            wanted = ("text", "subset", "source", "licence", "id")
            columns = [name for name in wanted if name in table.schema_arrow.names]
            number = 0
            for batch in table.iter_batches(batch_size=4096, columns=columns):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pyarrow.ArrowException, OSError) as error:
        raise BadInput(f"{path} is not a Parquet file that can be read: {error}") from error
