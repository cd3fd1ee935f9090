"""The chunk database: shards in, chunks with their continuations and their nearest neighbours out.

    shard ──> segment: tokens, documents, vectors, index ──> search ──> neighbours of a shard

- `config`            what a database is made by
- `chunks`            where chunks lie: arithmetic on the table of documents
- `documents`         the identity of a document
- `building`          build, append
- `segment_building`  a segment, step by step
- `blocks`            files that are filled in blocks and go on after a kill
- `segments`          an opened segment
- `database`          an opened database: values, documents, search
- `opening`           what is refused
- `searching`         the k best that may be found: by vector, by BM25, re-ranked, without excluded documents
- `neighbours`        the join of a shard with a database

>>> database = build_database(corpus.train, corpus.tokenizer, "database/")
>>> found = database.search(tokens_nm, k=2)
>>> database.values(found.ids)  # [n, 2, 128]
>>> table = join_neighbours(corpus.train, database, "neighbours/", config=JoinConfig(k=2, context=256))
"""

from hutch.retrieval.database.building import append_to_database, build_database
from hutch.retrieval.database.config import DatabaseConfig
from hutch.retrieval.database.database import ChunkDatabase
from hutch.retrieval.database.documents import DocumentEntry, document_hashes
from hutch.retrieval.database.neighbours import JoinConfig, NeighbourTable, join_neighbours
from hutch.retrieval.database.searching import Neighbours

__all__ = [
    "ChunkDatabase",
    "DatabaseConfig",
    "DocumentEntry",
    "JoinConfig",
    "NeighbourTable",
    "Neighbours",
    "append_to_database",
    "build_database",
    "document_hashes",
    "join_neighbours",
]
