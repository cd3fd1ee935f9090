"""Train one agent: rollouts, updates, ranges, measurements, in one loop; exact resume; the end of one that diverges."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hutch.culture.agent import Agent
from hutch.culture.agent_files import AGENT_FILE, CHECKPOINT_FILE, CheckpointFile, Position, save_agent
from hutch.culture.metrics import MetricsFile
from hutch.culture.randomisation import Ranges, first_ranges, moved
from hutch.culture.rollouts import Rollout, Shard
from hutch.culture.shards import ShardWorkers, shard_workers
from hutch.culture.training_config import TrainingConfig
from hutch.culture.transmission import measured, measures
from hutch.culture.updates import NotANumber, Update, build_optimizer, rate_at, updated
from hutch.runs.errors import HutchError


class Diverged(HutchError):
    """A loss or a gradient is no longer a number."""


@dataclass(frozen=True)
class Progress:
    """Where a training stands, after each rollout."""

    frames: int
    all_frames: int
    frames_per_second: float
    """Of this process, by wall time."""
    score: float
    """Mean of the last rollout."""
    transmission: float | None
    """As last measured."""


def train(
    config: TrainingConfig,
    folder: Path,
    *,
    threads: int = 1,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    checkpoint_seconds: float = 20.0,
) -> Agent:
    """Train from this configuration's checkpoint in `folder`, if there is one, to the end; write the agent and
    metrics.jsonl.

    A training that was killed goes on from its last checkpoint and ends with the same bits as one that was not, on
    one processor type, for any number of threads. Raises `Diverged`, which names the rollout and the checkpoint
    before it.
    """
    agent = Agent(config.agent, config.world, config.seed)
    optimizer = build_optimizer(agent, config)
    checkpoint = CheckpointFile(folder / CHECKPOINT_FILE, config)
    at = checkpoint.load(agent, optimizer) or Position(0, 0.0, first_ranges(config.randomisation))
    shards, ranges = [Shard(config, number) for number in range(config.shards)], at.ranges
    first, started = at.rollouts, time.perf_counter()
    saved = started
    with shard_workers(threads) as workers, MetricsFile(folder, at.rollouts) as metrics:
        for number in range(first, config.rollouts):
            rollouts = collected(agent, shards, ranges, number, workers)
            try:
                update = updated(agent, optimizer, rollouts, config, number, workers)
            except NotANumber as error:
                raise _diverged(config, number, checkpoint, error) from error
            for rollout in rollouts:
                for end in rollout.ends:
                    ranges = moved(config.randomisation, ranges, *end)
            row = _row(config, number, rollouts, update, ranges, at.seconds + time.perf_counter() - started)
            if (number + 1) % config.measure_every == 0 or number + 1 == config.rollouts:
                row |= _transmission(agent, config, threads)
            metrics.add(row)
            now = time.perf_counter()
            if now - saved > checkpoint_seconds:
                metrics.flush()
                checkpoint.save(agent, optimizer, Position(number + 1, at.seconds + now - started, ranges))
                saved = now
            done = (number + 1) * config.rollout_frames
            speed = (number + 1 - first) * config.rollout_frames / (now - started)
            all_frames = config.rollouts * config.rollout_frames
            on_progress(Progress(done, all_frames, speed, row["charts/episodic_return"], metrics.transmission))
        metrics.flush()
    save_agent(folder / AGENT_FILE, agent, config)
    return agent


def collected(agent: Agent, shards: list[Shard], ranges: Ranges, number: int, workers: ShardWorkers) -> list[Rollout]:
    """Rollout number `number`, a `Rollout` a shard."""
    return workers.map(lambda shard: shard.collect(agent, ranges, number), shards)


def _diverged(config: TrainingConfig, number: int, checkpoint: CheckpointFile, error: NotANumber) -> Diverged:
    kept = (
        f"the last good checkpoint is {checkpoint.path}" if checkpoint.path.exists() else "there is no checkpoint yet"
    )
    return Diverged(
        f"diverged at rollout {number} of {config.rollouts}: {error}, seed {config.seed}, learning rate "
        f"{rate_at(config, number):.3g}; {kept}"
    )


def _row(
    config: TrainingConfig, number: int, rollouts: list[Rollout], update: Update, ranges: Ranges, seconds: float
) -> dict[str, Any]:
    """One line of metrics, with CleanRL's names where it has them."""
    score_na = np.concatenate([rollout.score_na for rollout in rollouts])
    reward_tn, there_tn, value_tn, return_tn = (
        np.concatenate(parts, axis=1)
        for parts in zip(
            *((r.reward_tn, r.there_tn, r.value_tn.numpy(), r.batch.return_tn.numpy()) for r in rollouts), strict=True
        )
    )
    frames = (number + 1) * config.rollout_frames
    losses = dict(update.losses)
    losses.pop("total")
    row = {
        "rollout": number + 1,
        "global_step": frames,
        "charts/episodic_return": float(score_na[:, 0].mean()),
        "charts/expert_return": float(score_na[:, 1].mean()),
        "charts/reward_expert_there": _mean_where(reward_tn, there_tn),
        "charts/reward_expert_gone": _mean_where(reward_tn, ~there_tn),
        "charts/learning_rate": rate_at(config, number),
        "charts/SPS": frames / seconds,
        "losses/explained_variance": float(1 - (return_tn - value_tn).var() / max(return_tn.var(), 1e-12)),
        **{f"losses/{name}": value for name, value in losses.items()},
        "time/world": sum(rollout.world_seconds for rollout in rollouts),
        "time/forward": sum(rollout.forward_seconds for rollout in rollouts),
        "time/update": update.seconds,
    }
    if config.randomisation.kind == "adaptive":
        for parameter, ends in zip(config.randomisation.parameters, ranges.end_ps, strict=True):
            row |= {f"adr/{parameter.name}_low": float(ends[0]), f"adr/{parameter.name}_high": float(ends[1])}
    return row


def _mean_where(reward_tn: np.ndarray, where_tn: np.ndarray) -> float | None:
    return float(reward_tn[where_tn].mean()) if where_tn.any() else None


def _transmission(agent: Agent, config: TrainingConfig, threads: int) -> dict[str, Any]:
    """On worlds that training never saw, the same ones each time, from the tasks that training began with."""
    scores = measured(
        agent,
        config.tasks,
        config.measure_worlds,
        config.seed,
        "held out",
        expert=config.expert,
        threads=threads,
    )
    return {
        f"transmission/{name}": float(value) if np.isfinite(value) else None for name, value in measures(scores).items()
    }
