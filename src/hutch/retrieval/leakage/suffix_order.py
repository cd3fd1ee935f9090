"""The suffixes of an evaluation set's token stream in order, and the windows that begin them.

The exact mode beside r(C) needs, for every token of the evaluation set, the longest match in the whole training text.
The suffix array is that of the small evaluation set; the training text streams past it (see `longest_matches`), so
memory does not grow with the training text. The library divsufsort sorts the big-endian bytes of the tokens in linear
time, and of its suffixes those that begin a token are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from hutch.retrieval.leakage.compiled import compiled
from hutch.retrieval.leakage.windows import WindowIndex, window_hashes
from hutch.runs.errors import BadInput

LARGEST_STREAM = 2**31 - 1
"""Bytes that divsufsort sorts with 32-bit places."""


@dataclass(frozen=True)
class SuffixOrder:
    """Suffixes that have at least `shortest` tokens before their document ends, sorted by their first `longest`."""

    tokens: np.ndarray
    """uint32 [stream]: ids + 1, and 0 behind each document."""
    places: np.ndarray
    """int32 [suffixes]: where each suffix begins in `tokens`."""
    shared: np.ndarray
    """uint16 [suffixes]: first tokens in common with the suffix before it, at most `longest`."""
    firsts: np.ndarray
    """int32 [windows]: the first suffix that begins with the window; the windows are numbered as in the index."""
    lasts: np.ndarray
    """int32 [windows]: behind the last one."""
    keys: np.ndarray
    buckets: np.ndarray
    bitmap: np.ndarray
    """Of the `WindowIndex` of the windows of `shortest` tokens."""
    limits: np.ndarray
    """int64 [2]: shortest, longest."""

    @property
    def index(self) -> WindowIndex:
        """Finds windows of `shortest` tokens (ids + 1)."""
        return WindowIndex(self.keys, self.buckets, self.bitmap)

    @property
    def shortest(self) -> int:
        """Matches of fewer tokens are not looked for."""
        return int(self.limits[0])

    @property
    def longest(self) -> int:
        """Matches are followed no further."""
        return int(self.limits[1])

    def save(self, folder: Path) -> None:
        """Write the arrays for other processes to map."""
        for field in fields(self):
            np.save(folder / f"{field.name}.npy", getattr(self, field.name))

    @classmethod
    def open(cls, folder: Path) -> "SuffixOrder":
        """Map what `save` wrote."""
        return cls(*(np.load(folder / f"{field.name}.npy", mmap_mode="r") for field in fields(cls)))


def suffix_order(documents: Sequence[np.ndarray], shortest: int, longest: int) -> SuffixOrder:
    """Sort the suffixes of documents of token ids. Raises BadInput where the limits make no sense, the documents are
    more than divsufsort can sort (a billion tokens of 16 bits), or pydivsufsort is not installed."""
    if not 1 <= shortest <= longest < 2**16:
        raise BadInput(f"matches of {shortest} to {longest} tokens; 1 ≤ shortest ≤ longest < 65536 is needed")
    tokens = stream_of(documents)
    places = sorted_places(tokens)
    places = places[room_of(tokens)[places] >= shortest]
    shared = np.zeros(len(places), dtype=np.uint16)
    _count_shared(tokens, places, longest, shared)
    firsts = np.flatnonzero(shared < shortest).astype(np.int32)
    lasts = np.append(firsts[1:], np.int32(len(places)))[: len(firsts)]
    hashes = window_hashes(tokens, shortest)[places[firsts]]
    by_hash = np.argsort(hashes)
    index = WindowIndex.of(hashes[by_hash])
    return SuffixOrder(
        tokens=tokens,
        places=places,
        shared=shared,
        firsts=firsts[by_hash],
        lasts=lasts[by_hash],
        keys=index.keys,
        buckets=index.buckets,
        bitmap=index.bitmap,
        limits=np.array([shortest, longest]),
    )


def stream_of(documents: Sequence[np.ndarray]) -> np.ndarray:
    """Documents as one array of ids + 1 with a 0 behind each, uint32."""
    tokens = np.zeros(sum(len(document) + 1 for document in documents), dtype=np.uint32)
    start = 0
    for document in documents:
        tokens[start : start + len(document)] = np.asarray(document, dtype=np.uint32) + 1
        start += len(document) + 1
    return tokens


def sorted_places(tokens: np.ndarray) -> np.ndarray:
    """The places of all suffixes in lexicographic order, int32 [tokens]."""
    try:
        from pydivsufsort import divsufsort  # pyrefly: ignore[missing-import]
    except ImportError as error:
        raise BadInput("the exact leakage scan needs pydivsufsort: pip install 'hutch-lab[retrieval]'") from error
    wide = np.dtype(">u2" if tokens.max(initial=0) < 2**16 else ">u4")
    if len(tokens) * wide.itemsize > LARGEST_STREAM:
        raise BadInput(
            f"an evaluation set of {len(tokens):,} tokens; the exact scan sorts at most {LARGEST_STREAM // 4:,}: "
            "scan it in parts"
        )
    if not len(tokens):
        return np.empty(0, dtype=np.int32)
    order = divsufsort(tokens.astype(wide).view(np.uint8))
    return (order[order % wide.itemsize == 0] // wide.itemsize).astype(np.int32)


def room_of(tokens: np.ndarray) -> np.ndarray:
    """Tokens from each place to the end of its document, int32 [tokens]."""
    places = np.arange(len(tokens), dtype=np.int32)
    ends = np.flatnonzero(tokens == 0).astype(np.int32)
    return np.repeat(ends, np.diff(ends, prepend=-1)) - places


@compiled
def _count_shared(tokens, places, longest, shared):
    for i in range(1, len(places)):
        a, b, length = places[i - 1], places[i], 0
        while length < longest and tokens[a + length] == tokens[b + length] != 0:
            length += 1
        shared[i] = length
