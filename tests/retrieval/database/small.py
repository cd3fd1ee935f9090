"""Small shards and databases whose answers a slow, obvious search gives."""

import numpy as np

from hutch.retrieval.database import ChunkDatabase, DatabaseConfig, build_database
from hutch.retrieval.embedders import StaticConfig
from hutch.retrieval.index import IndexConfig
from hutch.text import Tokenizer
from hutch.text.shards import Shard, ShardWriter

CHUNK, VALUE = 8, 16
TOKENIZER = Tokenizer(())
"""The bytes and the end of document."""
STATIC = StaticConfig(dimensions=16, window=4)


def documents(count, seed=0, longest=90):
    """Token ids of documents that speak of one of five topics; of 0 to `longest` tokens."""
    random = np.random.default_rng(seed)
    topics = np.random.default_rng(99).permutation(200).reshape(5, 40)
    lengths = random.integers(longest + 1, size=count)
    return [random.choice(topics[random.integers(5)], length) for length in lengths]


def write_shard(folder, texts, tokenizer=TOKENIZER):
    with ShardWriter(folder, tokenizer, ("odd", "even"), "test") as writer:
        for number, text in enumerate(texts):
            writer.add(np.asarray(text, np.int64), number % 2)
    return Shard.open(folder)


def config(index=None, **changes):
    return DatabaseConfig(**{"chunk": CHUNK, "value": VALUE, "block": 16, "index": index or IndexConfig()} | changes)


def build(folder, shard, workers=1, embedder=STATIC, on_progress=None, **changes) -> ChunkDatabase:
    return build_database(
        shard, TOKENIZER, folder, embedder=embedder, config=config(**changes), workers=workers, on_progress=on_progress
    )


def contents(folder):
    """Every file below a folder, the lock apart: its name and its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def vectors_of(database):
    return np.concatenate([segment.vectors.array for segment in database.segments]).astype(np.float32)


def slow_search(database, queries, k, excluded=None):
    """Distances to all chunks, those of excluded documents infinite; the k least: (ids, distances)."""
    vectors = database.embedder.embed(queries, database.tokenizer)
    distances = ((vectors[:, None] - vectors_of(database)[None]) ** 2).sum(-1)[:, : len(database)]
    if excluded is not None:
        hashes = database.document_hash_of(np.arange(len(database)))
        rows = np.asarray(excluded).reshape(len(queries), -1)
        distances[(hashes[None, :, None] == rows[:, None, :]).any(-1)] = np.inf
    ids = distances.argsort(1, kind="stable")[:, :k]
    return ids, np.take_along_axis(distances, ids, 1)


def assert_found(database, queries, k, found, excluded=None):
    """What was found is what a slow search finds, of equally near chunks any."""
    _, exact = slow_search(database, queries, k, excluded)
    np.testing.assert_allclose(found.distances, exact, atol=2e-3)
    assert np.array_equal(found.ids < 0, np.isinf(exact))
    everything = slow_search(database, queries, len(database), excluded)
    for row, (ids, distances) in enumerate(zip(found.ids, found.distances, strict=True)):
        there = ids >= 0
        assert len(set(ids[there])) == there.sum()
        of_id = dict(zip(everything[0][row], everything[1][row], strict=True))
        np.testing.assert_allclose([of_id[i] for i in ids[there]], distances[there], atol=2e-3)
