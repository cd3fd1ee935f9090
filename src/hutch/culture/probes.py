"""Held-out tasks: what an agent is measured on that it was not trained on (Bhoopchand et al. 2023, Probe tasks and
Generalisation)."""

from dataclasses import dataclass, replace
from itertools import product

from hutch.culture.agent import Agent
from hutch.culture.experts import ExpertConfig
from hutch.culture.tasks import TaskRanges, Tasks, check_tasks
from hutch.culture.training_config import TrainingConfig
from hutch.culture.transmission import Figure, Scores, figures, measured
from hutch.culture.world_config import WorldConfig
from hutch.runs.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Tasks and an expert under one name."""

    name: str
    tasks: TaskRanges
    expert: ExpertConfig


def probes(config: TrainingConfig) -> tuple[Probe, ...]:
    """Around what an agent was trained on: its own tasks in new worlds, one goal fewer and one more, an expert whose
    walk it never saw, with human-like pauses and mistakes, and the anti-expert, whom it should not follow."""
    low, high = (round(end) for end in config.tasks.goals)
    own, expert = config.tasks, config.expert
    candidates = [
        Probe(name="own tasks, new worlds", tasks=own, expert=expert),
        *(
            Probe(name=f"{count} goals", tasks=_roomy(own, count, config.world), expert=expert)
            for count in (low - 1, high + 1)
            if 2 <= count <= config.world.most_goals
        ),
        Probe(
            name="human-like expert",
            tasks=own,
            expert=replace(expert, gait="sidestepping", pause_rate=0.05, error=0.1, noise=max(expert.noise, 0.2)),
        ),
        Probe(name="anti-expert", tasks=own, expert=replace(expert, order="reversed")),
    ]
    return tuple(candidates)


def _roomy(tasks: TaskRanges, goals: int, world: WorldConfig) -> TaskRanges:
    """The same with other goals, in a world that is larger where they need it."""
    low, high = tasks.size
    for more in range(40):
        size = (low + more / 2, max(high, low + more / 2))
        try:
            check_tasks(Tasks.same(1, size=size[0], goals=goals), world)
        except BadInput:
            continue
        return replace(tasks, goals=(goals, goals), size=size)
    raise BadInput(f"{goals} goals fit no world of up to {low + 20:g} m")


def grid(
    config: TrainingConfig, sizes: tuple[float, ...], bumps: tuple[float, ...], pillars: tuple[float, ...]
) -> tuple[Probe, ...]:
    """World size × bumpiness × vertical obstacles, everything else as in training."""
    return tuple(
        Probe(
            name=f"size {size:g}, bumpiness {bump:g}, pillars {density:g}",
            tasks=replace(config.tasks, size=(size, size), bumpiness=(bump, bump), pillars=(density, density)),
            expert=config.expert,
        )
        for size, bump, density in product(sizes, bumps, pillars)
    )


def probed(
    agent: Agent, probe: Probe, worlds: int, seed: int, *, threads: int = 1, greedy: bool = False
) -> tuple[Scores, dict[str, Figure]]:
    """Scores in `worlds` worlds that no training has seen, and the figures from them."""
    scores = measured(
        agent, probe.tasks, worlds, seed, "probe", probe.name, expert=probe.expert, threads=threads, greedy=greedy
    )
    return scores, figures(scores, seed, probe.name)
