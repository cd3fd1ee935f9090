"""One process at a time works in a folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hutch.runs.errors import BadInput, HutchError


@contextmanager
def exclusive(folder: Path, what: str = "study") -> Iterator[None]:
    """Hold `folder`/.lock while the block runs. The kernel lets go of it when the process ends, however it ends.

    Raises `BadInput`, with the holder's process id, when another process has it.
    """
    import fcntl

    try:
        if folder.exists() and not folder.is_dir():
            raise BadInput(f"{folder} is a file, not a folder: choose another --out")
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise HutchError(f"cannot write in {folder}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 32, 0).decode(errors="ignore").strip() or "unknown"
            raise BadInput(
                f"{folder} is in use by another {what} (process {holder}): wait for it, or choose another --out"
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
