"""The evidence: passages of an evaluation document and of its source, side by side.

Runs of equal words are found greedily from the beginning of the evaluation document, each as long as it can be made,
and runs that about as many words interrupt on both sides, not many, are joined, so that an edited copy reads as one
passage.
"""

from dataclasses import dataclass

import numpy as np

from hutch.retrieval.leakage.windows import window_hashes
from hutch.retrieval.leakage.words import Words, words_of

GAP_WORDS = 30
"""Runs with at most so many words between them on both sides are one passage ..."""
GAP_DIFFERENCE = 5
"""... when so many more on one side at most: words dropped or put in."""
TRIED = 16
"""Places in the source that a run is tried at, where its first words stand at many."""
CUT = " […] "


@dataclass(frozen=True)
class Passage:
    """Text that stands in both."""

    words: int
    """Words of the evaluation document in equal runs."""
    start: int
    """First character in the evaluation document."""
    end: int
    """Behind the last one."""
    source_start: int
    source_end: int
    text: str
    """The evaluation document's text, its middle cut out where it is long."""
    source_text: str
    """The source's text."""


@dataclass(frozen=True)
class Run:
    """Equal words: `length` of them from word `here` of the evaluation document and from word `there` of the source."""

    here: int
    there: int
    length: int


def passages(text: str, source_text: str, window: int, *, most: int = 5, characters: int = 400) -> tuple[Passage, ...]:
    """The longest passages that both texts share, in the order of `text`: at most `most`, each of at least `window`
    equal words in one run, shown with at most so many characters of each side."""
    here, there = words_of(text), words_of(source_text)
    joined = join(runs(here.hashes, there.hashes, window))
    longest = sorted(joined, key=lambda group: -sum(run.length for run in group))[:most]
    return tuple(
        passage_of(group, here, there, text, source_text, characters)
        for group in sorted(longest, key=lambda group: group[0].here)
    )


def runs(here: np.ndarray, there: np.ndarray, window: int) -> list[Run]:
    """Runs of at least `window` equal words, from left to right, that share no word of `here`."""
    windows, sources = window_hashes(here, window), window_hashes(there, window)
    order = np.argsort(sources, kind="stable")
    begins = np.searchsorted(sources[order], windows, "left")
    ends = np.searchsorted(sources[order], windows, "right")
    found, free = [], 0
    for place in np.flatnonzero(ends > begins):
        if place >= free:
            candidates = order[begins[place] : ends[place]][:TRIED]
            lengths = [equal_words(here[place:], there[candidate:]) for candidate in candidates]
            best = int(np.argmax(lengths))
            if lengths[best] >= window:
                found.append(Run(int(place), int(candidates[best]), lengths[best]))
                free = place + lengths[best]
    return found


def equal_words(here: np.ndarray, there: np.ndarray) -> int:
    """How many first words are equal."""
    step, done = 64, 0
    size = min(len(here), len(there))
    while done < size:
        end = min(size, done + step)
        other = np.flatnonzero(here[done:end] != there[done:end])
        if len(other):
            return done + int(other[0])
        done, step = end, 2 * step
    return size


def join(found: list[Run]) -> list[list[Run]]:
    """Neighbouring runs as groups that are one passage."""
    groups: list[list[Run]] = []
    for run in found:
        last = groups[-1][-1] if groups else None
        if last and close(run.here - last.here - last.length, run.there - last.there - last.length):
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


def close(here: int, there: int) -> bool:
    """Whether two runs with so many words between them on either side, negative where they overlap, are close."""
    return min(here, there) >= 0 and max(here, there) <= GAP_WORDS and abs(here - there) <= GAP_DIFFERENCE


def passage_of(group: list[Run], here: Words, there: Words, text: str, source_text: str, characters: int) -> Passage:
    """A group of runs as text."""
    first, last = group[0], group[-1]
    start, end = int(here.starts[first.here]), int(here.ends[last.here + last.length - 1])
    source_start, source_end = int(there.starts[first.there]), int(there.ends[last.there + last.length - 1])
    return Passage(
        words=sum(run.length for run in group),
        start=start,
        end=end,
        source_start=source_start,
        source_end=source_end,
        text=shortened(text[start:end], characters),
        source_text=shortened(source_text[source_start:source_end], characters),
    )


def shortened(text: str, characters: int) -> str:
    """The text, or its two ends where it has more than so many characters."""
    if len(text) <= characters:
        return text
    half = max(1, (characters - len(CUT)) // 2)
    return text[:half] + CUT + text[-half:]
