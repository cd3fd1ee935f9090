"""What all runs of a study share: corpus, database, neighbours of the training text, and of the held-out text.

    folder/corpus/  database/  neighbours/     as their packages leave them
    folder/evaluation/neighbours-<chunks>.npy  int [windows, chunks of a window, k] for each size of the database
    folder/evaluation/chunks.npz               `HeldOut`

Each is kept as soon as it is whole, so that a study that was interrupted goes on behind it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.database import (
    ChunkDatabase,
    DatabaseConfig,
    JoinConfig,
    NeighbourTable,
    build_database,
    join_neighbours,
)
from hutch.retrieval.database.searching import FIRST_WIDTH
from hutch.retrieval.embedders import Embedder, TransformerEmbedder
from hutch.retrieval.index.building import distance_computations
from hutch.retrieval.index.libraries import library
from hutch.retrieval.index.rule import IndexConfig
from hutch.retrieval.leakage.longest_matches import Longest, chunk_matches
from hutch.retrieval.leakage.overlap import chunks_of, neighbour_overlaps
from hutch.retrieval.leakage.suffix_order import suffix_order
from hutch.retrieval.training.retrieved_likelihood import HeldOutWindows
from hutch.runs.atomic import atomic_path, read_json, write_json
from hutch.studies.retrieval.configuration import CHUNK, RetrievalConfig
from hutch.studies.retrieval.scores import HeldOut
from hutch.studies.retrieval.settings import database_sizes
from hutch.studies.session import stages
from hutch.text import Corpus, Shard, build_corpus

LIBRARIES = ("faiss", "numba", "pydivsufsort")
SHORTEST = 4
"""Tokens of the shortest overlap that the exact mode sees; half of the paper's 12.5 % of a chunk."""
LEAKAGE_NEIGHBOURS = 10
"""Neighbours of a chunk that the paper's r(C) looks at (§2.6)."""
COUNTED = 200
"""Chunks of the database whose search is counted; the count of a walk through a graph differs from query to query."""


@dataclass(frozen=True)
class Materials:
    """What the runs are made from."""

    corpus: Corpus
    database: ChunkDatabase
    table: NeighbourTable
    held_out: HeldOut
    facts: dict[str, Any]
    """What was made, and how long each stage took."""


def evaluation_file(folder: Path, chunks: int) -> Path:
    """Neighbours of the held-out text in the first `chunks` chunks of the database."""
    return folder / "evaluation" / f"neighbours-{chunks}.npy"


def corpus_of(config: RetrievalConfig, folder: Path, workers: int, on_message: Callable[[str], None]) -> Corpus:
    """The study's corpus; libraries that come later are asked for first."""
    for name in LIBRARIES:
        library(name)
    return build_corpus(config.corpus(), folder / "corpus", workers=workers, progress=stages("corpus", on_message))


def prepare(
    config: RetrievalConfig, corpus: Corpus, folder: Path, workers: int, on_message: Callable[[str], None]
) -> Materials:
    """Everything between the corpus and the runs."""
    with timed(folder, "database"):
        database = build_database(
            corpus.train,
            corpus.tokenizer,
            folder / "database",
            embedder=embedder_of(config),
            config=DatabaseConfig(retriever=config.retriever, index=IndexConfig(kind="hnsw")),
            workers=workers,
            on_progress=stages("database", on_message),
        )
    sizes = database_sizes(config, len(database))
    with timed(folder, "join"):
        table = join_neighbours(
            corpus.train,
            database,
            folder / "neighbours",
            config=JoinConfig(k=config.neighbours, context=config.context),
            workers=workers,
            on_progress=stages("neighbours", on_message),
        )
    windows = HeldOutWindows.of(corpus.holdout, config.context, corpus.tokenizer.end_of_document)
    with timed(folder, "evaluation neighbours"):
        for size in sizes:
            if not evaluation_file(folder, size).exists():
                on_message(f"neighbours of the held-out text among {size:,} chunks")
                found = windows.neighbours(database.limited(size), config.evaluated_neighbours[-1])
                save_array(evaluation_file(folder, size), found)
    with timed(folder, "overlaps"):
        held_out = held_out_of(corpus, database, folder, on_message)
    facts = {
        "seconds_by_stage": dict(read_json(folder / "evaluation" / "seconds.json")),
        "database": database_facts(database),
        "sizes": sizes,
        "join": {"rows": len(table.ids), "short": table.short},
        "query_chunks": int(windows.whole_chunks(CHUNK).sum()),
        "holdout_tokens": int((windows.owner_wt >= 0).sum()),
    }
    return Materials(corpus, database, table, held_out, facts)


def embedder_of(config: RetrievalConfig) -> Embedder | None:
    """None: word vectors that the database learns from itself."""
    return None if config.embedder == "static" else TransformerEmbedder(config.embedder)


def database_facts(database: ChunkDatabase) -> dict[str, Any]:
    """The database, and what a search of it computes."""
    segment = database.segments[0]
    dimensions = database.manifest["embedder"]["dimensions"]
    index = segment.manifest["index"]
    sample = np.unique(np.linspace(0, len(segment) - 1, COUNTED).astype(int))
    queries = np.asarray(segment.vectors.array[sample], np.float32)
    return {
        "chunks": len(database),
        "documents": int(database.document_starts[-1]),
        "tokens": int(sum(len(part.tokens) for part in database.segments)),
        "dimensions": dimensions,
        "embedder": database.manifest["embedder"]["name"],
        "retriever": database.config.retriever,
        "index": index["kind"],
        "recall_at_2": index["recall_at_2"],
        "recall_at_10": index["recall_at_10"],
        "digest": database.digest,
        "bytes": database.disk_bytes,
        "distances_joining": distance_computations(segment.index, queries, FIRST_WIDTH),
        "distances_searching": distance_computations(segment.index, queries, LEAKAGE_NEIGHBOURS),
    }


def held_out_of(corpus: Corpus, database: ChunkDatabase, folder: Path, on_message: Callable[[str], None]) -> HeldOut:
    """The held-out chunks with both overlaps; kept in the folder."""
    path = folder / "evaluation" / "chunks.npz"
    if not path.exists():
        on_message("overlaps of the held-out text with the training text")
        texts = [corpus.holdout.document(i)[:-1].astype(np.int64) for i in range(len(corpus.holdout))]
        chunks_nm, document_n = chunks_of(texts)

        def neighbours(batch_nm: np.ndarray) -> np.ndarray:
            return database.values(database.search(batch_nm, LEAKAGE_NEIGHBOURS).ids)

        held_out = HeldOut(
            document=document_n,
            bytes=np.where(chunks_nm >= 0, corpus.tokenizer.byte_lengths[chunks_nm], 0).sum(1),
            tokens=(chunks_nm >= 0).sum(1),
            by_neighbours=neighbour_overlaps(chunks_nm, neighbours).ratios(),
            exact=exact_overlaps(texts, corpus.train),
            subset=np.asarray(corpus.holdout.documents["subset"]),
        )
        with atomic_path(path) as temporary, temporary.open("wb") as handle:
            np.savez(handle, **vars(held_out))
    return HeldOut.open(path)


def exact_overlaps(texts: list[np.ndarray], training: Shard) -> np.ndarray:
    """r of each chunk by the longest match anywhere in the training text, [n]; 0 below `SHORTEST` tokens."""
    order = suffix_order(texts, SHORTEST, CHUNK)
    longest = Longest.none(len(order.places))
    for number in range(len(training)):
        longest.add(order, number, training.document(number)[:-1])
    return chunk_matches(order, longest.spread(order)).ratios


def save_array(path: Path, values: np.ndarray) -> None:
    """Write an array, whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.save(handle, values)


@contextmanager
def timed(folder: Path, stage: str) -> Iterator[None]:
    """Add the seconds of a stage to evaluation/seconds.json, unless it only opened what was there."""
    path = folder / "evaluation" / "seconds.json"
    known = read_json(path) if path.exists() else {}
    began = time.perf_counter()
    yield
    if stage not in known:
        write_json(path, known | {stage: time.perf_counter() - began})
