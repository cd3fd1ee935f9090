"""An index of all windows of k symbols in a stream, to be asked for the windows of a much longer one.

The evaluation set is small and the training text is large: so the evaluation set is indexed and the training text
streams past it once. Symbols are token ids or word hashes. Windows are compared by a 64-bit rolling hash; most windows
of the training text stop at a bitmap that fits in a processor's cache.
"""

from dataclasses import dataclass

import numpy as np

from hutch.retrieval.leakage.compiled import compiled

ODD = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
"""Constants of splitmix64: neighbouring ids get unrelated hashes."""
S27, S30, S31 = np.uint64(27), np.uint64(30), np.uint64(31)
BITS_PER_WINDOW = 16
"""Of the bitmap, at least: it lets through one in 16 of the windows that are not in the index."""


@compiled
def _roll(symbols, length, hashes):
    top = np.uint64(1)
    for _ in range(length):
        top = top * ODD
    value = np.uint64(0)
    mixed = np.empty(len(symbols), dtype=np.uint64)
    for place in range(len(symbols)):
        x = np.uint64(symbols[place]) + ODD
        x = (x ^ (x >> S30)) * MIX_1
        x = (x ^ (x >> S27)) * MIX_2
        mixed[place] = x ^ (x >> S31)
        value = value * ODD + mixed[place]
        if place >= length:
            value -= mixed[place - length] * top
        if place >= length - 1:
            # The low bits of a product depend on low bits alone; the last step spreads them.
            x = (value ^ (value >> S30)) * MIX_1
            hashes[place - length + 1] = x ^ (x >> S31)


def window_hashes(symbols: np.ndarray, length: int) -> np.ndarray:
    """The hash of each window of `length` symbols, uint64 [max(0, symbols − length + 1)]. Equal windows have equal
    hashes; two different ones do with a chance of about 2⁻⁶⁴."""
    hashes = np.empty(max(0, len(symbols) - length + 1), dtype=np.uint64)
    if len(hashes):
        _roll(symbols, length, hashes)
    return hashes


@compiled
def _mark(keys, shift, bitmap):
    for key in keys:
        place = key >> shift
        bitmap[place >> np.uint64(3)] |= np.uint8(1) << np.uint8(place & np.uint64(7))


@compiled
def _find(hashes, keys, buckets, bucket_shift, bitmap, bitmap_shift, found):
    for i in range(len(hashes)):
        value = hashes[i]
        found[i] = -1
        place = value >> bitmap_shift
        if not (bitmap[place >> np.uint64(3)] >> np.uint8(place & np.uint64(7))) & np.uint8(1):
            continue
        bucket = value >> bucket_shift
        for entry in range(np.int64(buckets[bucket]), np.int64(buckets[bucket + np.uint64(1)])):
            if keys[entry] == value:
                found[i] = entry
                break


@dataclass(frozen=True)
class WindowIndex:
    """The distinct windows of a stream by their hash. The arrays may be memory maps, shared by processes."""

    keys: np.ndarray
    """uint64 [windows]: the hashes in ascending order; a window's number is its place here."""
    buckets: np.ndarray
    """uint32 [2ᵇ + 1]: where the keys with each value of the top b bits begin."""
    bitmap: np.ndarray
    """uint8 [2ᶜ / 8]: bit i is set where a key has the top c bits i."""

    @classmethod
    def of(cls, keys: np.ndarray) -> "WindowIndex":
        """An index of these distinct hashes, given in ascending order."""
        bits = max(3, int(np.ceil(np.log2(max(1, len(keys))))))
        edges = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
        buckets = np.append(np.searchsorted(keys, edges), len(keys)).astype(np.uint32)
        wide = bits + BITS_PER_WINDOW.bit_length() - 1
        bitmap = np.zeros((1 << wide) // 8, dtype=np.uint8)
        _mark(keys, np.uint64(64 - wide), bitmap)
        return cls(keys, buckets, bitmap)

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, hashes: np.ndarray) -> np.ndarray:
        """The number of each window, int64 [hashes]; −1 for those that are not in the index."""
        found = np.empty(len(hashes), dtype=np.int64)
        bucket_shift = np.uint64(65 - len(self.buckets).bit_length())
        bitmap_shift = np.uint64(62 - len(self.bitmap).bit_length())
        _find(hashes, self.keys, self.buckets, bucket_shift, self.bitmap, bitmap_shift, found)
        return found
