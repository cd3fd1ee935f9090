"""Files that appear whole or not at all: written under a temporary name beside the target, then renamed."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hutch.runs.errors import HutchError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on a clean exit it is flushed to disk and renamed to `path`.

    On an error the temporary file is removed and whatever stood at `path` before is untouched.
    A full disk or a folder without write access is raised as `HutchError` with one clear line.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise HutchError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        # Where a parent is a file there is no temporary file either; the error above is the one to show.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys. NaN and infinity are refused: JSON has no such values."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file; a missing or broken one is a `HutchError` that names the file."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise HutchError(f"{path} does not exist") from error
    except ValueError as error:
        raise HutchError(f"{path} is not JSON: {error}") from error
    except OSError as error:
        raise HutchError(f"cannot read {path}: {error.strerror}") from error
