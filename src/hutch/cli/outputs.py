"""Where a command may write: checked before any work is done."""

import os
from pathlib import Path


def check_output(path: Path, flag: str) -> None:
    """`BadInput` unless `path` names a file that can be written in a folder that is there."""
    from hutch.runs.errors import BadInput

    if path.is_dir():
        raise BadInput(f"{flag} {path} is a folder; the name of a file is needed")
    folder = path.parent
    if not folder.is_dir():
        raise BadInput(f"{flag} {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)) or not _on_disk(folder):
        raise BadInput(f"{flag} {path} cannot be written")


def check_folder(path: Path, flag: str) -> None:
    """`BadInput` unless `path` is a folder that can be written, or can be made in one that is there."""
    from hutch.runs.errors import BadInput

    there = path if path.exists() else path.parent
    if not there.is_dir() or not os.access(there, os.W_OK) or not _on_disk(there):
        raise BadInput(f"{flag} {path} is no folder that can be written")


def _on_disk(folder: Path) -> bool:
    """False in a file system that holds no files of ours, such as /proc, whose access bits say otherwise."""
    return os.statvfs(folder).f_blocks > 0
