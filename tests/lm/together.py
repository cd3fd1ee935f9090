"""Real processes that train together over the loopback, forked from a server that has imported torch."""

import dataclasses
import json
import multiprocessing
import os
import signal
import socket
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

import hutch.lm.training as training
from hutch.lm import TrainConfig, model_of_width, train
from hutch.lm.launch import group_from_environment
from hutch.runs.executors import warm_up

PRELOAD = ("hutch.lm.replicated", "hutch.lm.sharded", "torch.distributed.checkpoint", "torch._dynamo")
SECONDS = 60.0

MODEL = model_of_width(16, vocabulary=64, context=16)
CONFIG = TrainConfig(model=MODEL, tokens=12 * 80, sequences=5, peak_rate=0.002, embedding_rate=20.0)
"""12 steps of five sequences, which two and three processes share unevenly. The rate is low: at the edge of stability
the last bit of a sum grows to a per cent within twenty steps, in one process as well."""


def chain_of_tokens() -> np.ndarray:
    """A chain in which each token allows four followers: its entropy is ln 4."""
    random = np.random.default_rng(0)
    followers = random.integers(64, size=(64, 4))
    chain = [0]
    for choice in random.integers(4, size=6000):
        chain.append(int(followers[chain[-1], choice]))
    return np.array(chain, np.uint16)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """One run, as each process of a group makes it."""

    folder: Path
    config: TrainConfig = CONFIG
    kind: str = "replicated"
    checkpoint_seconds: float = 1e9
    kill: tuple[int, int] | None = None
    """(step, rank): that process is killed before that step."""


def together(world: int, jobs: list[Job]) -> list[dict[str, Any]]:
    """Have `world` processes do the jobs, one after another in one group for each; what the first said of each:
    `losses` and `steps_here`, or `error`."""
    warm_up(PRELOAD)
    context = multiprocessing.get_context("forkserver")
    for job in jobs:
        job.folder.mkdir(parents=True, exist_ok=True)
    stores, ports = zip(*(_meeting_place() for _ in jobs), strict=True)
    processes = [context.Process(target=_work, args=(rank, world, ports, jobs)) for rank in range(world)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(SECONDS)
    del stores
    stuck = [process for process in processes if process.is_alive()]
    for process in stuck:
        process.kill()
        process.join()
    assert not stuck, f"{len(stuck)} of {world} processes did not end in {SECONDS:.0f} s"
    return [json.loads((job.folder / "said-0.json").read_text()) for job in jobs]


def _work(rank: int, world: int, ports: tuple[int, ...], jobs: list[Job]) -> None:
    warnings.simplefilter("error")
    torch.set_num_threads(1)
    for job, port in zip(jobs, ports, strict=True):
        os.environ |= {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(world),
            "LOCAL_WORLD_SIZE": str(world),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",
            "TORCHELASTIC_RESTART_COUNT": "0",
        }
        (job.folder / f"said-{rank}.json").write_text(json.dumps(_said(rank, job)))


def _said(rank: int, job: Job) -> dict[str, Any]:
    training.train_step = _step_or_die(rank, job.kill)
    try:
        with group_from_environment(job.kind) as group:  # type: ignore[arg-type]
            _, result = train(
                job.config, chain_of_tokens(), job.folder, group=group, checkpoint_seconds=job.checkpoint_seconds
            )
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"losses": result.losses.tolist(), "steps_here": result.steps_here}


_train_step = training.train_step


def _step_or_die(rank: int, kill: tuple[int, int] | None) -> Callable[..., float]:
    def step(*arguments: Any) -> float:
        if (arguments[-1], rank) == kill:
            os.kill(os.getpid(), signal.SIGKILL)
        return _train_step(*arguments)

    return step


def _meeting_place() -> tuple[dist.TCPStore, int]:
    """The store in which processes find each other, as torchrun keeps one, but on the loopback alone; its port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port = listener.getsockname()[1]
    store = dist.TCPStore("127.0.0.1", port, is_master=True, wait_for_workers=False, master_listen_fd=listener.detach())
    return store, port


def train_alone(config: TrainConfig, folder: Path) -> None:
    """A whole run in a process of its own, with a checkpoint after every step."""
    warnings.simplefilter("error")
    torch.set_num_threads(1)
    train(config, chain_of_tokens(), folder, checkpoint_seconds=0.0)
