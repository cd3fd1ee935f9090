"""The join of a shard of text with a database by the tasks of a cluster, which search by the database's shards.

The files are those of `join_neighbours`, block by block and to the byte: either goes on where the other was killed.
"""

import functools
from pathlib import Path
from typing import Any, cast

import numpy as np

from hutch.retrieval.database.blocks import ATTEMPTS, TASKS_A_WORKER, BlockFile, MakeRows, fill_blocks
from hutch.retrieval.database.config import Progress, silent
from hutch.retrieval.database.database import ChunkDatabase
from hutch.retrieval.database.neighbours import JoinConfig, NeighbourTable, join_by, joiner
from hutch.retrieval.sharded.actors import ShardActors
from hutch.retrieval.sharded.cluster import ray_library
from hutch.retrieval.sharded.sharded_database import ShardedDatabase
from hutch.runs.errors import BadInput, HutchError
from hutch.text.shards import Shard

TICK_SECONDS = 0.5
END_SECONDS = 10.0
"""How long tasks that are told to end may take for it."""


def join_sharded(
    shard: Shard,
    database: ShardedDatabase,
    folder: Path | str,
    *,
    config: JoinConfig | None = None,
    workers: int | None = None,
    on_progress: Progress | None = None,
) -> NeighbourTable:
    """Join a shard with a database, go on with it, or open it when it is there already.

    `folder`, too, must be on storage that all machines see at the same path.

    Args:
        workers: tasks at a time, of one CPU each; None: one for each CPU of the cluster.

    Raises:
        BadInput: as in `join_neighbours`; or the database's embedder cannot be opened from its folder.
        HutchError: a shard of the database did not answer, whatever `database.missing` says: a table with holes would
            not tell of them. What is done is kept.
    """
    config, report = config or JoinConfig(), on_progress or silent

    def fill(file: BlockFile, dtype: np.dtype) -> None:
        fill_in_tasks(file, shard, database, config, dtype, workers, report)

    return join_by(fill, shard, database.database, Path(folder).absolute(), config)


def fill_in_tasks(
    file: BlockFile,
    shard: Shard,
    database: ShardedDatabase,
    config: JoinConfig,
    dtype: np.dtype,
    workers: int | None,
    report: Progress,
) -> None:
    """Fill the file by tasks, each of which takes some of the pending blocks."""
    if file.path.exists():
        return
    file.begin()
    ray = ray_library()
    workers = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    opened = database.database
    arguments = (shard.folder.absolute(), opened.folder.absolute(), opened.limit, database.shards, config, dtype.str)
    task = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1, scheduling_strategy="SPREAD")(fill_blocks)
    pending = np.array(file.pending(), np.int64)
    shares = np.array_split(pending, min(len(pending), workers * TASKS_A_WORKER) or 1)
    named = f"{__name__}:{open_join.__name__}"
    start = functools.partial(task.remote, file.tasks)
    waiting, running = [(file, share.tolist(), named, arguments) for share in shares if len(share)], []
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running.append(start(waiting.pop(0)))
            done, running = ray.wait(running, timeout=TICK_SECONDS)
            check_done(file, done)
            report("joining", file.rows_done(), file.rows)
    finally:
        # No task may write into the folder that is then left to others.
        for reference in running:
            ray.cancel(reference, force=True)
        if running:
            ray.wait(running, num_returns=len(running), timeout=END_SECONDS)
    report("joining", file.rows, file.rows)
    file.end()


def check_done(file: BlockFile, done: list[Any]) -> None:
    """Raise HutchError, or BadInput where a task did, with the reason of a task that failed."""
    ray = ray_library()
    try:
        ray.get(done)
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        lines = str(cause or error).strip().splitlines() or [type(error).__name__]
        why = lines[-1].strip()
        raise (BadInput if isinstance(cause, BadInput) else HutchError)(f"{file.path}: {why}") from error


def open_join(arguments: tuple[Path, Path, int | None, ShardActors, JoinConfig, str]) -> MakeRows:
    """What a task joins with: shard and database opened anew, and the shards of the database that it was sent."""
    shard_folder, database_folder, limit, actors, config, dtype = arguments
    database = ChunkDatabase.open(database_folder)
    if limit is not None:
        database = database.limited(limit)
    searched = ShardedDatabase(database, actors)
    # It asks of a database no more than its configuration and its search.
    return joiner(Shard.open(shard_folder), cast(ChunkDatabase, searched), config, np.dtype(dtype))
