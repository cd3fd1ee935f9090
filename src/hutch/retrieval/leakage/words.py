"""A text as a stream of words that formatting, capitals and tokenizers do not change.

Verdicts compare words: a copy with other spaces, line breaks, quotation marks or capitals has other tokens but the
same words. A word is a run of letters, digits and combining marks, lower-cased; a Chinese or Japanese character is a
word of its own, since those scripts put no spaces between words. Words are kept as 64-bit hashes.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np

from hutch.retrieval.leakage.compiled import compiled

ALONE = np.uint32(1 << 31)
"""Flag of a character that is a word by itself."""
CODE_POINTS = 0x110000
UNSPACED = ((0x2E80, 0x3130), (0x31A0, 0xA000), (0xF900, 0xFB00), (0x20000, 0x32000))
"""Ranges of code points written without spaces between words: Han and kana."""
SEED = np.uint64(0xCBF29CE484222325)
PRIME = np.uint64(0x100000001B3)
"""Of the hash FNV-1a."""


@dataclass(frozen=True)
class Words:
    """The words of one text."""

    hashes: np.ndarray
    """uint64 [words]."""
    starts: np.ndarray
    """int32 [words]: the first character of each in the text."""
    ends: np.ndarray
    """int32 [words]: behind the last one."""

    def __len__(self) -> int:
        return len(self.hashes)


@cache
def folded_letters() -> np.ndarray:
    """For each code point what stands for it in a word, uint32 [0x110000]; 0 for what is in no word."""
    folded = np.zeros(CODE_POINTS, dtype=np.uint32)
    for point in range(CODE_POINTS):
        character = chr(point)
        if character.isalnum() or unicodedata.category(character).startswith("M"):
            lower = character.lower()
            folded[point] = ord(lower) if len(lower) == 1 else point
    for start, end in UNSPACED:
        span = folded[start:end]
        span[span > 0] |= ALONE
    return folded


@compiled
def _split(points, folded, hashes, starts, ends):
    count, inside, value = 0, False, SEED
    for place in range(len(points)):
        letter = folded[points[place]]
        alone = letter >= ALONE
        if inside and (letter == 0 or alone):
            hashes[count], ends[count] = value, place
            count, inside = count + 1, False
        if letter == 0:
            continue
        if not inside:
            starts[count], value, inside = place, SEED, True
        value = (value ^ np.uint64(letter)) * PRIME
        if alone:
            hashes[count], ends[count] = value, place + 1
            count, inside = count + 1, False
    if inside:
        hashes[count], ends[count] = value, len(points)
        count += 1
    return count


def words_of(text: str) -> Words:
    """The words of `text` in order. Lone surrogates are in no word."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    hashes = np.empty(len(points), dtype=np.uint64)
    starts, ends = np.empty((2, len(points)), dtype=np.int32)
    count = _split(points, folded_letters(), hashes, starts, ends)
    return Words(hashes[:count].copy(), starts[:count].copy(), ends[:count].copy())
