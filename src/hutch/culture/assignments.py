"""What the worlds of a rollout are: tasks, seeds, experts and their presence, for free practice and for measuring the
ends of randomised ranges.

Legend: n worlds, e experts, t steps, m measurements.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from hutch.culture.dropout import DropOut, presence
from hutch.culture.randomisation import EXPERT_PARAMETERS, Ranges, drawn
from hutch.culture.tasks import Tasks, world_seeds
from hutch.culture.training_config import TrainingConfig
from hutch.runs.seeds import generator


class Assignment(NamedTuple):
    """Free worlds first, then m with the expert throughout, the same m with it in the first half, and without it."""

    tasks: Tasks
    seeds_n: np.ndarray
    there_net: np.ndarray
    experts: dict[str, np.ndarray]
    """Speed, noise and error in each world, where they are randomised."""
    end_m2: np.ndarray
    """Which end a measurement is of: parameter and side."""
    trained_n: np.ndarray
    """bool: whether the agent learns from the episode; not from absences where expert dropout is off."""


def assigned(config: TrainingConfig, ranges: Ranges, rollout: int, *seed: int | str) -> Assignment:
    """The worlds of one shard of rollout number `rollout`. A pure function of its arguments."""
    count, measured = config.shard_worlds, config.triples
    free = count - 3 * measured
    # A measurement is drawn once and stands three times.
    source_n = np.concatenate([np.arange(free), np.tile(np.arange(free, free + measured), 3)])
    own = config.tasks.draw(free + measured, *seed)
    seeds = world_seeds(free + measured, *seed)
    if config.randomisation.kind == "none":
        values, end_m2 = {}, np.zeros((0, 2), np.int64)
    else:
        random = generator("randomisation", *seed)
        values, end_m2 = drawn(config.randomisation, ranges, free, measured, random)
    tasks = replace(own, **{name: column for name, column in values.items() if name not in EXPERT_PARAMETERS})
    tasks = replace(tasks, penalty=tasks.penalty * config.penalty_share(rollout))
    schedule = config.dropout if config.expert_dropout else DropOut(kind="full")
    chains = {name: values[name] for name in ("appear", "vanish") if name in values}
    experts = range(config.world.avatars - 1)
    there_net = np.stack([_there(config, schedule, chains, free, end_m2, (*seed, e)) for e in experts], axis=1)
    trained_n = np.ones(count, np.bool_)
    if not config.expert_dropout:
        trained_n[free + measured :] = False
    settings = {name: values[name][source_n] for name in ("speed", "noise", "error") if name in values}
    return Assignment(tasks.of(source_n), seeds[source_n], there_net, settings, end_m2, trained_n)


def _there(
    config: TrainingConfig,
    schedule: DropOut,
    chains: dict[str, np.ndarray],
    free: int,
    end_m2: np.ndarray,
    seed: tuple[int | str, ...],
) -> np.ndarray:
    """bool [n, t]: by chance in the free worlds, then full, half, none. An end of the drop-out itself is measured by
    its own chain in place of half."""
    steps, measured = config.world.steps, len(end_m2)
    by_chance = presence(schedule, free + measured, steps, *seed, **chains)
    full, half, none = (presence(DropOut(kind=kind), measured, steps) for kind in ("full", "half", "none"))
    names = [parameter.name for parameter in config.randomisation.parameters]
    own_chain = np.array([names[p] in ("appear", "vanish") for p in end_m2[:, 0]], np.bool_)
    half[own_chain] = by_chance[free:][own_chain]
    return np.concatenate([by_chance[:free], full, half, none])


def measurements(assignment: Assignment, score_na: np.ndarray) -> list[tuple[int, int, float, float]]:
    """(p, s, gain, E) of each measured end, from the final scores [n, a]: what `randomisation.moved` takes."""
    measured = len(assignment.end_m2)
    if measured == 0:
        return []
    full, half, solo = score_na[len(score_na) - 3 * measured :, 0].reshape(3, measured)
    expert = score_na[len(score_na) - 3 * measured :, 1].reshape(3, measured)[0]
    gain = (full + half) / 2 - solo
    return [(int(p), int(s), float(gain[m]), float(expert[m])) for m, (p, s) in enumerate(assignment.end_m2)]
