"""Worlds of GoalCycle3D: steps a second on one core, alone and with what an avatar sees, against peers in one run.

    python bench/culture.py [--worlds 512] [--seconds 1.0] [--threads 2]

Ours, each a world with a learner that walks at random and an expert avatar: `open` is flat and empty, 13 m, 4 goals, 16
rays; `full` is 20 m of bumpy ground with pillars, hurdles and bars, 5 goals, three rings of 16 rays. `open` also as
plain Python (`hutch.culture.reference`) and as the same rules vectorised in NumPy, which is first held against the
engine. Peers of other rules, where they are installed: MiniGrid in Gymnasium's SyncVectorEnv (a grid world of
comparable sight, 7 × 7 cells) and XLand-MiniGrid on JAX's CPU. One thread each, CPU seconds; then the engine on
`--threads` threads, wall seconds. Last, training: frames a CPU second of a rollout and its update, with the split of
that time, against recurrent PPO as CleanRL writes it (`ppo_atari_lstm.py`: torch's LSTM stepped a step at a time, done
masks in between) with the same worlds, sizes, epochs and minibatches. Writes bench/culture.json.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np
import torch

from hutch.culture import Episodes, TaskRanges, Tasks, WorldConfig, Worlds, complex_world, laptop_world, world_seeds
from hutch.culture.actions import wish_table
from hutch.culture.agent import Agent
from hutch.culture.randomisation import first_ranges
from hutch.culture.reference import observation, stepped, world_of
from hutch.culture.rollouts import Shard
from hutch.culture.shards import shard_workers
from hutch.culture.training_config import TrainingConfig, open_field
from hutch.culture.updates import build_optimizer, updated

RESULTS = Path(__file__).with_suffix(".json")
OPEN = (laptop_world(), {})
FULL = (complex_world(), {"size": 20, "bumpiness": 0.5, "pillars": 2, "hurdles": 0.5, "bars": 0.5, "goals": 5})


def per_second(work: Callable[[], Any], units: int, seconds: float, clock: Callable[[], float]) -> float:
    """Units a second of `work`, which does `units` a call; the best of three rounds, after one call to warm up."""
    work()
    best = 0.0
    for _ in range(3):
        began, calls = clock(), 0
        while (now := clock()) - began < seconds / 3:
            work()
            calls += 1
        best = max(best, calls * units / (now - began))
    return best


def grown(config: WorldConfig, task: dict[str, float], count: int, threads: int = 1) -> Worlds:
    """A batch of worlds with one observer each."""
    worlds = Worlds(config, count, observers=1, threads=threads)
    worlds.grow(world_seeds(count, 0), Tasks.same(count, **task))
    return worlds


def walks(count: int) -> np.ndarray:
    """Random actions for 32 steps, float32 [32, count, 2, 5]."""
    actions = np.random.default_rng(0).uniform(-1, 1, (32, count, 2, 5)).astype(np.float32)
    actions[..., 0] = np.abs(actions[..., 0])
    actions[..., 3:] -= 0.8
    return actions


def engine(name: str, config: WorldConfig, task: dict[str, float], count: int, seconds: float) -> dict[str, float]:
    """World steps a second (both avatars move, one observes), and worlds grown a second."""
    worlds, actions, turn = grown(config, task, count), walks(count), iter(range(10**12))

    def step() -> None:
        worlds.step(actions[next(turn) % 32])

    def step_and_see() -> None:
        step()
        worlds.observe()

    seeds, tasks = world_seeds(count, 0), Tasks.same(count, **task)
    return {
        f"{name}_steps": per_second(step, count, seconds, time.process_time),
        f"{name}_steps_with_sight": per_second(step_and_see, count, seconds, time.process_time),
        f"{name}_worlds_grown": per_second(lambda: worlds.grow(seeds, tasks), count, seconds, time.process_time),
    }


def episodes(count: int, seconds: float) -> dict[str, float]:
    """Learner steps a second with everything: new worlds, planning experts, drop-out, sight."""
    figures = {}
    for name, (config, task) in {"open": OPEN, "full": FULL}.items():
        ranges = TaskRanges(**{key: (value, value) for key, value in task.items()})
        some, numbers = Episodes(WorldConfig(**{**vars(config), "steps": 120}), count, tasks=ranges), iter(range(10**9))
        wishes = walks(count)[:, :, :1]

        def whole(some: Episodes = some, wishes: np.ndarray = wishes, numbers: Any = numbers) -> None:
            some.begin("bench", next(numbers))
            while not some.over:
                some.step(wishes[some.time % 32])

        figures[f"{name}_episode_steps"] = per_second(whole, count * 120, seconds, time.process_time)
    return figures


def threaded(count: int, seconds: float, threads: int) -> dict[str, float]:
    """The same by the clock on the wall and on several threads."""
    figures = {}
    for name, (config, task) in {"open": OPEN, "full": FULL}.items():
        worlds, actions, turn = grown(config, task, count, threads), walks(count), iter(range(10**12))

        def both(worlds: Worlds = worlds, actions: np.ndarray = actions, turn: Any = turn) -> None:
            worlds.step(actions[next(turn) % 32])
            worlds.observe()

        figures[f"{name}_steps_with_sight_{threads}_threads_wall"] = per_second(both, count, seconds, time.perf_counter)
        worlds.close()
    return figures


def plain_python(config: WorldConfig, task: dict[str, float], seconds: float) -> tuple[float, float]:
    """The reference, alone and with sight."""
    world = world_of(grown(config, task, 1).state, 0, config)
    actions, everyone = walks(1)[0, 0], [True] * config.avatars
    return (
        per_second(lambda: stepped(world, actions, everyone), 1, seconds, time.process_time),
        per_second(lambda: observation(stepped(world, actions, everyone), 0), 1, seconds, time.process_time),
    )


class NumpyWorlds:
    """The rules of flat and empty worlds, vectorised over worlds: what one would write without a compiler."""

    def __init__(self, worlds: Worlds) -> None:
        self.config, state = worlds.config, worlds.saved()
        self.position, self.velocity, self.heading = state.position_nax, state.velocity_nax, state.heading_nax
        self.grounded, self.inside, self.last = state.grounded_na, state.inside_na, state.last_na
        self.goals, self.successor, self.size = state.goal_nkx[:, : state.goals[0]], state.successor_nk, state.size
        angles = 2 * np.pi * np.arange(self.config.rays) / self.config.rays
        self.ring = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)

    def step(self, actions: np.ndarray) -> np.ndarray:
        """Rewards [n, a]."""
        c, dt = self.config, np.float32(self.config.step_seconds)
        wish = np.clip(actions, -1, 1)
        t = wish[..., 2] * np.float32(np.tan(c.turn_rate * c.step_seconds / 2))
        cos, sin = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
        hx, hy = self.heading[..., 0], self.heading[..., 1]
        self.heading = np.stack([hx * cos - hy * sin, hx * sin + hy * cos], -1)
        hx, hy = self.heading[..., 0], self.heading[..., 1]
        crouched = wish[..., 4] > 0
        jumps = (wish[..., 3] > 0) & self.grounded & ~crouched
        forward, left = wish[..., 0], wish[..., 1] * np.float32(c.left_share)
        pace = c.speed / np.maximum(np.hypot(forward, left), 1) * np.where(crouched, c.crouch_share, 1)
        wished = np.stack([(hx * forward - hy * left) * pace, (hy * forward + hx * left) * pace], -1)
        grip = np.where(self.grounded, c.grip, c.air_grip).astype(np.float32)[..., None]
        self.velocity[..., :2] += grip * (wished - self.velocity[..., :2])
        place = self.position[..., :2] + self.velocity[..., :2] * dt
        kept = np.clip(place, c.avatar_radius, self.size[:, None, None] - c.avatar_radius)
        self.velocity[..., :2][kept != place] = 0
        vz = np.where(jumps, c.jump_speed, self.velocity[..., 2] - c.gravity * dt)
        z = self.position[..., 2] + vz * dt
        lands = (z <= 0) | (self.grounded & ~jumps & (z < c.stick))
        self.velocity[..., 2] = np.where(lands, np.clip(-self.position[..., 2] / dt, 0, c.jump_speed), vz)
        self.position = np.concatenate([kept, np.where(lands, 0, z)[..., None]], -1).astype(np.float32)
        self.grounded, self.body = lands, np.where(crouched, c.crouching, c.standing)
        middle = self.position + np.stack([0 * z, 0 * z, self.body / 2], -1)
        near = ((middle[:, :, None] - self.goals[:, None]) ** 2).sum(-1) < c.goal_radius**2
        inside = np.where(near.any(-1), near.argmax(-1), -1)
        enters = (inside >= 0) & (inside != self.inside)
        follows = np.take_along_axis(self.successor, np.maximum(self.last, 0), 1)
        right = (self.last < 0) | (inside == follows)
        rewards = enters * np.where(right, c.right_reward, np.where(inside == self.last, 0, -1))
        self.inside, self.last = inside, np.where(enters, inside, self.last)
        return rewards

    def see(self) -> np.ndarray:
        """LIDAR of the first avatar, nearness in channels: float32 [n, rays, channels]."""
        c, far = self.config, np.float32(self.config.ray_range)
        hx, hy = self.heading[:, 0, 0, None], self.heading[:, 0, 1, None]
        dx, dy = self.ring[:, 0] * hx - self.ring[:, 1] * hy, self.ring[:, 0] * hy + self.ring[:, 1] * hx
        x, y = self.position[:, 0, 0, None], self.position[:, 0, 1, None]
        with np.errstate(divide="ignore"):
            to_x = (np.where(dx > 0, self.size[:, None], 0) - x) / dx
            to_y = (np.where(dy > 0, self.size[:, None], 0) - y) / dy
        wall = np.minimum(np.where(dx == 0, far, to_x), np.where(dy == 0, far, to_y))
        eye = self.position[:, 0, 2] + c.eye_share * self.body[:, 0]
        offset = self.goals - np.stack([x[:, 0], y[:, 0], eye], -1)[:, None]
        outside = (offset**2).sum(-1) - c.goal_radius**2
        along = offset[:, :, 0, None] * dx[:, None] + offset[:, :, 1, None] * dy[:, None]
        inner = along**2 - outside[:, :, None]
        hit = (inner > 0) & (along > 0) & (outside[:, :, None] >= 0)
        distance = np.concatenate([wall[:, None], np.where(hit, along - np.sqrt(np.maximum(inner, 0)), far)], 1)
        first, nearest = distance.argmin(1), distance.min(1)
        seen = np.zeros((len(x), c.rays, 5 + c.most_goals), np.float32)
        channel = np.where(first == 0, 1, first + 4)
        np.put_along_axis(seen, channel[..., None], np.maximum(1 - nearest / far, 0)[..., None].astype(np.float32), 2)
        return seen


def numpy_vectorised(count: int, seconds: float) -> tuple[float, float]:
    """The same rules in NumPy, alone and with LIDAR; held against the engine first."""
    worlds, actions, turn = grown(*OPEN, count), walks(count), iter(range(10**12))
    mine = NumpyWorlds(worlds)
    for one in actions:
        assert np.array_equal(mine.step(one), worlds.step(one)), "NumPy's rewards are others"
    assert np.allclose(mine.position, worlds.state.position_nax, atol=1e-3)
    lidar = worlds.layout.block(worlds.observe(), "lidar")[:, 0, 0]
    assert (np.abs(lidar - mine.see()) > 1e-3).mean() < 1e-3, "NumPy sees something else"

    def both() -> None:
        mine.step(actions[next(turn) % 32])
        mine.see()

    return (
        per_second(lambda: mine.step(actions[next(turn) % 32]), count, seconds, time.process_time),
        per_second(both, count, seconds, time.process_time),
    )


def minigrid(seconds: float) -> float:
    """MiniGrid-Empty-8x8 in Gymnasium's SyncVectorEnv, 16 at once; NaN where it is not installed."""
    try:
        import gymnasium
        import minigrid as _  # noqa: F401
    except ImportError:
        return float("nan")
    envs = gymnasium.make_vec("MiniGrid-Empty-8x8-v0", num_envs=16, vectorization_mode="sync")
    envs.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 3, 16)
    return per_second(lambda: envs.step(actions), 16, seconds, time.process_time)


def xland_minigrid(count: int, seconds: float) -> float:
    """XLand-MiniGrid-R1-9x9 on JAX's CPU, vmapped, with its 5 × 5 sight; NaN where it is not installed."""
    try:
        import jax
        import xminigrid
    except ImportError:
        return float("nan")
    env, parameters = xminigrid.make("XLand-MiniGrid-R1-9x9")
    states = jax.jit(jax.vmap(env.reset, (None, 0)))(parameters, jax.random.split(jax.random.key(0), count))
    actions = jax.random.randint(jax.random.key(1), (32, count), 0, 6)

    @jax.jit
    def run(states: Any) -> Any:
        return jax.lax.scan(lambda s, a: (jax.vmap(env.step, (None, 0, 0))(parameters, s, a), None), states, actions)[0]

    kept = [states]

    def work() -> None:
        kept[0] = jax.block_until_ready(run(kept[0]))

    return per_second(work, 32 * count, seconds, time.process_time)


def training(worlds: int, seconds: float) -> dict[str, float]:
    """Frames a CPU second of our training and of CleanRL's loop, and our split."""
    config = replace(open_field(), worlds=worlds)
    agent, shard = Agent(config.agent, config.world), Shard(config, 0)
    optimizer, ranges, numbers = build_optimizer(agent, config), first_ranges(config.randomisation), iter(range(10**9))
    spent = dict.fromkeys(("world", "forward", "update"), 0.0)

    with shard_workers(1) as workers:

        def ours() -> None:
            nonlocal spent
            number = next(numbers)
            rollout = shard.collect(agent, ranges, number)
            update = updated(agent, optimizer, [rollout], config, 0, workers)
            for name, value in zip(
                spent, (rollout.world_seconds, rollout.forward_seconds, update.seconds), strict=True
            ):
                spent[name] += value

        ours()
        spent = dict.fromkeys(spent, 0.0)  # without what loading compiled loops took
        speed = per_second(ours, config.rollout_frames, seconds, time.process_time)
        peer = CleanRLStyle(config)
        peer_speed = per_second(peer.rollout_and_update, config.rollout_frames, seconds, time.process_time)
    shares = {f"training_share_{name}": value / sum(spent.values()) for name, value in spent.items()}
    return {"training_frames": speed, "cleanrl_style_training_frames": peer_speed, **shares}


class CleanRLStyle:
    """Recurrent PPO as in CleanRL's ppo_atari_lstm.py, for our worlds: one `nn.LSTM` called once a step, in the update
    too, with the states of environments that are done set to zero before each."""

    def __init__(self, config: TrainingConfig) -> None:
        sizes, self.config = config.agent, config
        self.episodes = Episodes(config.world, config.worlds, tasks=config.tasks)
        self.table, self.mask = wish_table(sizes.wishes)
        self.encoder = torch.nn.Linear(self.episodes.worlds.layout.width, sizes.encoder)
        self.lstm = torch.nn.LSTM(sizes.encoder, sizes.belief)
        self.actor = torch.nn.Linear(sizes.belief, self.table.numel())
        self.critic, self.attention = torch.nn.Linear(sizes.belief, 1), torch.nn.Linear(sizes.belief, 3)
        self.modules = torch.nn.ModuleList([self.encoder, self.lstm, self.actor, self.critic, self.attention])
        self.optimizer = torch.optim.Adam(self.modules.parameters(), lr=config.ppo.rate, eps=1e-5)
        self.number = 0

    def states(self, x: torch.Tensor, state: tuple, done: torch.Tensor) -> tuple[torch.Tensor, tuple]:
        """`get_states`."""
        hidden = torch.relu(self.encoder(x))
        batch = state[0].shape[1]
        outputs = []
        for h, d in zip(hidden.reshape(-1, batch, hidden.shape[-1]), done.reshape(-1, batch), strict=True):
            keep = (1.0 - d).view(1, -1, 1)
            h, state = self.lstm(h.unsqueeze(0), (keep * state[0], keep * state[1]))
            outputs += [h]
        return torch.flatten(torch.cat(outputs), 0, 1), state

    def action_and_value(self, x: torch.Tensor, state: tuple, done: torch.Tensor, action: Any = None) -> tuple:
        """`get_action_and_value`, and the guess of the attention loss."""
        hidden, state = self.states(x, state, done)
        logits = self.actor(hidden).view(-1, *self.table.shape) + self.mask
        policy = torch.distributions.Categorical(logits=logits)
        action = policy.sample() if action is None else action
        guess = self.attention(hidden)
        return action, policy.log_prob(action).sum(1), policy.entropy().sum(1), self.critic(hidden), state, guess

    def rollout_and_update(self) -> None:
        """One iteration of CleanRL's loop."""
        ppo, count, steps = self.config.ppo, self.config.worlds, self.config.world.steps
        width, belief = self.episodes.worlds.layout.width, self.config.agent.belief
        obs, actions = torch.zeros(steps, count, width), torch.zeros(steps, count, len(self.table))
        logprobs, rewards, values = (torch.zeros(steps, count) for _ in range(3))
        dones, others = torch.zeros(steps, count), torch.zeros(steps, count, 4)
        state = initial = (torch.zeros(1, count, belief), torch.zeros(1, count, belief))
        self.number += 1
        seen = torch.tensor(self.episodes.begin(self.number)[:, 0])
        for step in range(steps):
            obs[step], others[step] = seen, torch.tensor(self.episodes.worlds.others_nobx[:, 0, 0])
            with torch.no_grad():
                action, logprob, _, value, state, _ = self.action_and_value(seen, state, dones[step])
            actions[step], logprobs[step], values[step] = action, logprob, value.flatten()
            wishes = self.table.expand(count, -1, -1).gather(-1, action[..., None])[..., 0]
            seen_nod, reward_nl = self.episodes.step(wishes.numpy()[:, None])
            seen, rewards[step] = torch.tensor(seen_nod[:, 0]), torch.tensor(reward_nl[:, 0])
        with torch.no_grad():
            last_value = self.action_and_value(seen, state, dones[0])[3].flatten()
            advantages, following = torch.zeros(steps, count), torch.zeros(count)
            for t in reversed(range(steps)):
                after = last_value if t == steps - 1 else values[t + 1]
                following = rewards[t] + ppo.discount * after - values[t] + ppo.discount * ppo.trace * following
                advantages[t] = following
            returns = advantages + values
        for _ in range(ppo.epochs):
            for envs in np.array_split(torch.randperm(count).numpy(), ppo.minibatches):
                of_envs = (
                    array[:, envs].flatten(0, 1) for array in (obs, actions.long(), logprobs, advantages, returns)
                )
                state = (initial[0][:, envs], initial[1][:, envs])
                self.learn(*of_envs, others[:, envs].flatten(0, 1), dones[:, envs].flatten(), state)

    def learn(self, obs, actions, logprobs, advantages, returns, others, dones, initial) -> None:
        """One minibatch."""
        ppo = self.config.ppo
        _, new_logprob, entropy, value, _, guess = self.action_and_value(obs, initial, dones, actions)
        ratio = (new_logprob - logprobs).exp()
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        policy = torch.max(-advantages * ratio, -advantages * ratio.clamp(1 - ppo.clip, 1 + ppo.clip)).mean()
        value_loss = 0.5 * ((value.flatten() - returns) ** 2).mean()
        error = (guess - others[:, 1:] / self.config.world.ray_range).abs().mean(-1) * others[:, 0]
        attention = error.sum() / others[:, 0].sum().clamp(min=1)
        loss = policy - ppo.entropy * entropy.mean() + ppo.value * value_loss + self.config.attention * attention
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.modules.parameters(), ppo.largest_gradient)
        self.optimizer.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--training-worlds", type=int, default=96)
    parser.add_argument("--only-training", action="store_true", help="and leave the other figures as they are")
    options = parser.parse_args()
    count, seconds = options.worlds, options.seconds
    if options.only_training:
        write({**json.loads(RESULTS.read_text()), **trained(options.training_worlds, seconds)})
        return
    figures = {**engine("open", *OPEN, count, seconds), **engine("full", *FULL, count, seconds)}
    figures |= episodes(count, seconds)
    figures |= threaded(count, seconds, options.threads)
    plain, plain_seeing = plain_python(*OPEN, seconds)
    _, plain_seeing_full = plain_python(*FULL, seconds)
    vectorised, vectorised_seeing = numpy_vectorised(count, seconds)
    peers = {
        "plain_python_open": (plain, "open_steps"),
        "plain_python_open_with_sight": (plain_seeing, "open_steps_with_sight"),
        "plain_python_full_with_sight": (plain_seeing_full, "full_steps_with_sight"),
        "numpy_open": (vectorised, "open_steps"),
        "numpy_open_with_sight": (vectorised_seeing, "open_steps_with_sight"),
        "minigrid_sync_vector": (minigrid(seconds), "open_steps_with_sight"),
        "xland_minigrid_jax_cpu": (xland_minigrid(count, seconds), "open_steps_with_sight"),
    }
    for name, value in figures.items():
        print(f"{name:45} {value:14,.0f} a second")
    for name, (value, ours) in peers.items():
        if np.isnan(value):
            print(f"{name:45} not installed")
            continue
        figures[name], figures[f"{ours}_over_{name}"] = value, figures[ours] / value
        print(f"{name:45} {value:14,.0f} a second; {ours} is {figures[ours] / value:,.1f} times that")
    write({**figures, **trained(options.training_worlds, seconds)})


def trained(worlds: int, seconds: float) -> dict[str, float]:
    """The figures of training, printed."""
    figures = training(worlds, 4 * seconds)
    ratio = figures["training_frames"] / figures["cleanrl_style_training_frames"]
    for name, value in figures.items():
        print(f"{name:45} {value:14,.2f}")
    print(f"training is {ratio:.2f} times as fast as CleanRL's loop")
    return {**figures, "training_frames_over_cleanrl_style": ratio}


def write(figures: dict[str, float]) -> None:
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
