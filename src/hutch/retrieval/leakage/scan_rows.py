"""From what a scan found to the rows of its report: verdicts, names of the sources, passages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hutch.retrieval.leakage.evaluation_sets import EvaluationDocument
from hutch.retrieval.leakage.evidence import Passage, passages
from hutch.retrieval.leakage.leakage_report import DocumentRow, SourceRow
from hutch.retrieval.leakage.longest_matches import ChunkMatches
from hutch.retrieval.leakage.scan_config import Progress, ScanConfig
from hutch.retrieval.leakage.training_text import chosen
from hutch.retrieval.leakage.verdicts import SharedText, verdict_of
from hutch.text import Source


@dataclass(frozen=True)
class Scanned:
    """What the first reading of the training text found."""

    documents: int
    keys: dict[int, str]
    """Names of the training documents that share anything."""
    text: SharedText
    chunks: ChunkMatches | None


def evidence(
    evaluation: Sequence[EvaluationDocument],
    source: Source,
    text: SharedText,
    config: ScanConfig,
    on_progress: Progress,
) -> dict[int, tuple[Passage, ...]]:
    """For each evaluation document with a source the passages that it shares with the best one."""
    by_source: dict[int, list[int]] = {}
    for place, sources in enumerate(text.sources):
        if sources and config.passages:
            by_source.setdefault(sources[0][0], []).append(place)
    found: dict[int, tuple[Passage, ...]] = {}
    for number, document in chosen(source, list(by_source)):
        for place in by_source[number]:
            found[place] = passages(
                evaluation[place].text,
                document.text,
                config.verdicts.window,
                most=config.passages,
                characters=config.passage_characters,
            )
        on_progress("comparing with the sources", len(found), sum(map(len, by_source.values())))
    return found


def rows_of(
    evaluation: Sequence[EvaluationDocument],
    scanned: Scanned,
    shown: dict[int, tuple[Passage, ...]],
    config: ScanConfig,
) -> tuple[DocumentRow, ...]:
    """A row for each evaluation document."""
    text, ratios = scanned.text, mean_ratios(scanned.chunks, len(evaluation))
    rows = []
    for place, document in enumerate(evaluation):
        shared, common, words = float(text.shared[place]), float(text.common[place]), int(text.words[place])
        sources = text.sources[place][: config.verdicts.sources]
        rows.append(
            DocumentRow(
                id=document.id,
                subset=document.subset,
                verdict=verdict_of(shared, common, words, config.verdicts),
                words=words,
                shared=shared,
                common=common,
                anywhere=float(text.anywhere[place]),
                sources=tuple(SourceRow(scanned.keys[number], count) for number, count in sources),
                passages=shown.get(place, ()),
                mean_ratio=ratios[place],
            )
        )
    return tuple(rows)


def mean_ratios(chunks: ChunkMatches | None, documents: int) -> list[float | None]:
    """r of each document's chunks, weighted by their tokens; None without the exact mode or tokens."""
    if chunks is None:
        return [None] * documents
    tokens = np.bincount(chunks.document, chunks.tokens, minlength=documents)
    sums = np.bincount(chunks.document, chunks.tokens * chunks.ratios, minlength=documents)
    return [float(total / count) if count else None for total, count in zip(sums, tokens, strict=True)]
