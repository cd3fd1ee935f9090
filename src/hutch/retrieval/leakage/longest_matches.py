"""For every token of an evaluation set the longest match anywhere in the training text, exactly.

Each suffix of a training document is put in its place among the sorted suffixes of the evaluation set; the longest
match of an evaluation suffix is with the nearest training suffix on either side. So it is enough to note, at the two
neighbours of each training suffix, how much they share (`Longest.add`), and to carry the notes along the order
afterwards (`spread`): what suffix i shares with something, suffix i + 1 shares up to `SuffixOrder.shared`.

Notes of parts of the training text are merged before they are carried, so the result does not depend on the parts. It
is the definition of a match with the whole text, not with k neighbours: those miss some (see `neighbour_recall`).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hutch.retrieval.leakage.compiled import compiled
from hutch.retrieval.leakage.overlap import CHUNK_TOKENS
from hutch.retrieval.leakage.suffix_order import SuffixOrder
from hutch.retrieval.leakage.windows import window_hashes

NOBODY = np.iinfo(np.int64).max
"""The document of no match; larger than any number."""


@compiled
def _insert(text, found, number, shortest, longest, tokens, places, firsts, lasts, lengths, documents, offsets):
    size = len(text)
    for j in range(len(found)):
        if found[j] < 0:
            continue
        first, last = firsts[found[j]], lasts[found[j]]
        place, same = places[first], True
        for i in range(shortest):
            same = same and tokens[place + i] == text[j + i]
        if not same:
            continue
        low, high = first, last
        while low < high:
            middle = (low + high) // 2
            place, length = places[middle], shortest
            while length < longest and j + length < size and tokens[place + length] == text[j + length]:
                length += 1
            # A match as long as `longest` or the document counts as not before the training suffix.
            if length < longest and j + length < size and tokens[place + length] < text[j + length]:
                low = middle + 1
            else:
                high = middle
        for side in (low - 1, low):
            if first <= side < last:
                place, length = places[side], shortest
                while length < longest and j + length < size and tokens[place + length] == text[j + length]:
                    length += 1
                if length > lengths[side]:
                    lengths[side], documents[side], offsets[side] = length, number, j


@compiled
def _carry(shared, shortest, lengths, documents, offsets):
    length, document, offset = 0, NOBODY, 0
    for i in range(len(lengths)):
        length = min(length, shared[i])
        if length < shortest:
            length, document, offset = 0, NOBODY, 0
        if lengths[i] > length or (lengths[i] == length and documents[i] <= document):
            length, document, offset = lengths[i], documents[i], offsets[i]
        else:
            lengths[i], documents[i], offsets[i] = length, document, offset


@dataclass(frozen=True)
class Longest:
    """The longest match noted at each suffix, and a training document that holds it."""

    lengths: np.ndarray
    """uint16: tokens; 0 for none of at least `shortest`, `longest` also for more."""
    documents: np.ndarray
    """int64: the number of the training document."""
    offsets: np.ndarray
    """int32: the token at which the match begins there."""

    @classmethod
    def none(cls, count: int) -> "Longest":
        """No match for `count` suffixes."""
        offsets = np.zeros(count, dtype=np.int32)
        return cls(np.zeros(count, dtype=np.uint16), np.full(count, NOBODY), offsets)

    def add(self, order: SuffixOrder, number: int, ids: np.ndarray) -> bool:
        """Note the matches of a training document; numbers must ascend from call to call. Whether there may be any."""
        text = np.asarray(ids, dtype=np.uint32) + np.uint32(1)
        found = order.index.find(window_hashes(text, order.shortest))
        _insert(text, found, number, order.shortest, order.longest, order.tokens, order.places, order.firsts,
                order.lasts, self.lengths, self.documents, self.offsets)  # fmt: skip
        return bool((found >= 0).any())

    def save(self, path: Path) -> None:
        """Write it for another process."""
        np.savez(path, lengths=self.lengths, documents=self.documents, offsets=self.offsets)

    @classmethod
    def open(cls, path: Path) -> "Longest":
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(arrays["lengths"], arrays["documents"], arrays["offsets"])

    def merge(self, other: "Longest") -> None:
        """Take over what is longer in `other`, or as long and in an earlier document."""
        longer = other.lengths > self.lengths
        longer |= (other.lengths == self.lengths) & (other.documents < self.documents)
        for mine, theirs in zip(self._arrays(), other._arrays(), strict=True):
            mine[longer] = theirs[longer]

    def spread(self, order: SuffixOrder) -> "Longest":
        """From notes at suffixes to the longest match at every place of the stream, [stream]."""
        forward = [array.copy() for array in self._arrays()]
        _carry(order.shared, order.shortest, *forward)
        backward = [array[::-1].copy() for array in self._arrays()]
        _carry(np.append(order.shared[1:], np.uint16(0))[::-1].copy(), order.shortest, *backward)
        best = Longest(*forward)
        best.merge(Longest(*(array[::-1] for array in backward)))
        at_places = Longest.none(len(order.tokens))
        for there, here in zip(at_places._arrays(), best._arrays(), strict=True):
            there[order.places] = here
        return at_places

    def _arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.lengths, self.documents, self.offsets


@dataclass(frozen=True)
class ChunkMatches:
    """The longest match of each chunk of 64 tokens with the whole training text. Chunks follow each other document by
    document, as `chunks_of` cuts them."""

    document: np.ndarray
    """int64 [n]: the evaluation document."""
    start: np.ndarray
    """int64 [n]: its first token there."""
    tokens: np.ndarray
    """int64 [n]: at most 64; fewer in a document's last chunk."""
    length: np.ndarray
    """int64 [n]: s, the tokens of the longest match within the chunk; 0 where it is under `shortest`."""
    place: np.ndarray
    """int64 [n]: where the match begins in the chunk."""
    source: np.ndarray
    """int64 [n]: the number of a training document that holds it; −1 for none."""
    offset: np.ndarray
    """int64 [n]: the token at which it begins there."""

    @property
    def ratios(self) -> np.ndarray:
        """r, float64 [n]: over 64 for every chunk, as `overlap` says why."""
        return self.length / CHUNK_TOKENS


@compiled
def _largest(starts, counts, lengths, shortest, size, place):
    for n in range(len(starts)):
        for i in range(counts[n]):
            length = min(np.int64(lengths[starts[n] + i]), counts[n] - i)
            if length >= shortest and length > size[n]:
                size[n], place[n] = length, i


def chunk_matches(order: SuffixOrder, at_places: Longest) -> ChunkMatches:
    """s of each chunk from the longest match at each place (`Longest.spread`)."""
    ends = np.flatnonzero(order.tokens == 0)
    begins = np.concatenate([[0], ends + 1])[: len(ends)]
    chunks = -(-(ends - begins) // CHUNK_TOKENS)
    document = np.repeat(np.arange(len(ends)), chunks)
    start = (np.arange(len(document)) - np.repeat(np.cumsum(chunks) - chunks, chunks)) * CHUNK_TOKENS
    counts = np.minimum(CHUNK_TOKENS, (ends - begins)[document] - start)
    size, place = np.zeros((2, len(document)), dtype=np.int64)
    _largest(begins[document] + start, counts, at_places.lengths, order.shortest, size, place)
    there = begins[document] + start + place
    hit = size > 0
    return ChunkMatches(
        document=document,
        start=start,
        tokens=counts,
        length=size,
        place=place,
        source=np.where(hit, at_places.documents[there], -1),
        offset=np.where(hit, at_places.offsets[there], 0),
    )
