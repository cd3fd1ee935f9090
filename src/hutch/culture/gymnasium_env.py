"""GoalCycle3D as Gymnasium environments: one learner beside scripted experts that drop in and out.

from hutch.culture.gymnasium_env import register
register()
envs = gymnasium.make_vec("hutch/GoalCycle3D-v0", num_envs=64, vectorization_mode="vector_entry_point")
"""

from typing import Any

import numpy as np

from hutch.culture.dropout import DropOut
from hutch.culture.episodes import Episodes, EpisodesState
from hutch.culture.experts import ExpertConfig
from hutch.culture.rendering import render
from hutch.culture.tasks import TaskRanges
from hutch.culture.world_config import ACTIONS, WorldConfig, laptop_world
from hutch.runs.errors import BadInput

try:
    import gymnasium as gym
    from gymnasium.vector import AutoresetMode
except ImportError as error:
    raise BadInput("culture needs the library gymnasium: pip install 'hutch-lab[culture]'") from error

ID = "hutch/GoalCycle3D-v0"


def register() -> None:
    """Make `ID` known to Gymnasium; a second call changes nothing."""
    if ID not in gym.registry:
        here = "hutch.culture.gymnasium_env"
        gym.register(ID, entry_point=f"{here}:GoalCycleEnv", vector_entry_point=f"{here}:GoalCycleVectorEnv")


class GoalCycleVectorEnv(gym.vector.VectorEnv):
    """`num_envs` worlds of one learner each; all episodes are equally long and end by truncation.

    Observations: float32 [num_envs, d], see `layout`. Actions: [num_envs, 5], `ACTIONS`. Infos: `expert_present` bool
    [num_envs] and `expert_score` float32 [num_envs], of the first expert. The step after the last one begins new
    episodes (Gymnasium's next-step autoreset).
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        world: WorldConfig | None = None,
        tasks: TaskRanges | None = None,
        expert: ExpertConfig | None = None,
        dropout: DropOut | None = None,
        threads: int = 1,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise BadInput(f"render_mode is {render_mode!r}; it must be rgb_array or None")
        self.metadata = {
            "render_modes": ["rgb_array"],
            "render_fps": 8,
            "autoreset_mode": AutoresetMode.NEXT_STEP,
        }
        self.num_envs, self.render_mode = num_envs, render_mode
        self.world = world or laptop_world()
        self.episodes = Episodes(self.world, num_envs, tasks=tasks, expert=expert, dropout=dropout, threads=threads)
        self.layout = self.episodes.worlds.layout
        self.single_observation_space = gym.spaces.Box(-8.0, 8.0, (self.layout.width,), np.float32)
        self.single_action_space = gym.spaces.Box(-1.0, 1.0, (len(ACTIONS),), np.float32)
        self.observation_space = gym.vector.utils.batch_space(self.single_observation_space, num_envs)
        self.action_space = gym.vector.utils.batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """New episodes; equal seeds give equal ones."""
        super().reset(seed=seed)
        observations_nod = self.episodes.begin(int(self.np_random.integers(2**63)))
        return observations_nod[:, 0].copy(), self._infos()

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One step of all worlds, or new episodes where the last step ended them."""
        never = np.zeros(self.num_envs, np.bool_)
        if self.episodes.over:
            observations, infos = self.reset()
            return observations, np.zeros(self.num_envs, np.float32), never, never.copy(), infos
        wishes = np.asarray(actions, np.float32)
        if wishes.shape != self.action_space.shape:
            raise BadInput(f"actions have the shape {wishes.shape}; they must have {self.action_space.shape}")
        observations_nod, rewards_nl = self.episodes.step(wishes[:, None])
        ended = np.full(self.num_envs, self.episodes.over)
        return observations_nod[:, 0].copy(), rewards_nl[:, 0].copy(), never, ended, self._infos()

    def _infos(self) -> dict[str, Any]:
        state = self.episodes.worlds.state
        if self.world.avatars == 1:
            return {}
        return {"expert_present": state.present_na[:, 1].copy(), "expert_score": state.score_na[:, 1].copy()}

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Each world from above, uint8 [256, 256, 3]."""
        if self.render_mode is None:
            return None
        return tuple(render(self.episodes.worlds.state, w, self.world) for w in range(self.num_envs))

    def saved(self) -> EpisodesState:
        """This moment, as a copy: `restore` goes on from it bit by bit."""
        return self.episodes.saved()

    def restore(self, state: EpisodesState) -> np.ndarray:
        """Go on from a saved moment; returns its observations."""
        return self.episodes.restore(state)[:, 0].copy()

    def close_extras(self, **kwargs: Any) -> None:
        """End the threads."""
        self.episodes.close()


class GoalCycleEnv(gym.Env):
    """The same for one world: observations [d], actions [5]."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012  Gymnasium reads it from the class

    def __init__(self, render_mode: str | None = None, **settings: Any) -> None:
        """`settings` as in `GoalCycleVectorEnv`."""
        self.render_mode = render_mode
        self.vector = GoalCycleVectorEnv(1, render_mode=render_mode, **settings)
        self.observation_space = self.vector.single_observation_space
        self.action_space = self.vector.single_action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """A new episode."""
        super().reset(seed=seed)
        self.vector.np_random = self.np_random
        observations, infos = self.vector.reset()
        return observations[0], {name: values[0] for name, values in infos.items()}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One step."""
        observations, rewards, _, ended, infos = self.vector.step(np.asarray(action, np.float32)[None])
        one = {name: values[0] for name, values in infos.items()}
        return observations[0], float(rewards[0]), False, bool(ended[0]), one

    def render(self) -> np.ndarray | None:
        """The world from above."""
        frames = self.vector.render()
        return None if frames is None else frames[0]

    def close(self) -> None:
        """End the threads."""
        self.vector.close()
