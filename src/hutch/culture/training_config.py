"""Everything that an agent's weights depend on."""

from dataclasses import dataclass, field, replace
from math import ceil

import numpy as np

from hutch.culture.agent_config import AgentConfig, flat_agent
from hutch.culture.dropout import DropOut
from hutch.culture.experts import ExpertConfig
from hutch.culture.ppo import PPOConfig
from hutch.culture.randomisation import OBSTACLES, TASK_PARAMETERS, Parameter, Randomisation
from hutch.culture.tasks import TaskRanges, Tasks, check_tasks
from hutch.culture.world_config import WorldConfig, complex_world, laptop_world
from hutch.runs.errors import BadInput

SWITCHES = ("M", "ED", "AL", "ADR")
"""Memory, expert dropout, attention loss, automatic domain randomisation: MEDAL-ADR (Bhoopchand et al. 2023)."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Everything that the weights depend on; its hash is the run's name."""

    world: WorldConfig = field(default_factory=laptop_world)
    tasks: TaskRanges = field(default_factory=TaskRanges)
    """Of what is not randomised."""
    expert: ExpertConfig = field(default_factory=ExpertConfig)
    dropout: DropOut = field(default_factory=lambda: DropOut(appear=0.03, vanish=0.01))
    """When the expert is there, where `expert_dropout` is on: three quarters of the time (ours)."""
    agent: AgentConfig = field(default_factory=flat_agent)
    expert_dropout: bool = True
    """ED; off, the expert is always there."""
    attention: float = 1.0
    """AL: weight of the attention loss; 0 is off."""
    randomisation: Randomisation = field(default_factory=Randomisation)
    """ADR."""
    first_penalty: float = 1.0
    """Share of a wrong goal's penalty at the start. The whole of it teaches a beginner to shun goals before it can
    follow anyone to them (ours)."""
    penalty_ramp: float = 0.3
    """Share of the training over which the penalty becomes whole, linearly (ours). A small one for good teaches to find
    the order alone."""
    ppo: PPOConfig = field(default_factory=PPOConfig)
    frames: int = 12_000_000
    """Steps of learners, rounded up to whole rollouts."""
    worlds: int = 96
    """Episodes of a rollout. Each is a sequence for the memory, never cut."""
    shards: int = 1
    """Parts of a rollout that threads may work on, with gradients added in one order: threads change no bit, shards
    do. 1 is best where every core has a run of its own, the number of cores where one run has them all."""
    measure_every: int = 50
    """Rollouts between measurements of transmission; also after the last."""
    measure_worlds: int = 48
    """Of each measurement, never seen in training."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("frames", "worlds", "shards", "measure_every", "measure_worlds"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name)}; it must be at least 1")
        if not self.attention >= 0:
            raise BadInput(f"attention is {self.attention}; a weight is at least 0")
        for name in ("first_penalty", "penalty_ramp"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(f"{name} is {getattr(self, name)}; it must lie between 0 and 1")
        if self.worlds % self.shards or self.worlds // self.shards < self.ppo.minibatches:
            raise BadInput(
                f"{self.worlds} worlds do not part into {self.shards} equal shards of at least "
                f"{self.ppo.minibatches} (minibatches)"
            )
        if self.world.avatars < 2:
            raise BadInput(f"avatars is {self.world.avatars}; a learner and an expert are 2")
        self._check_tasks()
        if self.randomisation.kind == "adaptive" and self.triples == 0:
            raise BadInput(
                f"a share of {self.randomisation.share} of {self.shard_worlds} worlds are no 3 to measure an end with; "
                "raise share or worlds"
            )

    @property
    def rollout_frames(self) -> int:
        return self.worlds * self.world.steps

    @property
    def rollouts(self) -> int:
        return ceil(self.frames / self.rollout_frames)

    @property
    def shard_worlds(self) -> int:
        return self.worlds // self.shards

    @property
    def triples(self) -> int:
        """Measurements of ends in each shard of a rollout."""
        return int(self.shard_worlds * self.randomisation.share) // 3 if self.randomisation.kind == "adaptive" else 0

    def penalty_share(self, rollout: int) -> float:
        """Of the penalty, in a rollout (0-based)."""
        ramp = self.penalty_ramp * self.rollouts
        return 1.0 if rollout >= ramp else self.first_penalty + (1 - self.first_penalty) * rollout / ramp

    @property
    def name(self) -> str:
        """As the paper names agents: MEDAL-ADR, ME-AL, ..., with - for what is off."""
        parts = ("M" if self.agent.memory else "-", "ED" if self.expert_dropout else "--")
        plain = "".join(parts) + ("AL" if self.attention > 0 else "--")
        return plain + {"none": "", "uniform": "-DR", "adaptive": "-ADR"}[self.randomisation.kind]

    def without(self, *switches: str) -> "TrainingConfig":
        """The same without some of `SWITCHES`: an ablation."""
        unknown = [switch for switch in switches if switch not in SWITCHES]
        if unknown:
            raise BadInput(f"there is no {unknown[0]!r} to leave out; there are {', '.join(SWITCHES)}")
        changes: dict = {}
        if "M" in switches:
            changes["agent"] = replace(self.agent, memory=False)
        if "ED" in switches:
            changes["expert_dropout"] = False
        if "AL" in switches:
            changes["attention"] = 0.0
        if "ADR" in switches:
            changes["randomisation"] = replace(self.randomisation, kind="none")
        return replace(self, **changes)

    def _check_tasks(self) -> None:
        """Raises BadInput where a task that could be drawn fits no world: the corners of the ranges."""
        ranges = {name: getattr(self.tasks, name) for name in TASK_PARAMETERS}
        if self.randomisation.kind != "none":
            for parameter in self.randomisation.parameters:
                if parameter.name in OBSTACLES and parameter.limits[1] > 0 and self.world.most_obstacles == 0:
                    raise BadInput(f"{parameter.name} is randomised and most_obstacles is 0: raise it")
                if parameter.name in ranges:
                    ranges[parameter.name] = parameter.limits
                elif parameter.limits[0] < 0 or parameter.limits[1] > 1:
                    raise BadInput(f"the limits of {parameter.name} are {parameter.limits}; they must be in 0 to 1")
        ends = {name: np.array(values, np.float64) for name, values in ranges.items()}
        small, large = ends["size"]
        crowded = {**{name: values[1] for name, values in ends.items()}, "size": small}
        for corner in (crowded, {**crowded, "size": large}, {name: values[0] for name, values in ends.items()}):
            check_tasks(Tasks.same(1, **{name: float(value) for name, value in corner.items()}), self.world)


def open_field() -> TrainingConfig:
    """MEDAL: a flat, empty square of 13 m with four goals, an expert that comes and goes."""
    return TrainingConfig()


def five_goals() -> TrainingConfig:
    """The same with five goals, the paper's number, on 14 m."""
    return TrainingConfig(tasks=TaskRanges(goals=(5, 5), size=(14, 14)), frames=24_000_000)


def rough_ground() -> TrainingConfig:
    """MEDAL-ADR: from that field towards larger, bumpy worlds with obstacles, more goals, slower and noisier experts
    that are away for longer (limits and steps ours)."""
    parameters = (
        Parameter(name="size", start=(13, 13), limits=(13, 20), step=0.5),
        Parameter(name="bumpiness", start=(0, 0), limits=(0, 0.6), step=0.05),
        Parameter(name="pillars", start=(0, 0), limits=(0, 2), step=0.25),
        Parameter(name="hurdles", start=(0, 0), limits=(0, 0.5), step=0.1),
        Parameter(name="bars", start=(0, 0), limits=(0, 0.5), step=0.1),
        Parameter(name="goals", start=(4, 4), limits=(4, 5), step=1),
        Parameter(name="speed", start=(1, 1), limits=(0.6, 1), step=0.05),
        Parameter(name="noise", start=(0, 0), limits=(0, 0.5), step=0.05),
        Parameter(name="vanish", start=(0.01, 0.02), limits=(0, 0.08), step=0.005),
        Parameter(name="appear", start=(0.02, 0.03), limits=(0, 0.05), step=0.005),
    )
    return TrainingConfig(
        world=replace(laptop_world(), ray_slopes=complex_world().ray_slopes),
        agent=AgentConfig(),
        randomisation=Randomisation(kind="adaptive", parameters=parameters),
        frames=24_000_000,
    )


RECIPES = {"open-field": open_field, "five-goals": five_goals, "rough-ground": rough_ground}
"""By name, for the command line."""
