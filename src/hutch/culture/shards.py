"""Threads that work on the shards of a rollout: what each does depends on no other and on no thread."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

In = TypeVar("In")
Out = TypeVar("Out")


class ShardWorkers:
    """Calls a function for each shard, on as many threads as there are, results in the order of the shards."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = (
            ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) if threads > 1 else None
        )

    def map(self, function: Callable[[In], Out], shards: Iterable[In]) -> list[Out]:
        """`function` of each shard."""
        if self._pool is None:
            return [function(shard) for shard in shards]
        return list(self._pool.map(function, shards))

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


@contextmanager
def shard_workers(threads: int) -> Iterator[ShardWorkers]:
    """`threads` workers, each with one thread for torch: sums of torch's own threads would depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    workers: Any = ShardWorkers(threads)
    try:
        yield workers
    finally:
        workers.close()
        torch.set_num_threads(before)
