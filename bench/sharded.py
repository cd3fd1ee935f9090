"""The search over Ray actors against the local one: what the way there and back costs, and what two actors give.

    unshare --map-root-user --net python bench/sharded.py [--chunks 80000] [--dimensions 128] [--queries 2048] [--json]

A database of two segments of random topics, flat and HNSW. For each: queries a second of a batch, and milliseconds of
a single query, by `ChunkDatabase.search` in this process and by two actors; rounds interleaved, medians. One thread of
faiss each, so that two actors on two free cores can at most halve a batch's time.

Run it in a network of its own as above (Ray listens on all interfaces). Writes bench/sharded.json.
"""

import argparse
import functools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from hutch.retrieval.database import ChunkDatabase, DatabaseConfig, append_to_database, build_database
from hutch.retrieval.embedders import StaticConfig
from hutch.retrieval.index import IndexConfig
from hutch.retrieval.index.building import faiss_threads
from hutch.retrieval.sharded import ShardedDatabase, sharded
from hutch.text import Tokenizer
from hutch.text.shards import Shard, ShardWriter

K, CHUNK, ROUNDS, SINGLES = 2, 64, 5, 40
TOPICS = 50


def loopback_up() -> None:
    """What `ip link set lo up` does; in a network of its own it is down at first."""
    import fcntl
    import socket
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(handle, 0x8913, request))[1]
        fcntl.ioctl(handle, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


def written(folder: Path, chunks: int, seed: int, tokenizer: Tokenizer) -> Shard:
    """A shard of documents of four chunks, each of one topic and some noise."""
    random = np.random.default_rng(seed)
    topics = np.random.default_rng(99).integers(256, size=(TOPICS, 24))
    with ShardWriter(folder, tokenizer, ("topics",), "bench") as writer:
        for _ in range(chunks // 4):
            text = random.choice(topics[random.integers(TOPICS)], 4 * CHUNK)
            noise = random.random(4 * CHUNK) < 0.3
            writer.add(np.where(noise, random.integers(256, size=4 * CHUNK), text), 0)
    return Shard.open(folder)


def built(folder: Path, kind: Any, chunks: int, dimensions: int) -> ChunkDatabase:
    """Two segments of half the chunks each."""
    tokenizer = Tokenizer(())
    config = DatabaseConfig(chunk=CHUNK, value=2 * CHUNK, index=IndexConfig(kind=kind))
    embedder = StaticConfig(dimensions=dimensions, chunks=5000)
    first, second = (written(folder / f"shard{i}", chunks // 2, i, tokenizer) for i in range(2))
    build_database(first, tokenizer, folder / "database", config=config, embedder=embedder)
    return append_to_database(second, folder / "database")


def seconds(work: Callable[[Any], Any], searched: ChunkDatabase | ShardedDatabase) -> float:
    began = time.perf_counter()
    work(searched)
    return time.perf_counter() - began


def one_query(searched: ChunkDatabase | ShardedDatabase, vector_d: np.ndarray) -> Any:
    return searched.search(vector_d[None], K)


def figures(database: ChunkDatabase, wide: ShardedDatabase, queries: int) -> dict[str, Any]:
    """Medians of interleaved rounds, and whether the answers are the same."""
    ids = np.random.default_rng(0).choice(len(database), queries, replace=False)
    tokens, own = database.chunk_tokens(ids), database.document_hash_of(ids)
    vectors = database.embedder.embed(tokens, database.tokenizer)
    ways: dict[str, Callable[[Any], Any]] = {
        "by vectors": lambda searched: searched.search(vectors, K),
        "own document excluded": lambda searched: searched.search(vectors, K, exclude_documents=own),
        "re-ranked": lambda searched: searched.search(tokens, K, retriever="reranked"),
    }
    found: dict[str, Any] = {}
    with faiss_threads(1):
        for name, way in ways.items():
            same = np.array_equal(way(database).ids, way(wide).ids)
            taken = [(seconds(way, database), seconds(way, wide)) for _ in range(ROUNDS)]
            local, remote = (statistics.median(column) for column in zip(*taken, strict=True))
            found[name] = {
                "local_queries_per_second": queries / local,
                "sharded_queries_per_second": queries / remote,
                "sharded_over_local": local / remote,
                "same_ids": same,
            }
        singles = [functools.partial(one_query, vector_d=vector) for vector in vectors[:SINGLES]]
        taken = [(seconds(one, database), seconds(one, wide)) for one in singles]
    local, remote = (statistics.median(column) * 1000 for column in zip(*taken, strict=True))
    found["single query"] = {"local_ms": local, "sharded_ms": remote, "sharded_over_local": remote / local}
    return found


def shown(document: dict[str, Any]) -> str:
    """For a person."""
    lines = [f"{document['chunks']:,} chunks, {document['dimensions']} dimensions, load {document['load']:.1f}"]
    for kind in ("flat", "hnsw"):
        part = dict(document[kind])
        single = part.pop("single query")
        for name, row in part.items():
            lines.append(
                f"{kind:>5}  {name:<22} local {row['local_queries_per_second']:8,.0f} queries/s, two actors "
                f"{row['sharded_queries_per_second']:8,.0f}: {row['sharded_over_local']:.2f}×"
                f"{'' if row['same_ids'] else '  OTHER IDS'}"
            )
        lines.append(
            f"{kind:>5}  one query              local {single['local_ms']:8.2f} ms, two actors "
            f"{single['sharded_ms']:8.2f} ms: {single['sharded_over_local']:.1f} times as long"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--chunks", type=int, default=80_000)
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--queries", type=int, default=2048)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    loopback_up()
    document: dict[str, Any] = {
        "chunks": options.chunks,
        "dimensions": options.dimensions,
        "queries": options.queries,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }
    with tempfile.TemporaryDirectory() as place:
        for kind in ("flat", "hnsw"):
            database = built(Path(place) / kind, kind, options.chunks, options.dimensions)
            with sharded(database) as wide:
                document[kind] = figures(database, wide, options.queries)
    Path(__file__).with_suffix(".json").write_text(json.dumps(document, indent=1))
    print(json.dumps(document, indent=1) if options.json else shown(document))


if __name__ == "__main__":
    main()
