"""Text files of the known kinds as streams, with errors that name the file and the place in it.

What is in memory at a time is a few megabytes and one passage of a text file, one line of JSON, or one batch of
a Parquet file; and of a .zst file the window that its frames ask for, at most 2 GiB.
"""

import codecs
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Literal

from hutch.runs.errors import BadInput

KINDS: dict[str, Literal["text", "json", "parquet"]] = {
    ".txt": "text",
    ".md": "text",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".parquet": "parquet",
}
PASSAGE_CHARACTERS = 8_000
"""A text file is cut at the first blank line after so many characters ..."""
LONG_PASSAGE_CHARACTERS = 32_000
"""... or at the first newline after so many, when no blank line comes ..."""
LONGEST_PASSAGE_CHARACTERS = 64_000
"""... or behind so many, when no newline comes either."""
NEWLINES = re.compile(r"(?:\r\n|\r|\n)+")
BOM = "\ufeff"


def text_kind(path: Path) -> Literal["text", "json", "parquet"] | None:
    """What the file's name says it holds, or None; text and JSON lines may be compressed."""
    endings = [suffix.lower() for suffix in path.suffixes]
    if len(endings) > 1 and endings[-1] in (".gz", ".zst") and endings[-2] != ".parquet":
        endings.pop()
    return KINDS.get(endings[-1]) if endings else None


def exists(path: Path) -> bool:
    """Whether something is at `path`. Raises BadInput where that cannot be told: a name that is too long for
    the file system, a folder without access."""
    try:
        return path.exists()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The decompressed bytes of a file. Raises BadInput when it cannot be opened, is damaged or cut off."""
    import zstandard

    try:
        with path.open("rb") as raw:
            if path.suffix.lower() == ".gz":
                stream: Any = gzip.GzipFile(fileobj=raw)
            elif path.suffix.lower() == ".zst":
                stream = io.BufferedReader(ChunkReader(zstd_chunks(raw)), 1 << 20)
            else:
                stream = raw
            yield stream
    except (gzip.BadGzipFile, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise BadInput(f"{path} is damaged or not of the kind its name says: {error}") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error


def zstd_chunks(raw: BinaryIO) -> Iterator[bytes]:
    """Decompressed pieces of all frames. Raises EOFError when the last frame does not end: the library's own
    `stream_reader` takes a file that was cut off as whole."""
    import zstandard

    library = zstandard.ZstdDecompressor(max_window_size=2**31)
    frame, begun = library.decompressobj(), False
    while packed := raw.read(1 << 14):  # small, since a piece of zeros grows 30,000-fold
        while packed:
            begun = True
            yield frame.decompress(packed)
            packed = frame.unused_data
            if frame.eof:
                frame, begun = library.decompressobj(), False
    if begun:
        raise EOFError("it ends within a compressed frame")


class ChunkReader(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, chunks: Iterator[bytes]):
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def not_utf8(path: Path, error: UnicodeDecodeError, offset: int) -> BadInput:
    """The error for bytes that are no UTF-8, in data which starts at byte `offset` of the decompressed file."""
    byte = error.object[error.start]
    return BadInput(f"{path} is not UTF-8 text: byte 0x{byte:02x} at offset {offset + error.start}")


def text_pieces(path: Path) -> Iterator[str]:
    """The text of a file, without a byte order mark, a megabyte at a time."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = 0
    with open_bytes(path) as handle:
        for data in chain(iter(lambda: handle.read(1 << 20), b""), [b""]):
            held_back = len(decoder.getstate()[0])
            try:
                piece = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                raise not_utf8(path, error, offset - held_back) from error
            yield piece if offset else piece.removeprefix(BOM)
            offset += len(data)


def cut_passages(pieces: Iterable[str]) -> Iterator[str]:
    """A text in pieces, cut into passages of about `PASSAGE_CHARACTERS` instead, which do not depend on where
    the pieces were cut; joined they are the text."""
    text = ""
    for piece, ahead in chain(((piece, LONGEST_PASSAGE_CHARACTERS) for piece in pieces), [("", 0)]):
        text, start = text + piece, 0
        while len(text) - start > ahead:
            end = passage_end(text, start)
            yield text[start:end]
            start = end
        text = text[start:]


def passage_end(text: str, start: int) -> int:
    """Where the passage that begins at `start` ends."""
    limit = min(start + LONGEST_PASSAGE_CHARACTERS, len(text))
    for newlines in NEWLINES.finditer(text, start, limit):
        blank = len(newlines.group()) - newlines.group().count("\r\n") > 1
        if newlines.end() - start >= (PASSAGE_CHARACTERS if blank else LONG_PASSAGE_CHARACTERS):
            return newlines.end()
    return limit


def json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """(line number from 1, value) for each line that is not blank."""
    offset = 0
    with open_bytes(path) as handle:
        for number, line in enumerate(handle, start=1):
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                raise not_utf8(path, error, offset) from error
            text = text if offset else text.removeprefix(BOM)
            offset += len(line)
            if text.strip():
                try:
                    value = json.loads(text)
                except (ValueError, RecursionError) as error:
                    raise BadInput(f"{path}:{number} is not JSON, one object a line: {error}") from error
                yield number, value


def parquet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(row number from 1, row) with the columns that a document may have, a few hundred rows in memory."""
    try:
        import pyarrow  # pyrefly: ignore[missing-import]
        from pyarrow import parquet  # pyrefly: ignore[missing-import]
    except ImportError as error:
        raise BadInput(f"{path} needs the library pyarrow: pip install 'hutch-lab[parquet]'") from error
    try:
        with parquet.ParquetFile(path) as table:
            names = table.schema_arrow.names
            if "text" not in names:
                raise BadInput(f"{path} has no column 'text'; it has {', '.join(names)}")
            columns = [name for name in ("text", "subset", "source", "licence", "id") if name in names]
            number = 0
            for batch in table.iter_batches(batch_size=256, columns=columns):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pyarrow.ArrowException, OSError) as error:
        raise BadInput(f"{path} is not a Parquet file that can be read: {error}") from error
