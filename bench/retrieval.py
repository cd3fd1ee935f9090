"""The chunk database against bare faiss, and what it costs to build.

    python bench/retrieval.py [--source TEXT] [--tokens 12M] [--queries 2000] [--parts search,growth,step,leakage]
                              [--leakage-corpus FOLDER] [--json]

- search: a database of the source's text; queries a CPU second of `ChunkDatabase.search` for two neighbours, by vectors
  and by tokens (embedding included), without and with each query's own document excluded, over those of the bare faiss
  index with the same effort; recall@2 against an exact search; bytes on disk over the arrays'; chunks a CPU second of
  the build, and its peak memory.
- growth: distances that HNSW computes for a query as the database doubles, at the build's effort and at one that
  reaches a recall@2 of 0.95.
- step, leakage: bench/retro.py and bench/leakage.py, which can be run by themselves.

One thread. Writes bench/retrieval.json.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from hutch.retrieval.database import ChunkDatabase, DatabaseConfig, build_database
from hutch.retrieval.index import IndexConfig
from hutch.retrieval.index.building import distance_computations, faiss_threads
from hutch.retrieval.index.flat import FlatIndex
from hutch.retrieval.index.hnsw import HnswIndex
from hutch.retrieval.index.recall import RecallSample, raise_effort
from hutch.retrieval.index.vectors import Vectors
from hutch.text import CorpusConfig, build_corpus

K, ROUNDS = 2, 5
SMALLEST = 6_250
PARTS = ("search", "growth", "step", "leakage")


def cpu_seconds(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def built(source: str, tokens: int, folder: Path) -> tuple[ChunkDatabase, dict[str, float]]:
    """The database of a source's text, and what its build took."""
    corpus = build_corpus(CorpusConfig(source=source, train_tokens=tokens), folder / "corpus")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    database: list[ChunkDatabase] = []

    def build() -> None:
        config = DatabaseConfig(index=IndexConfig(kind="hnsw"))
        database.append(build_database(corpus, corpus.tokenizer, folder / "database", config=config))

    seconds = cpu_seconds(build)
    found = database[0]
    return found, {
        "chunks": len(found),
        "build_chunks_per_second": len(found) / seconds,
        "build_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "peak_mb_before": before / 1024,
        "disk_over_arrays": found.disk_bytes / found.paper_bytes,
    }


def search_figures(database: ChunkDatabase, queries: int) -> dict[str, Any]:
    """Queries a CPU second by several ways, interleaved; each query is a chunk of the database."""
    ids = np.random.default_rng(0).choice(len(database), queries, replace=False)
    tokens = database.chunk_tokens(ids)
    vectors = database.embedder.embed(tokens, database.tokenizer)
    own = database.document_hash_of(ids)
    index = database.segments[0].index
    assert isinstance(index, HnswIndex)

    def bare() -> Any:
        import faiss

        parameters = faiss.SearchParametersHNSW(efSearch=index.effort)
        return index.graph.search(vectors, K, params=parameters)[1]

    ways = {
        "bare faiss": bare,
        "by vectors": lambda: database.search(vectors, K),
        "by tokens": lambda: database.search(tokens, K),
        "own document excluded": lambda: database.search(vectors, K, exclude_documents=own),
        "re-ranked": lambda: database.search(tokens, K, retriever="reranked"),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    with faiss_threads(1):
        for round_ in range(ROUNDS + 1):
            for name, work in ways.items():
                seconds = cpu_seconds(work)
                if round_:
                    taken[name].append(seconds)
        exact = FlatIndex(database.segments[0].vectors).search(vectors, K)[1]
        found = database.search(vectors, K).distances
    middle = {name: statistics.median(seconds) for name, seconds in taken.items()}
    return {
        "queries_per_second": {name: queries / seconds for name, seconds in middle.items()},
        "over_bare": {name: seconds / middle["bare faiss"] for name, seconds in middle.items()},
        "recall_at_2": float((found <= exact[:, -1:] + 1e-4).mean()),
        "effort": index.effort,
    }


def growth_figures(vectors: Vectors, queries: int, folder: Path) -> list[dict[str, float]]:
    """One row for each doubling."""
    rows, count = [], SMALLEST
    while count <= vectors.count:
        part = vectors.first(count)
        config = IndexConfig(kind="hnsw")
        with faiss_threads(1):
            index = HnswIndex.build(part, config, folder / f"{count}.faiss")
            sample = RecallSample.draw(part, config)
            asked = part.array[sample.ids_n[:queries]].astype(np.float32)
            at_first = distance_computations(index, asked, K)
            recall = raise_effort(index, sample, config)
            rows.append(
                {
                    "chunks": count,
                    "distances_at_16": at_first,
                    "effort": index.effort,
                    "distances": distance_computations(index, asked, K),
                    "recall_at_2": recall.recall_at_2,
                }
            )
        count *= 2
    return rows


def other(script: str, *arguments: str) -> Any:
    """What another benchmark prints as JSON."""
    place = Path(__file__).with_name(script)
    done = subprocess.run(
        [sys.executable, str(place), "--json", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return None
    return json.loads(done.stdout)


def shown(document: dict[str, Any]) -> str:
    """For a person."""
    lines = []
    if "search" in document:
        part = document["search"]
        lines.append(
            f"{part['chunks']:,} chunks: {part['build_chunks_per_second']:,.0f} chunks/CPU-s built, peak "
            f"{part['build_peak_mb']:,.0f} MB, disk {part['disk_over_arrays']:.2f} times the arrays"
        )
        lines.append(f"recall@2 {part['recall_at_2']:.3f} at efSearch {part['effort']}")
        for name, ratio in part["over_bare"].items():
            lines.append(f"{name:>24}  {part['queries_per_second'][name]:>8,.0f} queries/CPU-s  {ratio:.2f}× bare")
    lines += [
        f"{row['chunks']:>9,} chunks  {row['distances_at_16']:7.0f} distances a query at efSearch 16; "
        f"{row['distances']:7.0f} at {row['effort']:.0f}, recall@2 {row['recall_at_2']:.3f}"
        for row in document.get("growth", [])
    ]
    for name in ("step", "leakage"):
        if name in document:
            lines += [f"{name}:", json.dumps(document[name], indent=1)]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--source", default="embedded")
    parser.add_argument("--tokens", type=lambda text: int(float(text.replace("M", "e6"))), default=12_000_000)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--parts", default="search,growth")
    parser.add_argument("--leakage-corpus")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    parts = options.parts.split(",")
    if not set(parts) <= set(PARTS):
        parser.error(f"--parts are some of {','.join(PARTS)}")
    document: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if {"search", "growth"} & set(parts):
            database, building = built(options.source, options.tokens, folder)
            if "search" in parts:
                document["search"] = building | search_figures(database, options.queries)
            if "growth" in parts:
                document["growth"] = growth_figures(database.segments[0].vectors, options.queries, folder)
    if "step" in parts:
        document["step"] = other("retro.py")
    if "leakage" in parts:
        document["leakage"] = other(
            "leakage.py", *(["--corpus", options.leakage_corpus] if options.leakage_corpus else [])
        )
    Path(__file__).with_suffix(".json").write_text(json.dumps(document, indent=1))
    print(json.dumps(document, indent=1) if options.json else shown(document))


if __name__ == "__main__":
    main()
