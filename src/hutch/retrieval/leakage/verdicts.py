"""A verdict for each evaluation document: was it, or a part of it, in the training text?

The evidence is words that lie in windows shared with few training documents (`shared_windows`), so neither another
tokenizer nor other spaces nor a dropped word here and there hide a copy, and text that stands everywhere incriminates
nobody. What counts is the share of the document's words that its sources cover: its best source, and every other
training document that shares a passage of some length, since long training texts are often cut into several documents.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hutch.retrieval.leakage.shared_windows import Sharing, WindowedWords, pairs_of
from hutch.runs.errors import BadInput

Verdict = Literal["clean", "partly leaked", "leaked", "common text", "too short"]
VERDICTS: tuple[Verdict, ...] = ("clean", "partly leaked", "leaked", "common text", "too short")


@dataclass(frozen=True, kw_only=True)
class VerdictConfig:
    """Where the lines between the verdicts are."""

    window: int = 13
    """Words of a window. 13 is what GPT-3 and RETRO compare; where 3 % of the words are dropped, 94 % of the rest still
    lie in 13 words that stand together."""

    common_documents: int = 10
    """A window in more training documents than this is common text and no evidence. Copies of one page are rarely more,
    licences and templates are."""

    partly: float = 1 / 3
    """From this share of a document's words in its sources it is partly leaked: a half-copied document stands well
    above it, and natural quotation well below."""

    leaked: float = 2 / 3
    """From this share it is leaked: more than a half-copied document has, less than a copy with a word dropped in
    thirty."""

    least_words: int = 20
    """Fewer shared words than this are no evidence, in a document of any length: a window and a half."""

    passage_words: int = 100
    """A training document other than the best source counts where it shares so many words: a page, not a phrase."""

    sources: int = 3
    """Sources named in a row at most."""

    def __post_init__(self) -> None:
        for name in ("window", "common_documents", "least_words", "passage_words", "sources"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name)}; it must be at least 1")
        if not 0 < self.partly <= self.leaked <= 1:
            raise BadInput(f"partly is {self.partly} and leaked {self.leaked}; 0 < partly ≤ leaked ≤ 1 is needed")


def short_items() -> VerdictConfig:
    """For questions and other items of fewer than 20 words: windows of 8 words, one of which is enough for a verdict.
    They are turns of phrase more often."""
    return VerdictConfig(window=8, least_words=8)


@dataclass(frozen=True)
class SharedText:
    """What the evaluation documents share with the training text."""

    words: np.ndarray
    """int64 [documents]: words of each document."""
    shared: np.ndarray
    """float64 [documents]: share of the words that its sources cover; decides the verdict."""
    common: np.ndarray
    """float64 [documents]: share in windows of common text."""
    anywhere: np.ndarray
    """float64 [documents]: share in windows that stand in any training document."""
    sources: list[list[tuple[int, int]]]
    """For each document its sources, the best first: number of the training document, words shared. Of equals the
    earlier."""


def shared_text(words: WindowedWords, sharing: Sharing, config: VerdictConfig) -> SharedText:
    """Weigh the windows that evaluation documents share with training documents."""
    document, source, place = pairs_of(words, sharing)
    by_source = words.covered(document, source, place)
    kept = counted_sources(by_source.document, by_source.words, config)
    group = pair_rows(by_source.document, by_source.group, document, source)
    counted = kept[group] if len(group) else np.empty(0, dtype=bool)
    counts = sharing.counts[words.window]
    return SharedText(
        words=words.words,
        shared=share_of(words, document[counted], place[counted]),
        common=share_of(words, *where(words, counts > config.common_documents)),
        anywhere=share_of(words, *where(words, counts > 0)),
        sources=ranked(by_source.document[kept], by_source.group[kept], by_source.words[kept], len(words.words)),
    )


def counted_sources(document: np.ndarray, words: np.ndarray, config: VerdictConfig) -> np.ndarray:
    """Which (document, source) rows count, as booleans: the best of each document and long passages."""
    best = np.zeros(document.max(initial=-1) + 1, dtype=np.int64)
    np.maximum.at(best, document, words)
    return (words >= config.least_words) & ((words == best[document]) | (words >= config.passage_words))


def pair_rows(document: np.ndarray, source: np.ndarray, documents: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """The row of each pair (`documents`, `sources`) in the sorted table (`document`, `source`)."""
    known, number = np.unique(np.concatenate([source, sources]), return_inverse=True)
    keys = document * max(1, len(known)) + number[: len(source)]
    return np.searchsorted(keys, documents * max(1, len(known)) + number[len(source) :])


def where(words: WindowedWords, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Documents and places of the chosen windows."""
    return words.document[chosen], words.place[chosen]


def share_of(words: WindowedWords, document: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Share of each document's words that the windows at these places cover, float64 [documents]."""
    covered = words.covered(document, np.zeros_like(document), place)
    total = np.zeros(len(words.words))
    total[covered.document] = covered.words
    return total / np.maximum(1, words.words)


def ranked(document: np.ndarray, source: np.ndarray, words: np.ndarray, count: int) -> list[list[tuple[int, int]]]:
    """The sources of each document, by words shared."""
    sources: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for row in np.lexsort((source, -words, document)):
        sources[document[row]].append((int(source[row]), int(words[row])))
    return sources


def verdict_of(shared: float, common: float, words: int, config: VerdictConfig) -> Verdict:
    """The verdict on a document of so many words with such shares."""
    if words < max(config.window, config.least_words):
        return "too short"
    if shared >= config.leaked:
        return "leaked"
    if shared >= config.partly:
        return "partly leaked"
    return "common text" if common >= config.partly else "clean"
