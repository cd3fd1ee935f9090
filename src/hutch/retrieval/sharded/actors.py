"""The shards as Ray actors: asked all at once, started again where they die.

An actor takes no CPU of Ray's count. Tasks that wait for it would else hold the CPUs that it waits for.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from hutch.retrieval.embedders.bm25 import Bm25
from hutch.retrieval.sharded.cluster import ray_library
from hutch.retrieval.sharded.faults import MissingShard, ShardsLost
from hutch.retrieval.sharded.searcher import ShardSearcher
from hutch.retrieval.sharded.shares import Share
from hutch.runs.errors import HutchError

TIMEOUT = 120.0
"""Seconds that a shard may take for one request; one that has just started first imports and maps what it needs."""
LARGE = 100_000
"""Bytes from which on an array is put into shared memory, once for all shards."""


class Shards(Protocol):
    """What can be asked for the steps of a search."""

    @property
    def shares(self) -> Sequence[Share]:
        """Of each shard, in the order of their numbers."""
        ...

    def ask(self, step: str, arguments: Mapping[int, tuple[Any, ...]]) -> dict[int, Any]:
        """The answer of each shard whose number is a key, to a method of `ShardSearcher` with its arguments.

        Raises ShardsLost, which names all that did not answer.
        """
        ...


@dataclass(frozen=True)
class ShardActors:
    """The actors of a cluster that this process is in. They can be sent to tasks of it."""

    shares: tuple[Share, ...]
    handles: tuple[Any, ...]
    timeout: float | None = TIMEOUT
    """Seconds for one request of up to 1,024 queries, the restart of a dead actor included; None: for ever."""

    @classmethod
    def start(
        cls, shares: Sequence[Share], bm25: Bm25, *, timeout: float | None = TIMEOUT, threads: int = 1
    ) -> "ShardActors":
        """Start an actor for each share, on different nodes where there are several; they go on to open their files."""
        actor = ray_library().remote(
            num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy="SPREAD"
        )(ShardSearcher)  # fmt: skip
        handles = tuple(actor.remote(share, bm25, threads) for share in shares)
        for handle in handles:
            handle.prepare.remote()
        return cls(tuple(shares), handles, timeout)

    def stop(self) -> None:
        """End the actors' processes."""
        ray = ray_library()
        for handle in self.handles:
            # One that is dead already, or a cluster that is gone.
            with suppress(ray.exceptions.RayError, RuntimeError, ValueError):
                ray.kill(handle)

    def ask(self, step: str, arguments: Mapping[int, tuple[Any, ...]]) -> dict[int, Any]:
        """See `Shards.ask`."""
        ray, put = ray_library(), {}

        def sent(value: Any) -> Any:
            if not isinstance(value, np.ndarray) or value.nbytes < LARGE:
                return value
            if id(value) not in put:
                put[id(value)] = ray.put(value)
            return put[id(value)]

        asked = {n: getattr(self.handles[n], step).remote(*map(sent, given)) for n, given in arguments.items()}
        ready = set(ray.wait(list(asked.values()), num_returns=len(asked), timeout=self.timeout)[0])
        answers, lost = {}, []
        for number, reference in asked.items():
            try:
                if reference in ready:
                    answers[number] = ray.get(reference)
                    continue
                ray.cancel(reference)
                reason = f"no answer within {self.timeout:g} s"
            except ray.exceptions.RayError as error:
                reason = reason_of(error)
            lost.append(MissingShard.of_share(self.shares[number], reason))
        if lost:
            raise ShardsLost(lost)
        return answers


def reason_of(error: Exception) -> str:
    """Why there is no answer, in one line: what the shard's own code says, or what became of its process."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, HutchError):
        return " ".join(str(cause).split())
    lines = str(cause or error).strip().splitlines() or [""]
    if cause is not None:
        return f"{type(cause).__name__}: {lines[-1].strip()}"
    if isinstance(error, ray_library().exceptions.RayActorError):
        return f"its process is dead and is not started again ({lines[-1].strip()})"
    return f"{type(error).__name__}: {lines[-1].strip()}"
