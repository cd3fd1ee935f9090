"""Everything that a batch of worlds is at one moment, as arrays; and the rules as numbers that kernels take.

Legend: n worlds, a avatars, k goals, m obstacles, s nodes on a side of the terrain. Positions are (x, y, z) in metres
with 0 ≤ x, y ≤ size and z upward; a heading is a unit vector (x, y), and left of it is (−y, x).
"""

from math import tan
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np

from hutch.culture.world_config import WorldConfig
from hutch.runs.atomic import atomic_path
from hutch.runs.configuration import digest
from hutch.runs.errors import BadInput, HutchError


class WorldState(NamedTuple):
    """Row w is world w. With the same configuration, equal rows go on equally under equal actions."""

    seed: np.ndarray
    """uint64 [n]: what the world was grown from."""
    time: np.ndarray
    """int32 [n]: steps since the start."""
    size: np.ndarray
    """float32 [n], metres."""
    penalty: np.ndarray
    """float32 [n]."""
    goals: np.ndarray
    """int32 [n]: how many."""
    obstacles: np.ndarray
    """int32 [n]: how many."""
    terrain_nss: np.ndarray
    """float32: heights at nodes [ix, iy] in metres."""
    highest: np.ndarray
    """float32 [n]: of the terrain."""
    goal_nkx: np.ndarray
    """float32 [n, k, 3]: centres."""
    successor_nk: np.ndarray
    """int32: the goal that follows each in the hidden cycle; −1 where there is no such goal."""
    obstacle_nmf: np.ndarray
    """float32 [n, m, 8]: x, y, cosine and sine of the direction, half length, half width, lowest and highest z.
    A pillar is a circle of radius half length = half width, a rail (hurdle or bar) a rectangle."""
    kind_nm: np.ndarray
    """int32: PILLAR, HURDLE or BAR; NOTHING where there is none."""
    position_nax: np.ndarray
    """float32 [n, a, 3]: feet."""
    velocity_nax: np.ndarray
    """float32 [n, a, 3], metres per second."""
    heading_nax: np.ndarray
    """float32 [n, a, 2]."""
    grounded_na: np.ndarray
    """bool."""
    crouched_na: np.ndarray
    """bool."""
    present_na: np.ndarray
    """bool: whether an avatar took part in the last step. One that is absent stands still and is not seen."""
    inside_na: np.ndarray
    """int32: the goal that an avatar is inside of, or −1."""
    last_na: np.ndarray
    """int32: the goal that an avatar entered last, or −1."""
    action_nav: np.ndarray
    """float32 [n, a, 5]: the last actions, clipped."""
    reward_na: np.ndarray
    """float32: the last rewards."""
    score_na: np.ndarray
    """float32: the sum of rewards since the start."""


class Rules(NamedTuple):
    """The numbers of a `WorldConfig` as kernels want them: float32 scalars and whole numbers."""

    dt: np.float32
    right: np.float32
    speed: np.float32
    left_share: np.float32
    crouch_share: np.float32
    half_turn: np.float32
    """Tangent of half the largest turn of a step."""
    grip: np.float32
    air_grip: np.float32
    slope_drag: np.float32
    gravity: np.float32
    jump_speed: np.float32
    stick: np.float32
    radius: np.float32
    standing: np.float32
    crouching: np.float32
    eye_share: np.float32
    collide: bool
    goal_radius: np.float32
    hurdle_height: np.float32
    bar_clearance: np.float32
    bar_height: np.float32
    ray_range: np.float32
    ray_stride: np.float32
    sensor: bool
    parts: int


class Sizes(NamedTuple):
    """The numbers of a `WorldConfig` that growing a world needs, float64."""

    hill_length: float
    octaves: int
    relief: float
    goal_radius: float
    goal_height: float
    goal_gap: float
    radius: float
    pillar_low: float
    pillar_high: float
    pillar_height: float
    rail_low: float
    rail_high: float
    rail_half_width: float
    hurdle_height: float
    bar_clearance: float
    bar_height: float
    passage: float


def sizes_of(config: WorldConfig) -> Sizes:
    """The sizes as numbers."""
    return Sizes(
        hill_length=float(config.hill_length),
        octaves=config.octaves,
        relief=float(config.relief),
        goal_radius=float(config.goal_radius),
        goal_height=float(config.goal_height),
        goal_gap=float(config.goal_gap),
        radius=float(config.avatar_radius),
        pillar_low=float(config.pillar_radius[0]),
        pillar_high=float(config.pillar_radius[1]),
        pillar_height=float(config.pillar_height),
        rail_low=float(config.rail_half_length[0]),
        rail_high=float(config.rail_half_length[1]),
        rail_half_width=float(config.rail_half_width),
        hurdle_height=float(config.hurdle_height),
        bar_clearance=float(config.bar_clearance),
        bar_height=float(config.bar_height),
        passage=float(config.passage),
    )


def rules_of(config: WorldConfig) -> Rules:
    """The rules as numbers."""
    f = np.float32
    return Rules(
        dt=f(config.step_seconds),
        right=f(config.right_reward),
        speed=f(config.speed),
        left_share=f(config.left_share),
        crouch_share=f(config.crouch_share),
        half_turn=f(tan(config.turn_rate * config.step_seconds / 2)),
        grip=f(config.grip),
        air_grip=f(config.air_grip),
        slope_drag=f(config.slope_drag),
        gravity=f(config.gravity),
        jump_speed=f(config.jump_speed),
        stick=f(config.stick),
        radius=f(config.avatar_radius),
        standing=f(config.standing),
        crouching=f(config.crouching),
        eye_share=f(config.eye_share),
        collide=config.avatars_collide,
        goal_radius=f(config.goal_radius),
        hurdle_height=f(config.hurdle_height),
        bar_clearance=f(config.bar_clearance),
        bar_height=f(config.bar_height),
        ray_range=f(config.ray_range),
        ray_stride=f(config.ray_stride),
        sensor=config.avatar_sensor,
        parts=config.parts,
    )


def empty_state(config: WorldConfig, count: int) -> WorldState:
    """`count` worlds with nothing in them."""
    n, a, k, m, s = count, config.avatars, config.most_goals, config.most_obstacles, config.nodes
    return WorldState(
        seed=np.zeros(n, np.uint64),
        time=np.zeros(n, np.int32),
        size=np.ones(n, np.float32),
        penalty=np.zeros(n, np.float32),
        goals=np.zeros(n, np.int32),
        obstacles=np.zeros(n, np.int32),
        terrain_nss=np.zeros((n, s, s), np.float32),
        highest=np.zeros(n, np.float32),
        goal_nkx=np.zeros((n, k, 3), np.float32),
        successor_nk=np.full((n, k), -1, np.int32),
        obstacle_nmf=np.zeros((n, m, 8), np.float32),
        kind_nm=np.zeros((n, m), np.int32),
        position_nax=np.zeros((n, a, 3), np.float32),
        velocity_nax=np.zeros((n, a, 3), np.float32),
        heading_nax=np.zeros((n, a, 2), np.float32),
        grounded_na=np.ones((n, a), np.bool_),
        crouched_na=np.zeros((n, a), np.bool_),
        present_na=np.ones((n, a), np.bool_),
        inside_na=np.full((n, a), -1, np.int32),
        last_na=np.full((n, a), -1, np.int32),
        action_nav=np.zeros((n, a, 5), np.float32),
        reward_na=np.zeros((n, a), np.float32),
        score_na=np.zeros((n, a), np.float32),
    )


def copy_state(state: WorldState) -> WorldState:
    """A state of its own arrays."""
    return WorldState(*(array.copy() for array in state))


def write_state(path: Path, state: WorldState, config: WorldConfig) -> None:
    """Save `state` as an .npz file with the digest of its configuration; the file appears whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(handle, configuration=np.array(digest(config)), **state._asdict())


def read_state(path: Path, config: WorldConfig) -> WorldState:
    """Read what `write_state` wrote. Raises BadInput where it was saved under another configuration, HutchError where
    the file cannot be read."""
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as saved:
            owner = str(saved["configuration"])
            if owner != digest(config):
                raise BadInput(f"{path} was saved under configuration {owner}, not {digest(config)}; give that one")
            return WorldState(*(saved[name] for name in WorldState._fields))
    except FileNotFoundError as error:
        raise HutchError(f"{path} does not exist") from error
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise HutchError(f"{path} is damaged: it holds no state of worlds") from error
