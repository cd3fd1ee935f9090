"""GoalCycle3D as a PettingZoo parallel environment: one world in which every avatar is yours."""

from typing import Any

import numpy as np

from hutch.culture.rendering import render
from hutch.culture.tasks import TaskRanges, world_seeds
from hutch.culture.world_config import ACTIONS, WorldConfig, laptop_world
from hutch.culture.world_state import WorldState
from hutch.culture.worlds import Worlds
from hutch.runs.errors import BadInput

try:
    from gymnasium.spaces import Box
    from pettingzoo import ParallelEnv
except ImportError as error:
    raise BadInput("culture needs the library pettingzoo: pip install 'hutch-lab[culture]'") from error


class GoalCycleParallelEnv(ParallelEnv):
    """Agents `avatar_0`, `avatar_1`, ...: observations float32 [d], actions [5]; episodes end by truncation."""

    metadata = {"render_modes": ["rgb_array"], "name": "goalcycle3d_v0", "is_parallelizable": True}  # noqa: RUF012

    def __init__(
        self, *, world: WorldConfig | None = None, tasks: TaskRanges | None = None, render_mode: str | None = None
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise BadInput(f"render_mode is {render_mode!r}; it must be rgb_array or None")
        self.world, self.tasks, self.render_mode = world or laptop_world(), tasks or TaskRanges(), render_mode
        self.worlds = Worlds(self.world, 1)
        self.possible_agents = [f"avatar_{a}" for a in range(self.world.avatars)]
        self.agents: list[str] = []
        width = self.worlds.layout.width
        self._observation_spaces = {one: Box(-8.0, 8.0, (width,), np.float32) for one in self.possible_agents}
        self._action_spaces = {one: Box(-1.0, 1.0, (len(ACTIONS),), np.float32) for one in self.possible_agents}
        self._random = np.random.default_rng()

    def observation_space(self, agent: str) -> Box:
        """The same object for the same agent."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> Box:
        """The same object for the same agent."""
        return self._action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """A new world; equal seeds give equal ones."""
        if seed is not None:
            self._random = np.random.default_rng(seed)
        number = int(self._random.integers(2**63))
        self.worlds.grow(world_seeds(1, number), self.tasks.draw(1, number))
        self.agents = list(self.possible_agents)
        return self._observations(), {one: {} for one in self.agents}

    def step(self, actions: dict[str, np.ndarray]) -> tuple[dict, dict, dict, dict, dict]:
        """One step of all avatars; each needs an action."""
        missing = [one for one in self.agents if one not in actions]
        if not self.agents or missing:
            raise BadInput(f"{missing[0]} has no action" if missing else "the episode is over; reset it")
        wishes = np.array([[actions[one] for one in self.possible_agents]], np.float32)
        rewards = self.worlds.step(wishes)[0]
        done = bool(self.worlds.done_n[0])
        agents = self.agents
        if done:
            self.agents = []
        return (
            self._observations(),
            {one: float(rewards[a]) for a, one in enumerate(agents)},
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, done),
            {one: {} for one in agents},
        )

    def _observations(self) -> dict[str, np.ndarray]:
        seen_od = self.worlds.observe()[0]
        return {one: seen_od[a].copy() for a, one in enumerate(self.possible_agents)}

    def render(self) -> np.ndarray | None:
        """The world from above, uint8 [256, 256, 3]."""
        return None if self.render_mode is None else render(self.worlds.state, 0, self.world)

    def saved(self) -> WorldState:
        """This moment, as a copy: `restore` goes on from it bit by bit."""
        return self.worlds.saved()

    def restore(self, state: WorldState) -> dict[str, np.ndarray]:
        """Go on from a saved moment; returns its observations."""
        self.worlds.restore(state)
        self.agents = [] if self.worlds.done_n[0] else list(self.possible_agents)
        return self._observations()

    def close(self) -> None:
        """Nothing is held."""
