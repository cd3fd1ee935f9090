"""Whole episodes of the agent beside its experts, kept to learn from.

Legend: t steps, n worlds of a shard, d numbers of an observation, v actions, b other avatars, x metres forward, left
and up.
"""

from dataclasses import dataclass
from time import thread_time

import numpy as np
import torch
from torch import Tensor

from hutch.culture.agent import Agent
from hutch.culture.assignments import assigned, measurements
from hutch.culture.episodes import Episodes
from hutch.culture.ppo import Batch, advantages
from hutch.culture.randomisation import Ranges
from hutch.culture.training_config import TrainingConfig
from hutch.culture.world_config import ACTIONS
from hutch.runs.seeds import generator


@dataclass(frozen=True)
class Rollout:
    """One shard's episodes, and what they say."""

    batch: Batch
    """Its tensors are overwritten by the shard's next rollout."""
    value_tn: Tensor
    trained_n: np.ndarray
    """bool: which episodes are learned from."""
    reward_tn: np.ndarray
    there_tn: np.ndarray
    """bool: whether an expert is there."""
    score_na: np.ndarray
    """float32: of every avatar, at the end."""
    ends: list[tuple[int, int, float, float]]
    """Measured ends of randomised ranges (`assignments.measurements`)."""
    world_seconds: float
    """CPU time in the world and the experts."""
    forward_seconds: float
    """CPU time in the network."""


class Shard:
    """The worlds of one shard and room for their episodes."""

    def __init__(self, config: TrainingConfig, number: int) -> None:
        t, n, b = config.world.steps, config.shard_worlds, config.world.avatars - 1
        self.config, self.number = config, number
        self.episodes = Episodes(config.world, n, expert=config.expert)
        self._observation_tnd = torch.zeros(t, n, self.episodes.worlds.layout.width)
        self._other_tnbx = torch.zeros(t, n, b, 4)
        self._choice_tnv = torch.zeros(t, n, len(ACTIONS), dtype=torch.int64)
        self._log_prob_tn, self._value_tn, self._reward_tn = (torch.zeros(t, n) for _ in range(3))

    def collect(self, agent: Agent, ranges: Ranges, rollout: int) -> Rollout:
        """Rollout number `rollout`: everything in it follows from the configuration's seed, this number, the weights
        and the ranges."""
        config, episodes = self.config, self.episodes
        seed = (config.seed, "training", rollout, self.number)
        began, forward = thread_time(), 0.0
        assignment = assigned(config, ranges, rollout, *seed)
        seen_nd = episodes.begin(
            *seed,
            tasks=assignment.tasks,
            seeds=assignment.seeds_n,
            there_net=assignment.there_net,
            **assignment.experts,
        )[:, 0]
        belief = agent.blank(config.shard_worlds)
        chance_tnv = torch.from_numpy(
            generator("actions", *seed).random(tuple(self._choice_tnv.shape), dtype=np.float32)
        )
        for t in range(config.world.steps):
            self._observation_tnd[t] = torch.from_numpy(seen_nd)
            self._other_tnbx[t] = torch.from_numpy(episodes.worlds.others_nobx[:, 0])
            start = thread_time()
            act = agent.act(self._observation_tnd[t], belief, chance_tnv[t])
            forward += thread_time() - start
            belief = act.belief
            self._choice_tnv[t], self._log_prob_tn[t], self._value_tn[t] = act.choice_nv, act.log_prob_n, act.value_n
            seen_nod, reward_nl = episodes.step(act.wish_nv.numpy()[:, None])
            seen_nd = seen_nod[:, 0]
            self._reward_tn[t] = torch.from_numpy(reward_nl[:, 0])
        last = agent.act(torch.from_numpy(seen_nd.copy()), belief)
        return self._kept(assignment, last.value_n, thread_time() - began - forward, forward)

    def _kept(self, assignment, last_value_n: Tensor, world_seconds: float, forward_seconds: float) -> Rollout:
        ppo, score_na = self.config.ppo, self.episodes.worlds.state.score_na
        # All episodes run out of time together, after the last step: none of them ends.
        never_tn = torch.zeros_like(self._reward_tn, dtype=torch.bool)
        advantage_tn = advantages(self._reward_tn, self._value_tn, never_tn, last_value_n, ppo.discount, ppo.trace)
        batch = Batch(
            self._observation_tnd,
            self._choice_tnv,
            self._log_prob_tn,
            advantage_tn,
            advantage_tn + self._value_tn,
            self._other_tnbx[..., 1:],
            self._other_tnbx[..., 0],
        )
        return Rollout(
            batch,
            self._value_tn,
            assignment.trained_n,
            self._reward_tn.numpy(),
            assignment.there_net.any(axis=1).T,
            score_na.copy(),
            measurements(assignment, score_na),
            world_seconds,
            forward_seconds,
        )


def normalised(rollouts: list[Rollout]) -> list[Batch]:
    """The batches with advantages of mean 0 and standard deviation 1 over all episodes that are learned from."""
    learned = [torch.from_numpy(np.flatnonzero(rollout.trained_n)) for rollout in rollouts]
    all_a = torch.cat(
        [rollout.batch.advantage_tn.index_select(1, n).flatten() for rollout, n in zip(rollouts, learned, strict=True)]
    )
    mean, deviation = all_a.mean(), all_a.std() + 1e-8
    return [
        rollout.batch._replace(advantage_tn=(rollout.batch.advantage_tn - mean) / deviation) for rollout in rollouts
    ]
