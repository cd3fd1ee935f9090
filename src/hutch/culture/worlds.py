"""A batch of worlds: grow, step, observe, save, restore. The fast engine behind every interface of this room."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import pi
from pathlib import Path
from typing import Any

import numpy as np

from hutch.culture.observation_layout import observation_layout
from hutch.culture.tasks import Tasks, check_tasks
from hutch.culture.world_config import ACTIONS, WorldConfig
from hutch.culture.world_state import (
    WorldState,
    copy_state,
    empty_state,
    read_state,
    rules_of,
    sizes_of,
    write_state,
)
from hutch.runs.errors import BadInput


def around(count: int) -> np.ndarray:
    """`count` unit directions (forward, left), evenly around, the first one ahead: float32 [count, 2]."""
    angles = 2 * pi * np.arange(count) / count
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


class Worlds:
    """`count` worlds that step together, each on its own: what happens in one depends on no other and on no thread.

    Legend: n worlds, a avatars, o observers (the first avatars), d numbers of an observation. Arrays that a method
    returns are its own and are overwritten by the next call, unless said otherwise.

    An episode is `config.steps` long in every world; whoever steps decides when to `grow` the next ones.
    """

    def __init__(self, config: WorldConfig, count: int, *, observers: int | None = None, threads: int = 1) -> None:
        """`observers`: how many avatars of a world observe (all); `threads`: slices of the batch worked on at once."""
        if count < 1 or threads < 1:
            raise BadInput(f"worlds is {count} and threads is {threads}; both must be at least 1")
        observers = config.avatars if observers is None else observers
        if not 0 <= observers <= config.avatars:
            raise BadInput(f"observers is {observers}; there are {config.avatars} avatars")
        # Their import takes half a second: here and not at the top.
        from hutch.culture import growth_kernels, sight_kernels, step_kernels

        self.config, self.count, self.observers, self.threads = config, count, observers, threads
        self.layout = observation_layout(config)
        self.state = empty_state(config, count)
        self.rules, self.offsets = rules_of(config), self.layout.offsets()
        self._sizes = sizes_of(config)
        self._grow, self._step, self._observe = (
            growth_kernels.grow_slice,
            step_kernels.step_slice,
            sight_kernels.observe_slice,
        )
        self._ring, self._sectors = around(config.rays), around(config.avatar_rays)
        self._slopes = np.array(config.ray_slopes, np.float32)
        self._everyone = np.ones((count, config.avatars), np.bool_)
        self.observations_nod = np.zeros((count, observers, self.layout.width), np.float32)
        """What the observers saw last, as `layout` says."""
        self.others_nobx = np.zeros((count, observers, config.avatars - 1, 4), np.float32)
        """For each observer and each other avatar: present (1 or 0), and where it truly is (forward, left, up in
        metres), seen or not: what the attention loss predicts (Bhoopchand et al. 2023, The role of memory, expert
        demonstrations and attention loss)."""
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def grow(self, seeds: np.ndarray, tasks: Tasks, which: np.ndarray | None = None) -> None:
        """New worlds and new episodes: world w from `seeds[w]` (uint64 [n]) and task w.

        `which`: bool [n], the worlds to grow (None: all); the others go on. Equal seeds and tasks give equal worlds.
        Raises BadInput for tasks that fit no world of this configuration.
        """
        if len(seeds) != self.count or len(tasks) != self.count:
            raise BadInput(f"{len(seeds)} seeds and {len(tasks)} tasks for {self.count} worlds; each needs one")
        check_tasks(tasks, self.config)
        mask = np.ones(self.count, np.bool_) if which is None else np.ascontiguousarray(which, np.bool_)
        table, numbers = tasks.table(), np.ascontiguousarray(seeds, np.uint64)
        self.sliced(lambda start, stop: self._grow(self._sizes, self.state, start, stop, mask, numbers, table))

    def step(self, actions: np.ndarray, present: np.ndarray | None = None) -> np.ndarray:
        """One step of all worlds. Returns the rewards, float32 [n, a]: `state.reward_na`.

        `actions`: [n, a, 5], `ACTIONS`, clipped to [−1, 1] (NaN counts as 0); `present`: bool [n, a], who takes part
        (None: all). An absent avatar stands still, enters nothing and is not seen.
        """
        expected = (self.count, self.config.avatars, len(ACTIONS))
        actions = np.ascontiguousarray(actions, np.float32)
        if actions.shape != expected:
            raise BadInput(f"actions have the shape {actions.shape}; they must have {expected}")
        here = self._everyone if present is None else np.ascontiguousarray(present, np.bool_)
        if here.shape != expected[:2]:
            raise BadInput(f"present has the shape {here.shape}; it must have {expected[:2]}")
        self.sliced(lambda start, stop: self._step(self.rules, self.state, start, stop, actions, here))
        return self.state.reward_na

    def observe(self) -> np.ndarray:
        """What the observers see now, float32 [n, o, d]: `observations_nod`; sets `others_nobx`, too."""
        self.sliced(
            lambda start, stop: self._observe(
                self.rules,
                self.offsets,
                self.state,
                start,
                stop,
                self._ring,
                self._slopes,
                self._sectors,
                self.observations_nod,
                self.others_nobx,
            )
        )
        return self.observations_nod

    @property
    def done_n(self) -> np.ndarray:
        """bool [n]: which episodes are over."""
        return self.state.time >= self.config.steps

    def sliced(self, work: Callable[[int, int], Any]) -> None:
        """`work(start, stop)` for equal slices of the worlds, one on each thread."""
        if self._pool is None:
            work(0, self.count)
            return
        edges = [self.count * i // self.threads for i in range(self.threads + 1)]
        waiting = [self._pool.submit(work, edges[i], edges[i + 1]) for i in range(1, self.threads)]
        work(edges[0], edges[1])
        for one in waiting:
            one.result()

    def saved(self) -> WorldState:
        """The state now, as a copy; `restore` goes on from it bit by bit."""
        return copy_state(self.state)

    def restore(self, state: WorldState) -> None:
        """Go on from a saved state. Raises BadInput where it is of other worlds."""
        for name, mine, theirs in zip(WorldState._fields, self.state, state, strict=True):
            if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
                raise BadInput(
                    f"the state's {name} is {theirs.dtype} {theirs.shape}; these worlds need {mine.dtype} {mine.shape}"
                )
        for mine, theirs in zip(self.state, state, strict=True):
            mine[...] = theirs

    def save(self, path: Path) -> None:
        """The state now, as a file."""
        write_state(path, self.state, self.config)

    def load(self, path: Path) -> None:
        """Go on from a file that `save` wrote."""
        self.restore(read_state(path, self.config))

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
            self.threads = 1
