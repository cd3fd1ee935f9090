"""Which windows of words an evaluation set shares with training documents, and with how many.

A window of 13 words (as in GPT-3's check, Brown et al. 2020, appendix C) that stands in one training document or a few
is evidence of a copy; one that stands in many is a licence, a menu or a turn of phrase. So for each window of the
evaluation set the training documents that hold it are counted, and named while they are few.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hutch.retrieval.leakage.windows import WindowIndex, window_hashes


@dataclass(frozen=True)
class WindowedWords:
    """All windows of words of an evaluation set, document by document, in order."""

    length: int
    """Words of a window."""
    words: np.ndarray
    """int64 [documents]: words of each."""
    document: np.ndarray
    """int32 [places]: the document of each window."""
    place: np.ndarray
    """int32 [places]: its first word there."""
    window: np.ndarray
    """int32 [places]: its number in the index."""
    index: WindowIndex

    @classmethod
    def of(cls, documents: Sequence[np.ndarray], length: int) -> "WindowedWords":
        """Windows of documents of word hashes."""
        hashes = [window_hashes(document, length) for document in documents]
        counts = [len(part) for part in hashes]
        everything = np.concatenate([*hashes, np.empty(0, dtype=np.uint64)])
        keys, window = np.unique(everything, return_inverse=True)
        return cls(
            length=length,
            words=np.array([len(document) for document in documents], dtype=np.int64),
            document=np.repeat(np.arange(len(documents), dtype=np.int32), counts),
            place=np.concatenate([np.arange(count, dtype=np.int32) for count in [*counts, 0]]),
            window=window.astype(np.int32),
            index=WindowIndex.of(keys),
        )

    def covered(self, document: np.ndarray, group: np.ndarray, place: np.ndarray) -> "Covered":
        """Words that lie in windows: for each (document, group) those of the windows at its places, counted once."""
        by_place = np.lexsort((place, group, document))
        document, group, place = document[by_place], group[by_place], place[by_place]
        last = np.append((document[1:] != document[:-1]) | (group[1:] != group[:-1]), True)[: len(document)]
        step = np.append(place[1:] - place[:-1], 0)[: len(place)]
        words = np.where(last, self.length, np.minimum(self.length, step))
        first = np.flatnonzero(np.append(True, last[:-1])[: len(last)])
        sums = np.add.reduceat(words, first) if len(first) else words
        return Covered(document[first], group[first], sums)


@dataclass(frozen=True)
class Covered:
    """Words of evaluation documents that lie in windows of a group; a row for each pair, sorted by both."""

    document: np.ndarray
    group: np.ndarray
    words: np.ndarray


class Sharing:
    """Counts, for each window of an index, the training documents that hold it, and names the first `limit`."""

    def __init__(self, windows: int, limit: int) -> None:
        self.limit = limit
        self.counts = np.zeros(windows, dtype=np.uint32)
        """uint32 [windows]."""
        self._windows: list[np.ndarray] = []
        self._documents: list[np.ndarray] = []

    def add(self, number: int, found: np.ndarray) -> None:
        """Count a training document: its number, and the windows that it holds (−1 for others, repeats count once)."""
        windows = np.unique(found[found >= 0])
        self.counts[windows] += 1
        windows = windows[self.counts[windows] <= self.limit]
        self._keep(windows, np.full(len(windows), number))

    def merge(self, other: "Sharing") -> None:
        """Add what was counted in other training documents."""
        self.counts += other.counts
        self._keep(*other.named())

    def named(self) -> tuple[np.ndarray, np.ndarray]:
        """Windows and the documents that hold them, int64 [pairs] each: all those of a window that at most `limit`
        documents hold, and none of the others."""
        windows = np.concatenate([*self._windows, np.empty(0, dtype=np.int64)])
        documents = np.concatenate([*self._documents, np.empty(0, dtype=np.int64)])
        few = self.counts[windows] <= self.limit
        return windows[few], documents[few]

    def save(self, path: Path) -> None:
        """Write it for another process."""
        windows, documents = self.named()
        np.savez(path, counts=self.counts, windows=windows, documents=documents, limit=self.limit)

    @classmethod
    def open(cls, path: Path) -> "Sharing":
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            sharing = cls(len(arrays["counts"]), int(arrays["limit"]))
            sharing.counts = arrays["counts"]
            sharing._keep(arrays["windows"], arrays["documents"])
        return sharing

    def _keep(self, windows: np.ndarray, documents: np.ndarray) -> None:
        if len(windows):
            self._windows.append(windows)
            self._documents.append(documents)


def pairs_of(words: WindowedWords, sharing: Sharing) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each place of the evaluation set with each training document that holds the window there, for the windows that
    are named: evaluation document, training document, place; [pairs] each."""
    windows, sources = sharing.named()
    by_window = np.argsort(words.window, kind="stable")
    starts = np.searchsorted(words.window[by_window], np.arange(len(words.index) + 1))
    counts = starts[windows + 1] - starts[windows]
    begins = np.cumsum(counts) - counts
    within = np.arange(counts.sum()) - np.repeat(begins, counts)
    at = by_window[np.repeat(starts[windows], counts) + within]
    return words.document[at], np.repeat(sources, counts), words.place[at]
