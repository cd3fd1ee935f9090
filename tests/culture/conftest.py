"""Worlds that the tests of this folder share."""

import numpy as np
import pytest

from hutch.culture import TaskRanges, Tasks, WorldConfig, Worlds, world_seeds

EVERYTHING = WorldConfig(avatars=3, steps=50, ray_slopes=(0.0, -0.2, 0.1), avatars_collide=True)
"""Three avatars that push each other, three rings of rays."""
VARIED = TaskRanges(
    size=(12.5, 24.0), bumpiness=(0.0, 1.0), pillars=(0.0, 4.0), hurdles=(0.0, 2.0), bars=(0.0, 2.0), goals=(2, 4)
)


def varied_worlds(count: int, seed: int, threads: int = 1) -> Worlds:
    """Worlds of everything, the first one flat."""
    worlds = Worlds(EVERYTHING, count, threads=threads)
    tasks = VARIED.draw(count, seed)
    tasks.bumpiness[0] = 0
    worlds.grow(world_seeds(count, seed), tasks)
    return worlds


def wandering(random: np.random.Generator, count: int, avatars: int = 3) -> np.ndarray:
    """Actions that mostly walk ahead, some beyond what is allowed."""
    actions = random.uniform(-1, 1, (count, avatars, 5)).astype(np.float32)
    actions[..., 0] = np.abs(actions[..., 0]) * 1.3
    actions[..., 3:] -= 0.6
    return actions


@pytest.fixture
def one_world():
    """A function that builds one flat world of 20 m with goals and avatars where the test wants them."""

    def build(
        config: WorldConfig | None = None, goals=((2, 2), (18, 18)), avatars=((10, 10, 1, 0),), **tasks
    ) -> Worlds:
        worlds = Worlds(config or WorldConfig(), 1)
        worlds.grow(np.zeros(1, np.uint64), Tasks.same(1, **{"size": 20, "goals": len(goals), **tasks}))
        state = worlds.state
        for g, (x, y) in enumerate(goals):
            state.goal_nkx[0, g] = x, y, 1
            state.successor_nk[0, g] = (g + 1) % len(goals)
        for a, (x, y, hx, hy) in enumerate(avatars):
            state.position_nax[0, a] = x, y, 0
            state.heading_nax[0, a] = hx, hy
        state.present_na[0, len(avatars) :] = False
        return worlds

    return build
