"""A leakage scan: an evaluation set against the training text, from both to the report.

    evaluation set ──> word windows, sorted suffixes ──> (training text streams past, in processes) ──> verdicts

The training text is read twice: once whole, and once for the documents that are named as sources, to show passages.
The result does not depend on the number of processes.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hutch.retrieval.leakage import scan_tasks
from hutch.retrieval.leakage.evaluation_sets import EvaluationDocument
from hutch.retrieval.leakage.leakage_report import LeakageReport
from hutch.retrieval.leakage.longest_matches import ChunkMatches, Longest, chunk_matches
from hutch.retrieval.leakage.scan_config import Progress, ScanConfig, silent
from hutch.retrieval.leakage.scan_rows import Scanned, evidence, rows_of
from hutch.retrieval.leakage.scan_tasks import Encode, ScanTask, read_progress, save_index
from hutch.retrieval.leakage.shared_windows import Sharing, WindowedWords
from hutch.retrieval.leakage.suffix_order import SuffixOrder, suffix_order
from hutch.retrieval.leakage.training_text import check_some, shared_among, training_source
from hutch.retrieval.leakage.verdicts import shared_text
from hutch.retrieval.leakage.words import words_of
from hutch.runs import Outcome, Task, run_tasks
from hutch.runs.errors import BadInput, HutchError
from hutch.text import Source


def scan(
    evaluation: Sequence[EvaluationDocument],
    training: str | Path,
    config: ScanConfig | None = None,
    *,
    encode: Encode | None = None,
    workers: int = 2,
    on_progress: Progress = silent,
    scratch: Path | None = None,
) -> LeakageReport:
    """Look for every document of an evaluation set in the training text.

    Args:
        training: a corpus folder, or anything that `hutch.text.read_source` reads.
        encode: text to token ids, such as `Tokenizer.encode`; adds the exact r(C) of every chunk.
        workers: processes.
        scratch: a folder for temporary files, about 30 bytes a word of the evaluation set for each task.

    Raises:
        BadInput: an empty evaluation set, training text that cannot be read, a library that is missing.
    """
    began, config = time.monotonic(), config or ScanConfig()
    if not evaluation:
        raise BadInput("the evaluation set is empty; nothing can be looked for")
    if workers < 1:
        raise BadInput(f"workers is {workers}; at least 1 is needed")
    source = training_source(training)
    try:
        with tempfile.TemporaryDirectory(dir=scratch, prefix="leakage-") as folder:
            scanned = stream(evaluation, source, config, encode, workers, on_progress, Path(folder))
    except OSError as error:
        raise HutchError(f"cannot write temporary files: {error.strerror or error}") from error
    check_some(scanned.documents, source)
    shown = evidence(evaluation, source, scanned.text, config, on_progress)
    return LeakageReport(
        training=str(training),
        training_documents=scanned.documents,
        config=config,
        rows=rows_of(evaluation, scanned, shown, config),
        chunks=scanned.chunks,
        source_keys=scanned.keys,
        seconds=time.monotonic() - began,
    )


def stream(
    evaluation: Sequence[EvaluationDocument],
    source: Source,
    config: ScanConfig,
    encode: Encode | None,
    workers: int,
    on_progress: Progress,
    folder: Path,
) -> Scanned:
    """Index the evaluation set, let the training text pass, put together what the processes found."""
    on_progress("indexing the evaluation set", 0, len(evaluation))
    hashes = [words_of(document.text).hashes for document in evaluation]
    words = WindowedWords.of(hashes, config.verdicts.window)
    save_index(words.index, folder)
    order = ordered_tokens(evaluation, config, encode, folder) if encode else None
    on_progress("indexing the evaluation set", len(evaluation), len(evaluation))
    tasks = tasks_of(source, config, encode, workers, folder)
    results = work(tasks, workers, on_progress)
    sharing = Sharing(len(words.index), config.verdicts.common_documents)
    for task in tasks:
        sharing.merge(Sharing.open(task.folder / "words.npz"))
    return Scanned(
        documents=sum(result["documents"] for result in results),
        keys={int(number): key for result in results for number, key in result["keys"].items()},
        text=shared_text(words, sharing, config.verdicts),
        chunks=merged_chunks(order, tasks) if order else None,
    )


def tasks_of(source: Source, config: ScanConfig, encode: Encode | None, workers: int, folder: Path) -> list[Task]:
    """The reading of the training text, as tasks that leave their results in folders below `folder`."""
    payloads = [
        ScanTask(
            training=source.name,
            shares=tuple(shares),
            indices=folder,
            window=config.verdicts.window,
            common_documents=config.verdicts.common_documents,
            encode=encode,
        )
        for shares in shared_among(source, workers)
    ]
    return [
        Task(f"scan-{place}", scan_tasks.__name__, "scan_shares", folder / f"scan-{place}", payload)
        for place, payload in enumerate(payloads)
    ]


def ordered_tokens(
    evaluation: Sequence[EvaluationDocument], config: ScanConfig, encode: Encode, folder: Path
) -> SuffixOrder:
    """The suffixes of the evaluation set's tokens, also on disk for the workers."""
    documents = [np.asarray(encode(document.text), dtype=np.int64) for document in evaluation]
    order = suffix_order(documents, config.shortest, config.longest)
    (folder / "tokens").mkdir()
    order.save(folder / "tokens")
    return order


def work(tasks: Sequence[Task], workers: int, on_progress: Progress) -> list[dict]:
    """Do the tasks; their results in order. Raises the first error of one."""
    results = {}

    def on_end(outcome: Outcome) -> None:
        if outcome.result is None:
            raise (BadInput if outcome.kind == "BadInput" else HutchError)(outcome.error)
        results[outcome.task.id] = outcome.result

    def on_tick() -> None:
        on_progress("reading the training text", sum(read_progress(task.folder) for task in tasks), 0)

    preload = ("numba", scan_tasks.__name__)
    run_tasks(tasks, workers=workers, on_end=on_end, on_tick=on_tick, preload=preload)
    total = sum(result["documents"] for result in results.values())
    on_progress("reading the training text", total, total)
    return [results[task.id] for task in tasks]


def merged_chunks(order: SuffixOrder, tasks: Sequence[Task]) -> ChunkMatches:
    """The exact matches of all processes together."""
    longest = Longest.none(len(order.places))
    for task in tasks:
        longest.merge(Longest.open(task.folder / "tokens.npz"))
    return chunk_matches(order, longest.spread(order))
