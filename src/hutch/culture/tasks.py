"""What differs from world to world: its size, terrain, obstacles, goals and how their order is drawn.

Legend: n worlds.
"""

from dataclasses import dataclass, fields, replace
from math import pi

import numpy as np

from hutch.culture.world_config import WorldConfig
from hutch.runs.errors import BadInput
from hutch.runs.seeds import generator

ANY_CROSSINGS = 1000
"""More than any closed path through the goals of a world can have."""


@dataclass(frozen=True, kw_only=True)
class Tasks:
    """One task for each world, as arrays [n].

    World size, terrain bumpiness and obstacle density are the paper's parameters of a world (Bhoopchand et al. 2023,
    GoalCycle3D task space); the number of goals and crossings are those of a game.
    """

    size: np.ndarray
    """Side of the square world, metres; 20 in the paper's first trainings, to 32 under ADR (not verified)."""
    bumpiness: np.ndarray
    """Height of the terrain's noise, 0 (flat) to 2, times `WorldConfig.relief`."""
    pillars: np.ndarray
    """Vertical obstacles per 100 m²."""
    hurdles: np.ndarray
    """Horizontal obstacles to jump over, per 100 m²."""
    bars: np.ndarray
    """Horizontal obstacles to crouch under, per 100 m²."""
    goals: np.ndarray
    """Goals, whole numbers."""
    crossings: np.ndarray
    """Self-crossings of the closed path through the goals, at most; where no drawn order has so few, the fewest."""
    penalty: np.ndarray
    """What a wrong goal costs; 1 in the paper."""

    def __len__(self) -> int:
        return len(self.size)

    def of(self, which: np.ndarray) -> "Tasks":
        """The tasks of some worlds; `which` selects as in NumPy."""
        return replace(self, **{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def table(self) -> np.ndarray:
        """float64 [n, 8], columns in the order of the fields."""
        return np.stack([np.asarray(getattr(self, field.name), np.float64) for field in fields(self)], axis=1)

    @classmethod
    def same(cls, count: int, **values: float) -> "Tasks":
        """The same task `count` times; what is not given is as in `EASY`."""
        unknown = set(values) - set(EASY)
        if unknown:
            raise BadInput(f"a task has no {sorted(unknown)[0]}; it has {', '.join(EASY)}")
        return cls(**{name: np.full(count, value, np.float64) for name, value in {**EASY, **values}.items()})


EASY: dict[str, float] = {
    "size": 13.0,
    "bumpiness": 0.0,
    "pillars": 0.0,
    "hurdles": 0.0,
    "bars": 0.0,
    "goals": 4.0,
    "crossings": float(ANY_CROSSINGS),
    "penalty": 1.0,
}
"""A flat, empty world of 13 m with four goals in any order."""

Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class TaskRanges:
    """From where tasks are drawn, each number uniformly and on its own; [lo, hi], both included."""

    size: Range = (13.0, 13.0)
    bumpiness: Range = (0.0, 0.0)
    pillars: Range = (0.0, 0.0)
    hurdles: Range = (0.0, 0.0)
    bars: Range = (0.0, 0.0)
    goals: Range = (4.0, 4.0)
    crossings: Range = (float(ANY_CROSSINGS), float(ANY_CROSSINGS))
    penalty: Range = (1.0, 1.0)

    def __post_init__(self) -> None:
        for field in fields(self):
            low, high = getattr(self, field.name)
            if not low <= high:
                raise BadInput(f"the range of {field.name} is [{low:g}, {high:g}]; its low end must come first")

    def draw(self, count: int, *seed: int | str) -> Tasks:
        """`count` tasks; whole numbers where a number counts things."""
        random = generator("tasks", *seed)
        columns = {}
        for field in fields(self):
            low, high = getattr(self, field.name)
            if field.name in ("goals", "crossings"):
                columns[field.name] = random.integers(int(low), int(high) + 1, count).astype(np.float64)
            else:
                columns[field.name] = random.uniform(low, high, count)
        return Tasks(**columns)


def paper_tasks() -> TaskRanges:
    """Five goals on 20 m of bumpy ground with obstacles (sizes and densities not verified)."""
    return TaskRanges(
        size=(20.0, 20.0), bumpiness=(0.5, 0.5), pillars=(2.0, 2.0), hurdles=(0.5, 0.5), bars=(0.5, 0.5), goals=(5, 5)
    )


def check_tasks(tasks: Tasks, config: WorldConfig) -> None:
    """Raises BadInput for the first task that no world of this configuration can hold."""
    table = tasks.table()
    if not np.isfinite(table).all():
        raise BadInput("a task holds a number that is not finite; every number of a task must be")
    for name, low, high in (
        ("size", 4, 200),
        ("bumpiness", 0, 2),
        ("pillars", 0, 100),
        ("hurdles", 0, 100),
        ("bars", 0, 100),
        ("goals", 2, config.most_goals),
        ("crossings", 0, ANY_CROSSINGS),
        ("penalty", 0, 100),
    ):
        values = np.asarray(getattr(tasks, name), np.float64)
        wrong = (values < low) | (values > high)
        if wrong.any():
            raise BadInput(f"{name} of a task is {values[wrong][0]:g}; it must lie between {low} and {high}")
    if (np.asarray(tasks.goals) % 1 != 0).any():
        raise BadInput(f"goals of a task is {tasks.goals[np.asarray(tasks.goals) % 1 != 0][0]:g}; it must be whole")
    _check_room(tasks, config)


def _check_room(tasks: Tasks, config: WorldConfig) -> None:
    """Goals as discs with half their gap may cover 35 % of where their centres can be (random placing jams at 55 %)."""
    size, goals = np.asarray(tasks.size, np.float64), np.asarray(tasks.goals, np.float64)
    open_side = np.maximum(size - 2 * (config.goal_radius + config.avatar_radius), 0)
    disc = pi * (config.goal_radius + config.goal_gap / 2) ** 2
    crowded = goals * disc > 0.35 * open_side**2
    if crowded.any():
        fit = int(0.35 * open_side[crowded][0] ** 2 / disc)
        raise BadInput(
            f"{goals[crowded][0]:g} goals do not fit a world of {size[crowded][0]:g} m; "
            f"at most {fit} of radius {config.goal_radius:g} do"
        )
    density = tasks.pillars + tasks.hurdles + tasks.bars
    obstacles = np.ceil(density * size**2 / 100 + 3)
    many = (density > 0) & (obstacles > config.most_obstacles)
    if many.any():
        raise BadInput(
            f"a task asks for up to {obstacles[many][0]:.0f} obstacles and most_obstacles is {config.most_obstacles}; "
            "raise it or lower the densities"
        )


def world_seeds(count: int, *seed: int | str) -> np.ndarray:
    """Seeds for `count` worlds, uint64 [count]: equal parts give equal seeds."""
    return generator("worlds", *seed).integers(2**64, size=count, dtype=np.uint64)
