"""One world as plain objects."""

from dataclasses import dataclass, field

import numpy as np

from hutch.culture.world_config import WorldConfig
from hutch.culture.world_state import WorldState


@dataclass
class Avatar:
    """Where an avatar is, how it moves, and where it is in the cycle."""

    x: float
    y: float
    z: float
    vx: float = 0.0
    vy: float = 0.0
    vz: float = 0.0
    heading: tuple[float, float] = (1.0, 0.0)
    grounded: bool = True
    crouched: bool = False
    present: bool = True
    inside: int = -1
    last: int = -1
    action: list[float] = field(default_factory=lambda: [0.0] * 5)
    reward: float = 0.0
    score: float = 0.0

    def body(self, config: WorldConfig) -> float:
        """Height of the body."""
        return config.crouching if self.crouched else config.standing


@dataclass
class Obstacle:
    """A pillar (a circle of radius `half_length`) or a rail (a rectangle) from `bottom` to `top`."""

    kind: int
    x: float
    y: float
    cosine: float
    sine: float
    half_length: float
    half_width: float
    bottom: float
    top: float


@dataclass
class World:
    """A world at one moment."""

    config: WorldConfig
    size: float
    penalty: float
    terrain: np.ndarray
    goals: list[tuple[float, float, float]]
    successor: list[int]
    obstacles: list[Obstacle]
    avatars: list[Avatar]
    time: int = 0

    def ground(self, x: float, y: float) -> float:
        """Height of the ground, bilinear between nodes."""
        i, j, fu, fv = self._cell(x, y)
        t = self.terrain
        low = (1 - fv) * t[i, j] + fv * t[i, j + 1]
        high = (1 - fv) * t[i + 1, j] + fv * t[i + 1, j + 1]
        return float((1 - fu) * low + fu * high)

    def slope(self, x: float, y: float) -> tuple[float, float]:
        """Rise per metre in x and in y."""
        i, j, fu, fv = self._cell(x, y)
        t, length = self.terrain, self.size / (len(self.terrain) - 1)
        in_x = ((1 - fv) * (t[i + 1, j] - t[i, j]) + fv * (t[i + 1, j + 1] - t[i, j + 1])) / length
        in_y = ((1 - fu) * (t[i, j + 1] - t[i, j]) + fu * (t[i + 1, j + 1] - t[i + 1, j])) / length
        return float(in_x), float(in_y)

    def _cell(self, x: float, y: float) -> tuple[int, int, float, float]:
        cells = len(self.terrain) - 1
        u = min(max(x / self.size, 0.0), 1.0) * cells
        v = min(max(y / self.size, 0.0), 1.0) * cells
        i, j = min(int(u), cells - 1), min(int(v), cells - 1)
        return i, j, u - i, v - j


def world_of(state: WorldState, w: int, config: WorldConfig) -> World:
    """World `w` of a batch, as plain objects in float64."""
    goals = int(state.goals[w])
    obstacles = int(state.obstacles[w])
    return World(
        config=config,
        size=float(state.size[w]),
        penalty=float(state.penalty[w]),
        terrain=state.terrain_nss[w].astype(np.float64),
        goals=[(float(x), float(y), float(z)) for x, y, z in state.goal_nkx[w, :goals]],
        successor=[int(g) for g in state.successor_nk[w, :goals]],
        obstacles=[
            Obstacle(int(kind), *map(float, row))
            for kind, row in zip(state.kind_nm[w, :obstacles], state.obstacle_nmf[w, :obstacles], strict=True)
        ],
        avatars=[
            Avatar(
                *map(float, state.position_nax[w, a]),
                *map(float, state.velocity_nax[w, a]),
                heading=(float(state.heading_nax[w, a, 0]), float(state.heading_nax[w, a, 1])),
                grounded=bool(state.grounded_na[w, a]),
                crouched=bool(state.crouched_na[w, a]),
                present=bool(state.present_na[w, a]),
                inside=int(state.inside_na[w, a]),
                last=int(state.last_na[w, a]),
                action=[float(wish) for wish in state.action_nav[w, a]],
                reward=float(state.reward_na[w, a]),
                score=float(state.score_na[w, a]),
            )
            for a in range(config.avatars)
        ],
        time=int(state.time[w]),
    )
