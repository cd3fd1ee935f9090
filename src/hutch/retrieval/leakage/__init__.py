"""Leakage: how much of an evaluation set stands in the training text, and what a model is worth on the rest.

    chunks + neighbours ──> r(C) ──┐
    chunks + training text ──> exact r ──> filtered bits per byte, recall of the neighbours
    documents + training text ──> verdicts with the passages side by side

- `overlap`            r(C) of the paper: the longest substring shared with the nearest neighbours
- `suffix_order`       the sorted suffixes of an evaluation set
- `longest_matches`    exact r: the longest match anywhere in the training text
- `curve`              bits per byte against the overlap that is allowed
- `neighbour_recall`   what the neighbours find of what is there
- `words`              a text as words that spaces, capitals and tokenizers do not change
- `windows`            an index of all windows of k symbols
- `shared_windows`     windows of words in both, and in how many training documents
- `verdicts`           clean, partly leaked, leaked, common text
- `evidence`           passages side by side
- `evaluation_sets`    JSON lines with a text, items of tasks
- `training_text`      corpora and sources in numbered documents, shared among processes
- `scan`               all of it: an evaluation set and training text in, a report out
- `scan_config`        what decides what a scan finds
- `scan_tasks`         what its processes do
- `scan_rows`          verdicts, sources and passages of each document
- `leakage_report`     the report and its files
- `known_leaks`        precision and recall of the verdicts
- `compiled`           loops that numba compiles when they are first called

>>> report = scan(read_evaluation("holdout/"), "train/", encode=tokenizer.encode)
>>> report.write_rows("leakage.jsonl")
"""

from hutch.retrieval.leakage.curve import ALPHAS, FilteredCurve, filtered_bits_per_byte
from hutch.retrieval.leakage.evaluation_sets import EvaluationDocument, read_evaluation
from hutch.retrieval.leakage.evidence import Passage, passages
from hutch.retrieval.leakage.known_leaks import VerdictQuality, verdict_quality
from hutch.retrieval.leakage.leakage_report import DocumentRow, LeakageReport, SourceRow
from hutch.retrieval.leakage.longest_matches import ChunkMatches
from hutch.retrieval.leakage.neighbour_recall import RecallRow, neighbour_recall
from hutch.retrieval.leakage.overlap import CHUNK_TOKENS, Overlaps, chunks_of, longest_overlaps, neighbour_overlaps
from hutch.retrieval.leakage.scan import scan
from hutch.retrieval.leakage.scan_config import ScanConfig
from hutch.retrieval.leakage.verdicts import VERDICTS, Verdict, VerdictConfig, short_items

__all__ = [
    "ALPHAS",
    "CHUNK_TOKENS",
    "VERDICTS",
    "ChunkMatches",
    "DocumentRow",
    "EvaluationDocument",
    "FilteredCurve",
    "LeakageReport",
    "Overlaps",
    "Passage",
    "RecallRow",
    "ScanConfig",
    "SourceRow",
    "Verdict",
    "VerdictConfig",
    "VerdictQuality",
    "chunks_of",
    "filtered_bits_per_byte",
    "longest_overlaps",
    "neighbour_overlaps",
    "neighbour_recall",
    "passages",
    "read_evaluation",
    "scan",
    "short_items",
    "verdict_quality",
]
