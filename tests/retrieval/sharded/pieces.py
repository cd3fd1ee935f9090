"""Databases of several segments, questions to them, and shards that answer in this process."""

import pickle
from dataclasses import dataclass, field

import numpy as np

from hutch.retrieval.database import append_to_database
from hutch.retrieval.sharded.faults import MissingShard, ShardsLost
from hutch.retrieval.sharded.searcher import ShardSearcher
from hutch.retrieval.sharded.shares import shares_of
from hutch.runs.errors import HutchError
from tests.retrieval.database.small import CHUNK, build, documents, write_shard

SEGMENTS = 4


def long_document():
    """More chunks near to each other than the longest list of candidates."""
    return np.random.default_rng(7).choice([250, 251, 252], 600 * CHUNK)


def several_segments(folder, **changes):
    """A database of four segments, with equal documents in several of them."""
    texts = documents(50, seed=1)
    build(folder / "d", write_shard(folder / "shard0", [*texts, long_document()]), retriever="bm25", **changes)
    for number, count in enumerate((30, 45, 10), 1):
        more = documents(count, seed=number + 1) + texts[number : number + 5] * 2
        database = append_to_database(write_shard(folder / f"shard{number}", more), folder / "d")
    assert len(database.segments) == SEGMENTS
    return database


def questions(database):
    """Arguments of searches of all kinds, by name."""
    ids = np.arange(0, int(database.starts[-1]), 7)
    tokens = database.chunk_tokens(ids)
    own = database.document_hash_of(ids)
    two = database.document_hash_of(np.stack([ids, (ids + 40) % int(database.starts[-1])], axis=1))
    nothing = np.full((1, CHUNK), -1)
    k = min(5, len(database))
    kinds = {
        "vectors": (database.embedder.embed(tokens, database.tokenizer), k, {}),
        "one query": (tokens[3:4], k, {"retriever": "dense"}),
        "no query": (tokens[:0], k, {}),
        "nothing to embed": (np.concatenate([nothing, tokens[:2]]), k, {"retriever": "reranked"}),
        "everything": (tokens[:3], len(database), {"retriever": "dense"}),
        "more than is made at once": (np.tile(tokens, (1 + 1100 // len(tokens), 1)), k, {"retriever": "dense"}),
    }
    for how in ("dense", "reranked", "bm25"):
        kinds[how] = (tokens, k, {"retriever": how})
        kinds[f"{how}, own document excluded"] = (tokens, k, {"retriever": how, "exclude_documents": own})
        kinds[f"{how}, two documents excluded"] = (tokens, k, {"retriever": how, "exclude_documents": two})
    return kinds


def assert_same_answers(database, wide):
    """Ids and distances to the bit."""
    for name, (queries, k, more) in questions(database).items():
        expected, found = database.search(queries, k, **more), wide.search(queries, k, **more)
        assert found.missing == (), name
        assert np.array_equal(found.ids, expected.ids), name
        assert np.array_equal(found.distances, expected.distances), name
        assert found.short == expected.short, name


@dataclass
class HereShards:
    """Shards of this process, to which requests and answers go as bytes; those in `broken` do not answer."""

    shares: tuple
    searchers: list
    broken: dict = field(default_factory=dict)
    """Number to how many requests it still answers."""
    steps: list = field(default_factory=list)

    @classmethod
    def of(cls, database, shards=None):
        shares = pickle.loads(pickle.dumps(shares_of(database, shards)))
        return cls(shares, [ShardSearcher(share, database.bm25) for share in shares])

    def ask(self, step, arguments):
        answers, lost = {}, []
        self.steps.append(step)
        for number, given in arguments.items():
            if number in self.broken:
                self.broken[number] -= 1
                if self.broken[number] < 0:
                    lost.append(MissingShard.of_share(self.shares[number], "it is broken"))
                    continue
            try:
                answers[number] = getattr(self.searchers[number], step)(*pickle.loads(pickle.dumps(given)))
            except HutchError as error:
                lost.append(MissingShard.of_share(self.shares[number], str(error)))
        if lost:
            raise ShardsLost(lost)
        return answers
