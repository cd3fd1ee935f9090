"""The search of a database whose segments are held by shards: scatter, gather, merge.

    rows ──> vectors ──> every shard's `width` best ──> merged ──> without excluded documents
                                 ^                                       │ rows that are short
                                 └──────────── more candidates ──────────┘

Vectors of queries, hashes of documents, tokens and values come from the database that is opened here, whose files are
mapped and read where they are needed; the indexes, which are what memory and time go to, are read by the shards alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from hutch.retrieval.database import searching
from hutch.retrieval.database.config import DatabaseConfig, Retriever
from hutch.retrieval.database.database import ChunkDatabase, excluded_rows
from hutch.retrieval.index.flat import nearest_of
from hutch.retrieval.index.protocol import Found
from hutch.retrieval.sharded.actors import TIMEOUT, ShardActors, Shards
from hutch.retrieval.sharded.cluster import cluster
from hutch.retrieval.sharded.faults import Missing, MissingShard, ShardsLost
from hutch.retrieval.sharded.shares import Share, shares_of
from hutch.runs.errors import BadInput


@dataclass(frozen=True)
class ShardedNeighbours:
    """What a search over shards found."""

    ids: np.ndarray
    """int64 [n, k]: chunks of the whole database, best first, −1 where there are fewer than k."""
    distances: np.ndarray
    """float32 [n, k], as in `Neighbours`."""
    missing: tuple[MissingShard, ...] = ()
    """Shards that did not answer. No row was searched in them, not even one for which they had answered before."""

    @property
    def chunks_missing(self) -> int:
        """Chunks that were not searched."""
        return sum(shard.chunks for shard in self.missing)

    @property
    def short(self) -> int:
        """Rows with fewer than k chunks."""
        return int((self.ids < 0).any(axis=1).sum())


@dataclass(frozen=True)
class ShardedDatabase:
    """A database, and the shards that search it."""

    database: ChunkDatabase
    """Opened here, for values, documents and the embedder; where it is limited, so is the search."""
    shards: Shards
    missing: Missing = "raise"

    def __post_init__(self) -> None:
        if self.missing not in get_args(Missing):
            raise BadInput(f"missing is {self.missing!r}; it must be one of {', '.join(get_args(Missing))}")

    @property
    def config(self) -> DatabaseConfig:
        """The database's."""
        return self.database.config

    def __len__(self) -> int:
        """Chunks that are searched where all shards answer."""
        return len(self.database)

    def search(
        self,
        queries: np.ndarray,
        k: int,
        *,
        exclude_documents: np.ndarray | None = None,
        retriever: Retriever | None = None,
    ) -> ShardedNeighbours:
        """The k best chunks for each query: arguments, errors and ids of `ChunkDatabase.search`.

        A shard whose process dies is started again and asked again. One that does not answer even so, within the
        shards' timeout, is named by ShardsLost (`missing="raise"`), or left out for all rows and named in the answer
        ("tell"). ShardsLost is raised where none answers.
        """
        queries = np.asarray(queries)
        dense = np.issubdtype(queries.dtype, np.floating)
        how = retriever or ("dense" if dense else self.config.retriever)
        self.database.check_search(queries, k, how, dense)
        excluded = excluded_rows(exclude_documents, len(queries))
        missing: dict[int, MissingShard] = {}
        while True:
            step = ShardedSearch(self.database, self.shards, [s for s in self.shards.shares if s.number not in missing])
            try:
                ids, distances = step.found(queries, k, excluded, how, dense)
            except ShardsLost as lost:
                missing |= {shard.number: shard for shard in lost.missing}
                if self.missing == "raise":
                    raise
                if len(missing) == len(self.shards.shares):
                    raise ShardsLost(missing[number] for number in sorted(missing)) from lost
            else:
                return ShardedNeighbours(ids, distances, tuple(missing[number] for number in sorted(missing)))

    def verify(self) -> None:
        """Let every shard read its segments and compare with their checksums; ShardsLost names a file whose content
        changed. Each must be done within the shards' timeout."""
        self.shards.ask("verify", {share.number: () for share in self.shards.shares})


@dataclass(frozen=True)
class ShardedSearch:
    """One attempt at a search, over the shards that are left. Its steps are those of the local search."""

    database: ChunkDatabase
    shards: Shards
    shares: Sequence[Share]

    @property
    def chunks(self) -> int:
        """Chunks that are searched."""
        return sum(share.chunks for share in self.shares)

    def found(self, queries: np.ndarray, k: int, excluded_ne: np.ndarray, how: Retriever, dense: bool) -> Found:
        """The k best for all rows. Raises ShardsLost."""
        parts = [(np.empty((0, k), np.int64), np.empty((0, k), np.float32))]
        for start in range(0, len(queries), searching.ROWS_AT_ONCE):
            rows = slice(start, start + searching.ROWS_AT_ONCE)
            part = self.found_for(queries[rows], min(k, self.chunks), excluded_ne[rows], how, dense)
            parts.append(nearest_first(part, k))
        ids, distances = (np.concatenate(column) for column in zip(*parts, strict=True))
        return ids, distances

    def found_for(self, queries: np.ndarray, k: int, excluded_ne: np.ndarray, how: Retriever, dense: bool) -> Found:
        """The k best for some rows; k is at most the number of chunks."""
        hashes_of = self.database.document_hash_of
        if how == "bm25":
            by_bm25 = self.scattered(lambda rows, width: ("by_bm25", queries[rows], width))
            return searching.best(by_bm25, None, hashes_of, excluded_ne, k, self.chunks)
        vectors = (
            queries.astype(np.float32) if dense else self.database.embedder.embed(queries, self.database.tokenizer)
        )
        wanted = k if how == "dense" else min(self.chunks, max(k, self.database.config.candidates))
        found = searching.best(
            self.scattered(lambda rows, width: ("by_vector", vectors[rows], width)),
            self.scattered(lambda rows, width: ("exactly", vectors[rows], excluded_ne[rows], width)),
            hashes_of, excluded_ne, wanted, self.chunks, there=(vectors != 0).any(axis=1),
        )  # fmt: skip
        if how == "reranked":
            found = searching.by_score(found, self.scores(queries, found[0]))
        return found[0][:, :k], found[1][:, :k]

    def scattered(self, request: Callable[[np.ndarray, int], tuple[Any, ...]]) -> Callable[[np.ndarray, int], Found]:
        """(rows, width) to the `width` best of what all shards answer to one request: a step and its arguments."""

        def find(rows: np.ndarray, width: int) -> Found:
            step, *arguments = request(rows, width)
            answers = self.shards.ask(step, {share.number: tuple(arguments) for share in self.shares})
            return nearest_of([answers[share.number] for share in self.shares], width)

        return find

    def scores(self, queries_nm: np.ndarray, ids_nk: np.ndarray) -> np.ndarray:
        """The BM25 score of each chunk, float32 [n, k], by the shards that hold them; −inf for the id −1."""
        scores = np.full(ids_nk.shape, -np.inf, np.float32)
        asked, places = {}, {}
        for share in self.shares:
            held = share.holds(ids_nk)
            width = int(held.sum(axis=1).max(initial=0))
            if width:
                # A row's own chunks first, and no more columns than the row with most of them needs.
                places[share.number] = order = np.argsort(~held, axis=1, kind="stable")[:, :width]
                own = np.take_along_axis(np.where(held, ids_nk, -1), order, axis=1)
                asked[share.number] = (queries_nm, own)
        for number, found in self.shards.ask("scores", asked).items() if asked else ():
            before = np.take_along_axis(scores, places[number], axis=1)
            np.put_along_axis(scores, places[number], np.where(asked[number][1] < 0, before, found), axis=1)
        return scores


def nearest_first(found: Found, k: int) -> Found:
    """The same with k columns: −1 and inf where there were fewer."""
    more = ((0, 0), (0, k - found[0].shape[1]))
    return np.pad(found[0], more, constant_values=-1), np.pad(found[1], more, constant_values=np.inf)


@contextmanager
def sharded(
    database: ChunkDatabase,
    *,
    address: str | None = None,
    shards: int | None = None,
    missing: Missing = "raise",
    timeout: float | None = TIMEOUT,
    threads: int = 1,
) -> Iterator[ShardedDatabase]:
    """Spread a database over the actors of a cluster while the block runs.

    All machines of the cluster must see the database's folder at the same path and have this package installed.

    Args:
        address: see `cluster`; None: the cluster that this process is in, or else one of this machine alone.
        shards: actors; None: one for each segment.
        missing: "raise" or "tell", see `ShardedDatabase.search`.
        timeout: seconds that a shard may take for one request, a restart included; None: for ever.
        threads: of faiss, in each shard. With one, ids are those of a local search with one, to the bit.

    Raises:
        BadInput: Ray is not installed, there are fewer segments than `shards`, an argument is none of these.
        HutchError: there is no cluster at that address.
    """
    if timeout is not None and not timeout > 0:
        raise BadInput(f"timeout is {timeout}; it must be seconds above 0, or None for no limit")
    shares = shares_of(database, shards)
    with cluster(address):
        actors = ShardActors.start(shares, database.bm25, timeout=timeout, threads=threads)
        try:
            yield ShardedDatabase(database, actors, missing)
        finally:
            actors.stop()
