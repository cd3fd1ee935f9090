"""What one rollout teaches: epochs of minibatches of whole episodes, gradients of shards added in their order."""

from dataclasses import dataclass
from time import thread_time

import numpy as np
import torch
from torch import Tensor

from hutch.culture.agent import Agent
from hutch.culture.ppo import Batch, Loss, ppo_loss
from hutch.culture.rollouts import Rollout, normalised
from hutch.culture.shards import ShardWorkers
from hutch.culture.training_config import TrainingConfig
from hutch.runs.errors import HutchError
from hutch.runs.seeds import generator


class NotANumber(HutchError):
    """A loss or a gradient is none."""


@dataclass(frozen=True)
class Update:
    """What happened in an update."""

    losses: dict[str, float]
    """Means over its minibatches, by the names of `Loss`, and the last minibatch's `gradient_norm`."""
    seconds: float
    """CPU time, of all threads."""


def build_optimizer(agent: Agent, config: TrainingConfig) -> torch.optim.Adam:
    """Adam as CleanRL sets it."""
    return torch.optim.Adam(agent.parameters(), lr=config.ppo.rate, eps=1e-5, fused=True)


def rate_at(config: TrainingConfig, rollout: int) -> float:
    """The learning rate of a rollout (0-based): linear, from `rate` towards `last_rate` of it."""
    ppo = config.ppo
    return ppo.rate * (1 - (1 - ppo.last_rate) * rollout / config.rollouts)


def updated(
    agent: Agent,
    optimizer: torch.optim.Adam,
    rollouts: list[Rollout],
    config: TrainingConfig,
    number: int,
    workers: ShardWorkers,
) -> Update:
    """Learn in place from rollout number `number`, given as one `Rollout` a shard. Raises NotANumber before weights
    are spoilt."""
    began, elsewhere = thread_time(), 0.0
    batches, weights = normalised(rollouts), list(agent.parameters())
    for group in optimizer.param_groups:
        group["lr"] = rate_at(config, number)
    seen: list[np.ndarray] = []
    norm = torch.zeros(())
    for epoch in range(config.ppo.epochs):
        parts = [_parts(rollout, config, number, epoch, s) for s, rollout in enumerate(rollouts)]
        for minibatch in range(config.ppo.minibatches):
            work = [(batches[s], parts[s][minibatch]) for s in range(len(batches))]
            done = workers.map(lambda one: _gradients(agent, one[0], one[1], config, weights), work)
            for i, weight in enumerate(weights):
                weight.grad = sum((gradients[i] for gradients, _, _ in done[1:]), done[0][0][i]) / len(done)
            losses = np.mean([values for _, values, _ in done], axis=0)
            elsewhere += sum(seconds for _, _, seconds in done)
            norm = torch.nn.utils.clip_grad_norm_(weights, config.ppo.largest_gradient)
            if not (np.isfinite(losses).all() and torch.isfinite(norm)):
                raise NotANumber(f"loss {losses[0]:g}, gradient norm {norm.item():g}")
            optimizer.step()
            seen.append(losses)
    means = dict(zip(Loss._fields, np.mean(seen, axis=0).tolist(), strict=True))
    # Without threads the shards' work is in this thread's time already.
    seconds = thread_time() - began + (elsewhere if workers.threads > 1 else 0.0)
    return Update({**means, "gradient_norm": norm.item()}, seconds)


def _parts(rollout: Rollout, config: TrainingConfig, number: int, epoch: int, shard: int) -> list[Tensor]:
    """The shard's episodes of each minibatch."""
    order = generator("minibatches", config.seed, number, epoch, shard).permutation(np.flatnonzero(rollout.trained_n))
    return [torch.from_numpy(part) for part in np.array_split(order, config.ppo.minibatches)]


def _gradients(
    agent: Agent, batch: Batch, episodes: Tensor, config: TrainingConfig, weights: list[torch.nn.Parameter]
) -> tuple[tuple[Tensor, ...], np.ndarray, float]:
    """Gradients of one shard's part of a minibatch, its losses, and the CPU time."""
    began = thread_time()
    part = batch.of(episodes)
    outputs, _ = agent(part.observation_tnd, agent.blank(len(episodes)))
    loss = ppo_loss(outputs, part, config.ppo, config.attention, config.world.ray_range)
    gradients = torch.autograd.grad(loss.total, weights)
    return gradients, np.array([value.item() for value in loss]), thread_time() - began
