"""The work of `hutch db leakage`: training text and evaluation sets in, a report and its JSON document out."""

import dataclasses
import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hutch.cli.db_line import WorkLine
from hutch.retrieval.database.opening import FORMAT as DATABASE_FORMAT
from hutch.retrieval.leakage import (
    ALPHAS,
    CHUNK_TOKENS,
    ChunkMatches,
    DocumentRow,
    EvaluationDocument,
    LeakageReport,
    ScanConfig,
    SourceRow,
    VerdictConfig,
    chunks_of,
    filtered_bits_per_byte,
    neighbour_overlaps,
    neighbour_recall,
    read_evaluation,
    scan,
    short_items,
    verdict_quality,
)
from hutch.runs.atomic import read_json
from hutch.runs.configuration import plain
from hutch.runs.errors import BadInput
from hutch.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from hutch.retrieval.database import ChunkDatabase

NEIGHBOURS = 10
"""The paper's, in its r(C)."""

WRITTEN = "database.jsonl"
"""The file that a database's documents are written to while they are read."""


@dataclasses.dataclass(frozen=True)
class Found:
    """What a scan found."""

    report: LeakageReport
    """Of the evaluation documents, without known leaks."""
    document: dict[str, Any]
    """All of it, fit for JSON."""


@dataclasses.dataclass(frozen=True)
class Training:
    """The training text."""

    source: str
    """What the scan reads."""
    tokenizer: Tokenizer | None
    """None where there is only text."""
    database: "ChunkDatabase | None"


@contextmanager
def training_at(place: str, line: WorkLine) -> Iterator[Training]:
    """The text at `place`; that of a database is written out for as long as it is read."""
    folder = Path(place)
    if not (folder / "manifest.json").is_file():
        yield Training(place, None, None)
        return
    manifest = read_json(folder / "manifest.json")
    if not isinstance(manifest, dict) or manifest.get("format") != DATABASE_FORMAT:
        tokenizer = Tokenizer.load(folder / "tokenizer.json") if (folder / "tokenizer.json").is_file() else None
        yield Training(place, tokenizer, None)
        return
    from hutch.retrieval.database import ChunkDatabase

    database = ChunkDatabase.open(folder)
    with tempfile.TemporaryDirectory(prefix="leakage-") as scratch:
        path = Path(scratch) / WRITTEN
        write_texts(database, path, line)
        yield Training(str(path), database.tokenizer, database)


def write_texts(database: "ChunkDatabase", path: Path, line: WorkLine) -> None:
    """The documents of a database as JSON lines."""
    count = int(database.document_starts[-1])
    with path.open("w", encoding="utf-8") as handle:
        for number in range(count):
            if number % 100 == 0:
                line("reading the database", number, count)
            text = database.tokenizer.decode(database.document_tokens(number))
            handle.write(json.dumps({"id": f"document {number}", "text": text}) + "\n")
    line("reading the database", count, count)


def scan_for(
    training: str,
    evaluation: Sequence[str],
    *,
    known_leaks: str | None,
    short: bool,
    bits: Path | None,
    workers: int,
    line: WorkLine,
) -> Found:
    """Scan the evaluation sets, and the known leaks beside them. Raises BadInput for what cannot be read."""
    documents = [document for place in evaluation for document in read_evaluation(place)]
    leaks = read_evaluation(known_leaks) if known_leaks else []
    if leaks and not any(leak.leak for leak in leaks):
        raise BadInput(f'{known_leaks} says of no document how it was leaked: its rows need "leak": KIND')
    config = ScanConfig(verdicts=short_items() if short else VerdictConfig())
    with training_at(training, line) as text:
        encode = text.tokenizer.encode if text.tokenizer else None
        everything = scan([*documents, *leaks], text.source, config, encode=encode, workers=workers, on_progress=line)
        rows = tuple(named(row) for row in everything.rows[: len(documents)])
        report = dataclasses.replace(everything, training=training, rows=rows, chunks=None)
        chunks = chunks_document(everything.chunks, documents, text, bits, line)
    from_text = text.tokenizer is None
    document = report.as_dict() | {
        "known_leaks": quality(documents, leaks, everything, from_text) if leaks else None,
        "chunks": chunks,
    }
    return Found(report, document)


def named(row: DocumentRow) -> DocumentRow:
    """The row without the name of the file that a database was written to."""
    sources = (SourceRow(source.key.removeprefix(f"{WRITTEN}:"), source.words) for source in row.sources)
    return dataclasses.replace(row, sources=tuple(sources))


def quality(
    documents: list[EvaluationDocument], leaks: list[EvaluationDocument], report: LeakageReport, from_text: bool
) -> list[dict[str, Any]]:
    """Precision and recall of the verdicts on the known leaks."""
    rows = verdict_quality([*documents, *leaks], report.rows)
    return [
        plain(row)
        | {
            "precision": row.precision,
            "recall": row.recall,
            # A corpus and a database know their documents by number, not by the id that `leak_of` names.
            "source_accuracy": row.source_accuracy if from_text else None,
        }
        for row in rows
    ]


def chunks_document(
    matches: ChunkMatches | None,
    documents: list[EvaluationDocument],
    text: Training,
    bits: Path | None,
    line: WorkLine,
) -> dict[str, Any] | None:
    """r(C) of the chunks of the evaluation documents: how many are left at each α, what neighbours find of it, and
    the bits per byte of models. None where the training text has no tokenizer."""
    if matches is None or text.tokenizer is None:
        if bits is not None:
            raise BadInput("--bits needs chunks, which text alone has not: give a corpus or a database as TRAINING")
        return None
    tokens_nm, owner = chunks_of([np.array(text.tokenizer.encode(document.text), np.int64) for document in documents])
    exact = matches.ratios[matches.document < len(documents)]
    nearest = None
    if text.database is not None:
        line("searching the neighbours of the chunks", 0, len(tokens_nm))
        nearest = by_neighbours(text.database, tokens_nm)
        line("searching the neighbours of the chunks", len(tokens_nm), len(tokens_nm))
    lengths = np.append(text.tokenizer.byte_lengths, 0)
    return {
        "count": len(exact),
        "tokens": CHUNK_TOKENS,
        "alphas": list(ALPHAS),
        "share_left": [share(exact <= alpha) for alpha in ALPHAS],
        "share_left_by_neighbours": None if nearest is None else [share(nearest <= alpha) for alpha in ALPHAS],
        "neighbour_recall": None if nearest is None or not len(exact) else plain(neighbour_recall(exact, nearest)),
        "bits_per_byte": None
        if bits is None
        else without_nan(
            filtered_bits_per_byte(read_bits(bits, len(exact)), lengths[tokens_nm].sum(1), exact, owner).as_dict()
        ),
    }


def share(chosen: np.ndarray) -> float | None:
    """The share that is chosen, None of nothing."""
    return float(chosen.mean()) if len(chosen) else None


def by_neighbours(database: "ChunkDatabase", tokens_nm: np.ndarray) -> np.ndarray:
    """r(C) by the nearest neighbours of C itself."""
    k = min(NEIGHBOURS, len(database))
    return neighbour_overlaps(tokens_nm, lambda batch: database.values(database.search(batch, k).ids)).ratios()


def read_bits(path: Path, chunks: int) -> dict[str, np.ndarray]:
    """Bits of each chunk for each model. Raises BadInput for a file that holds something else."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: np.asarray(arrays[name]) for name in arrays.files}
    except (OSError, ValueError, AttributeError) as error:
        raise BadInput(f"--bits {path} is no .npz file with an array a model: {error}") from error
    for name, array in found.items():
        if array.shape != (chunks,):
            raise BadInput(f"--bits {path}: {name} has the shape {array.shape}; there are {chunks} chunks")
    return found


def without_nan(value: Any) -> Any:
    """The same with None for NaN, which JSON has not."""
    if isinstance(value, dict):
        return {name: without_nan(item) for name, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
