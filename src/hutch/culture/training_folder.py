"""A folder in which one agent is trained.

    training.json        what is trained, whether it is done, and then what came of it
    metrics.jsonl        a line a rollout (`hutch.culture.metrics`)
    checkpoint.safetensors   the last state, gone at the end
    agent.safetensors    the trained weights

The same configuration again goes on where it stopped.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hutch.culture.agent import Agent
from hutch.culture.agent_files import CHECKPOINT_FILE
from hutch.culture.metrics import read_metrics
from hutch.culture.randomisation import first_ranges
from hutch.culture.rollouts import Shard
from hutch.culture.shards import shard_workers
from hutch.culture.training import Progress, collected, train
from hutch.culture.training_config import TrainingConfig
from hutch.culture.updates import build_optimizer, updated
from hutch.runs.atomic import read_json, write_json
from hutch.runs.configuration import digest, plain
from hutch.runs.errors import BadInput, HutchError
from hutch.runs.locks import exclusive
from hutch.runs.machine import git_revision, machine_class

TRAINING_JSON = "training.json"
TIMES = ("world", "forward", "update")


def train_in_folder(
    config: TrainingConfig,
    folder: Path,
    *,
    threads: int = 1,
    command: str = "",
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_message: Callable[[str], None] = lambda message: None,
    checkpoint_seconds: float = 20.0,
) -> dict[str, Any]:
    """Train what is not trained yet; the content of training.json.

    Raises BadInput for a folder that is in use or holds another configuration, and what `train` raises.
    """
    with exclusive(folder, "training"):
        known = _known(folder, config)
        if known.get("status") == "done":
            on_message(f"{folder} is trained already")
            return known
        for left_by_a_killed_process in folder.glob(".*.tmp"):
            left_by_a_killed_process.unlink(missing_ok=True)
        begun = {"status": "running", "name": config.name, "config": plain(config)}
        write_json(folder / TRAINING_JSON, begun)
        train(config, folder, threads=threads, on_progress=on_progress, checkpoint_seconds=checkpoint_seconds)
        document = {
            **begun,
            "status": "done",
            **_what_came(folder),
            "threads": threads,
            "machine": machine_class(),
            "revision": git_revision(),
            "command": command,
        }
        write_json(folder / TRAINING_JSON, document)
        (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
        return document


def plan(config: TrainingConfig, threads: int = 1) -> dict[str, Any]:
    """What a training would cost, from one rollout and its update made here; nothing is written."""
    agent = Agent(config.agent, config.world, config.seed)
    optimizer, ranges = build_optimizer(agent, config), first_ranges(config.randomisation)
    shards = [Shard(config, number) for number in range(config.shards)]
    with shard_workers(threads) as workers:
        _warm(config)
        start = time.perf_counter()
        rollouts = collected(agent, shards, ranges, 0, workers)
        update = updated(agent, optimizer, rollouts, config, 0, workers)
        seconds = time.perf_counter() - start
    spent = {
        "world": sum(rollout.world_seconds for rollout in rollouts),
        "forward": sum(rollout.forward_seconds for rollout in rollouts),
        "update": update.seconds,
    }
    return {
        "name": config.name,
        "config": plain(config),
        "parameters": sum(weight.numel() for weight in agent.parameters()),
        "observation": shards[0].episodes.worlds.layout.width,
        "frames": config.rollouts * config.rollout_frames,
        "rollouts": config.rollouts,
        "rollout_frames": config.rollout_frames,
        "flops": flops(config, agent),
        "frames_per_second": config.rollout_frames / seconds,
        "minutes": config.rollouts * seconds / 60,
        "threads": threads,
        "share": {name: spent[name] / sum(spent.values()) for name in TIMES},
    }


def flops(config: TrainingConfig, agent: Agent) -> int:
    """FLOPs of the network in a whole training: 2 a weight and frame forward, 6 forward and back; one forward pass
    for the rollout and one of each for every epoch."""
    weights = sum(weight.numel() for weight in agent.parameters() if weight.ndim == 2)
    return (2 + 6 * config.ppo.epochs) * weights * config.rollouts * config.rollout_frames


def _warm(config: TrainingConfig) -> None:
    """One step of one small training, so that compiling takes no part in what is timed."""
    from dataclasses import replace

    small = replace(
        config, worlds=config.ppo.minibatches, shards=1, randomisation=replace(config.randomisation, kind="none")
    )
    agent = Agent(config.agent, config.world)
    with shard_workers(1) as workers:
        rollouts = [Shard(small, 0).collect(agent, first_ranges(small.randomisation), 0)]
        updated(agent, build_optimizer(agent, small), rollouts, small, 0, workers)


def _what_came(folder: Path) -> dict[str, Any]:
    rows = read_metrics(folder)
    spent = {name: sum(row[f"time/{name}"] for row in rows) for name in TIMES}
    last = rows[-1]
    return {
        "frames": last["global_step"],
        "frames_per_second": last["charts/SPS"],
        "frames_per_cpu_second": last["global_step"] / sum(spent.values()),
        "share": {name: spent[name] / sum(spent.values()) for name in TIMES},
        "transmission": {name[13:]: value for name, value in last.items() if name.startswith("transmission/")},
    }


def _known(folder: Path, config: TrainingConfig) -> dict[str, Any]:
    path = folder / TRAINING_JSON
    if not path.exists():
        return {}
    known = read_json(path)
    if not isinstance(known, dict) or not isinstance(known.get("config"), dict):
        raise HutchError(f"{path} does not describe a training: remove it, or choose another folder")
    if digest(known["config"]) != digest(config):
        name, there, asked = next(_differences(known["config"], plain(config)))
        raise BadInput(
            f"{folder} holds a training with {name}={there!r}, not {asked!r}: choose another folder, or remove this one"
        )
    return known


def _differences(there: Any, asked: Any, prefix: str = "") -> Any:
    for name in sorted(there.keys() | asked.keys()):
        old, new = there.get(name), asked.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{prefix}{name}.")
        elif old != new:
            yield prefix + name, old, new
