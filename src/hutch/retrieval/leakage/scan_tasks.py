"""The part of a leakage scan that worker processes do: stream training documents past the evaluation set's indices."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.leakage.longest_matches import Longest
from hutch.retrieval.leakage.shared_windows import Sharing
from hutch.retrieval.leakage.suffix_order import SuffixOrder
from hutch.retrieval.leakage.training_text import Share, numbered, training_source
from hutch.retrieval.leakage.windows import WindowIndex, window_hashes
from hutch.retrieval.leakage.words import words_of

Encode = Callable[[str], Sequence[int]]
"""Text to token ids, such as `Tokenizer.encode`; it must survive pickling."""
REPORTED_EVERY = 200
"""Documents between two notes of progress."""
INDEX_FILES = ("keys", "buckets", "bitmap")


@dataclass(frozen=True)
class ScanTask:
    """What one process is told."""

    training: str
    shares: tuple[Share, ...]
    indices: Path
    """Folder with the index of word windows and, for the exact mode, the order of suffixes below it."""
    window: int
    """Words of a window."""
    common_documents: int
    encode: Encode | None
    """Given for the exact mode."""


def save_index(index: WindowIndex, folder: Path) -> None:
    """Write the index for the workers to map."""
    for name in INDEX_FILES:
        np.save(folder / f"{name}.npy", getattr(index, name))


def open_index(folder: Path) -> WindowIndex:
    """Map what `save_index` wrote."""
    return WindowIndex(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in INDEX_FILES))


def scan_shares(folder: Path, task: ScanTask) -> dict[str, Any]:
    """Scan a task's documents; leaves `words.npz` and `tokens.npz` in `folder`, returns counts and names."""
    index = open_index(task.indices)
    sharing = Sharing(len(index), task.common_documents)
    order = SuffixOrder.open(task.indices / "tokens") if task.encode else None
    longest = Longest.none(len(order.places)) if order else None
    documents, keys = 0, {}
    for number, document in numbered(training_source(task.training), task.shares):
        found = index.find(window_hashes(words_of(document.text).hashes, task.window))
        sharing.add(number, found)
        matched = bool((found >= 0).any())
        if order and longest and task.encode:
            matched |= longest.add(order, number, np.asarray(task.encode(document.text), dtype=np.int64))
        if matched:
            keys[str(number)] = document.key
        documents += 1
        if documents % REPORTED_EVERY == 0:
            note_progress(folder, documents)
    note_progress(folder, documents)
    sharing.save(folder / "words.npz")
    if longest:
        longest.save(folder / "tokens.npz")
    return {"documents": documents, "keys": keys}


def note_progress(folder: Path, documents: int) -> None:
    """Say how far this process is; silent where that cannot be written."""
    temporary = folder / ".progress.tmp"
    with suppress(OSError):
        temporary.write_text(str(documents), encoding="utf-8")
        temporary.replace(folder / "progress")


def read_progress(folder: Path) -> int:
    """Documents that the process in this folder has read."""
    try:
        return int((folder / "progress").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
