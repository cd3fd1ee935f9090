"""Episodes of learners beside scripted experts that drop out: what a trainer and the environments step.

Legend: n worlds, l learners (the first avatars), e experts (the others), t steps, d numbers of an observation.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from hutch.culture.dropout import DropOut, presence
from hutch.culture.experts import ExpertConfig, Experts, ExpertState
from hutch.culture.tasks import TaskRanges, Tasks, world_seeds
from hutch.culture.world_config import ACTIONS, WorldConfig
from hutch.culture.world_state import WorldState
from hutch.culture.worlds import Worlds
from hutch.runs.errors import BadInput


class EpisodesState(NamedTuple):
    """A batch of episodes at one moment; `Episodes.restore` goes on from it bit by bit."""

    worlds: WorldState
    experts: tuple[ExpertState, ...]
    there_net: np.ndarray
    """bool [n, e, t]."""
    time: int


class Episodes:
    """`count` episodes at once, all of the same length, from their first step to their last.

        episodes = Episodes(laptop_world(), 192, tasks=TaskRanges(goals=(4, 5)))
        observations_nod = episodes.begin(0, "epoch", 3)
        while not episodes.over:
            observations_nod, rewards_nl = episodes.step(actions_nlv)

    Everything follows from what `begin` is given. Returned arrays are overwritten by the next call.
    """

    def __init__(
        self,
        world: WorldConfig,
        count: int,
        *,
        tasks: TaskRanges | None = None,
        expert: ExpertConfig | None = None,
        dropout: DropOut | None = None,
        learners: int = 1,
        threads: int = 1,
    ) -> None:
        if not 1 <= learners <= world.avatars:
            raise BadInput(f"learners is {learners}; of {world.avatars} avatars at least one must learn")
        self.world, self.count, self.learners = world, count, learners
        self.ranges, self.dropout = tasks or TaskRanges(), dropout or DropOut()
        self.worlds = Worlds(world, count, observers=learners, threads=threads)
        self.experts = [Experts(self.worlds, a, expert or ExpertConfig()) for a in range(learners, world.avatars)]
        self.there_net = np.ones((count, world.avatars - learners, world.steps), np.bool_)
        """Which expert is there at which step of this episode."""
        self.time = world.steps
        self._actions = np.zeros((count, world.avatars, len(ACTIONS)), np.float32)
        self._present = np.ones((count, world.avatars), np.bool_)

    @property
    def over(self) -> bool:
        """Whether the episodes have ended, or none has begun."""
        return self.time >= self.world.steps

    def begin(
        self,
        *seed: int | str,
        tasks: Tasks | None = None,
        seeds: np.ndarray | None = None,
        there_net: np.ndarray | None = None,
        speed: np.ndarray | None = None,
        noise: np.ndarray | None = None,
        error: np.ndarray | None = None,
    ) -> np.ndarray:
        """The first observations, float32 [n, l, d], of new episodes that follow from `seed`.

        `tasks`: in place of ones drawn from the ranges; `seeds`: uint64 [n], in place of the worlds' own; `there_net`:
        bool [n, e, t], in place of a drawn presence;
        `speed`, `noise`, `error`: [n], the experts' in each world, as in `Experts.begin`.
        """
        drawn = self.ranges.draw(self.count, *seed) if tasks is None else tasks
        self.worlds.grow(world_seeds(self.count, *seed) if seeds is None else seeds, drawn)
        if there_net is None:
            schedules = [presence(self.dropout, self.count, self.world.steps, *seed, e) for e in self._expert_numbers]
            self.there_net = np.stack(schedules, axis=1) if schedules else self.there_net
        else:
            if there_net.shape != self.there_net.shape:
                raise BadInput(f"there_net has the shape {there_net.shape}; it must have {self.there_net.shape}")
            self.there_net = np.ascontiguousarray(there_net, np.bool_)
        for experts in self.experts:
            experts.begin(speed=speed, noise=noise, error=error)
        self.time = 0
        # Before the first step an expert that is going to be absent is not seen either.
        self.worlds.state.present_na[:, self.learners :] = self.there_net[:, :, 0]
        return self.worlds.observe()

    def step(self, actions_nlv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Observations, float32 [n, l, d], and rewards, float32 [n, l], after the learners' actions [n, l, 5]."""
        if self.over:
            raise BadInput("the episodes are over; begin new ones")
        expected = (self.count, self.learners, len(ACTIONS))
        if np.shape(actions_nlv) != expected:
            raise BadInput(f"actions have the shape {np.shape(actions_nlv)}; they must have {expected}")
        self._actions[:, : self.learners] = actions_nlv
        self._present[:, self.learners :] = self.there_net[:, :, self.time]
        for experts in self.experts:
            experts.act(self._actions, self._present)
        rewards_na = self.worlds.step(self._actions, self._present)
        self.time += 1
        return self.worlds.observe(), rewards_na[:, : self.learners]

    @property
    def actions_nav(self) -> np.ndarray:
        """float32 [n, a, 5]: what every avatar wished in the last step."""
        return self._actions

    @property
    def _expert_numbers(self) -> range:
        return range(self.world.avatars - self.learners)

    def saved(self) -> EpisodesState:
        """This moment, as a copy."""
        experts = tuple(one.saved() for one in self.experts)
        return EpisodesState(self.worlds.saved(), experts, self.there_net.copy(), self.time)

    def restore(self, state: EpisodesState) -> np.ndarray:
        """Go on from a saved moment; returns its observations."""
        if state.there_net.shape != self.there_net.shape or len(state.experts) != len(self.experts):
            raise BadInput(
                f"the saved episodes are {state.there_net.shape} (worlds, experts, steps); "
                f"these are {self.there_net.shape}"
            )
        self.worlds.restore(state.worlds)
        for one, theirs in zip(self.experts, state.experts, strict=True):
            one.restore(theirs)
        self.there_net = state.there_net.copy()
        self.time = state.time
        return self.worlds.observe()

    def close(self) -> None:
        """End the threads."""
        self.worlds.close()


class Recording:
    """One batch of episodes as its first state and the actions of every avatar: it plays again bit by bit."""

    def __init__(self, worlds: Worlds) -> None:
        """From the state that `worlds` has now."""
        self.config, self.first = worlds.config, worlds.saved()
        self.actions_tnav: list[np.ndarray] = []
        self.present_tna: list[np.ndarray] = []

    def add(self, worlds: Worlds) -> None:
        """Call it after every step of `worlds`."""
        self.actions_tnav.append(worlds.state.action_nav.copy())
        self.present_tna.append(worlds.state.present_na.copy())

    def __len__(self) -> int:
        return len(self.actions_tnav)

    def replay(self, worlds: Worlds) -> None:
        """Play all of it again in `worlds`, which end where the recording ended."""
        worlds.restore(self.first)
        for actions, present in zip(self.actions_tnav, self.present_tna, strict=True):
            worlds.step(actions, present)

    def write(self, folder: Path) -> None:
        """Two files: the first state and the actions."""
        from hutch.culture.world_state import write_state
        from hutch.runs.atomic import atomic_path

        write_state(folder / "first.npz", self.first, self.config)
        with atomic_path(folder / "actions.npz") as temporary, temporary.open("wb") as handle:
            np.savez_compressed(
                handle, actions_tnav=np.array(self.actions_tnav), present_tna=np.array(self.present_tna)
            )

    @classmethod
    def read(cls, folder: Path, worlds: Worlds) -> "Recording":
        """What `write` wrote, for worlds of the same configuration."""
        worlds.load(folder / "first.npz")
        recording = cls(worlds)
        with np.load(folder / "actions.npz") as saved:
            recording.actions_tnav, recording.present_tna = list(saved["actions_tnav"]), list(saved["present_tna"])
        return recording
