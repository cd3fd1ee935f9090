"""The chunk database past one machine: its segments spread over Ray actors, with the answers of the local search.

    queries ──> one request to every shard ──> merge of the k best ──> the same ids as `ChunkDatabase.search`

- `cluster`           a Ray cluster by its address, or one of this machine alone
- `shares`            which segments a shard holds
- `searcher`          what a shard answers, without Ray
- `faults`            shards that did not answer
- `actors`            the shards as Ray actors: asked all at once, started again when they die
- `sharded_database`  the search over them
- `sharded_join`      the join of a shard of text with a database, by the tasks of a cluster

The unit is the segment: each shard of text that a database is built from, or that `append_to_database` adds, is one,
and a segment is held by one actor as a whole. Give a corpus for several machines to `build_database` in several shards.

>>> with sharded(ChunkDatabase.open("database/"), address="10.0.0.1:6379") as wide:
...     found = wide.search(tokens_nm, k=2)
...     table = join_sharded(corpus.train, wide, "neighbours/", config=JoinConfig(k=2, context=256))
"""

from hutch.retrieval.sharded.cluster import cluster
from hutch.retrieval.sharded.faults import MissingShard, ShardsLost
from hutch.retrieval.sharded.sharded_database import ShardedDatabase, ShardedNeighbours, sharded
from hutch.retrieval.sharded.sharded_join import join_sharded

__all__ = [
    "MissingShard",
    "ShardedDatabase",
    "ShardedNeighbours",
    "ShardsLost",
    "cluster",
    "join_sharded",
    "sharded",
]
