"""Every number of a world, in one frozen configuration.

Sources: [P] Bhoopchand et al. 2023, Nature Communications 14:7536 (arXiv:2203.00715), with the section; [N] Ndousse et
al. 2021, arXiv:2010.00581 (GoalCycle). The full text of [P] was not at hand: the kinds of things are from its abstract,
introduction and task section, and a number that is marked "ours" was chosen here.
"""

from dataclasses import dataclass, fields
from math import ceil

from hutch.runs.errors import BadInput

ACTIONS = ("forward", "left", "turn", "jump", "crouch")
"""What an avatar may wish, each in [−1, 1] [P, GoalCycle3D task space; the number of actions is ours]."""


@dataclass(frozen=True, kw_only=True)
class WorldConfig:
    """The rules and the observation of all worlds of a batch; what differs from world to world is a `Task`.

    Lengths in metres, times in seconds, heights above the ground unless said otherwise.
    """

    # Sizes of arrays
    avatars: int = 2
    """One learner, one expert [P, GoalCycle3D task space]."""
    most_goals: int = 6
    """Goals that a world can hold: 5 in training, 4 and 6 to test [P; section not verified]."""
    most_obstacles: int = 64
    """Obstacles that a world can hold (ours)."""
    nodes: int = 33
    """Heights on a side of the terrain's grid (ours)."""

    # Time
    steps: int = 1000
    """Steps of an episode, always all of them: about two minutes [P, GoalCycle3D task space; exact number ours]."""
    step_seconds: float = 0.12
    """Time of a step (ours)."""

    # Reward
    right_reward: float = 1.0
    """For the first goal entered and for each that follows the last one [N, GoalCycle; P, GoalCycle3D task space]."""

    # Motion (all ours: the paper's worlds are Unity's)
    speed: float = 5.0
    """Fastest walk on flat ground, per second."""
    left_share: float = 0.6
    """Of that speed, sideways."""
    crouch_share: float = 0.5
    """Of that speed, crouched."""
    turn_rate: float = 7.0
    """Radians per second at most."""
    grip: float = 0.6
    """Share of the difference to the wished velocity that a step on the ground makes up."""
    air_grip: float = 0.1
    """The same in the air."""
    slope_drag: float = 1.5
    """Uphill, a wished speed is divided by 1 + slope_drag · slope and by √(1 + slope²); downhill by the latter."""
    gravity: float = 9.81
    jump_speed: float = 4.0
    """Upward, at the start of a jump: a jump lifts by 0.8."""
    stick: float = 0.15
    """A walker stays on ground that falls away by less than this in a step, beyond it flies."""

    part_length: float = 0.25
    """Among obstacles a step is walked in equal parts of at most this length, so that nobody passes through one."""

    # Bodies
    avatar_radius: float = 0.3
    standing: float = 1.6
    """Height of a body."""
    crouching: float = 0.8
    """Height of a crouched body."""
    eye_share: float = 0.75
    """Height of the eye, of the body's."""
    avatars_collide: bool = False
    """Whether avatars push each other. Off: a follower would push its guide."""

    # Goals
    goal_radius: float = 1.0
    goal_height: float = 1.0
    """Of a goal's centre; an avatar is inside where its body's middle is."""
    goal_gap: float = 1.0
    """Free way between two goals, at least."""

    # Terrain
    hill_length: float = 6.0
    """Distance between the knots of the coarsest noise; each octave halves length and height."""
    octaves: int = 2
    relief: float = 1.0
    """Height of the coarsest noise at bumpiness 1, up and down."""

    # Obstacles: vertical ones to walk around, horizontal ones to jump or crouch [P, GoalCycle3D task space]; sizes ours
    pillar_radius: tuple[float, float] = (0.4, 0.9)
    pillar_height: float = 3.0
    rail_half_length: tuple[float, float] = (0.75, 1.5)
    """Of hurdles and bars."""
    rail_half_width: float = 0.2
    hurdle_height: float = 0.5
    """A hurdle stops whoever is lower than this: jump."""
    bar_clearance: float = 1.0
    """A bar stops whoever reaches higher than this: crouch."""
    bar_height: float = 0.5
    """Of the bar itself, above its clearance."""
    passage: float = 1.2
    """Free way around every obstacle, so that every goal can be reached."""

    # Sight
    rays: int = 16
    """LIDAR rays around the avatar, evenly, the first one ahead (number ours)."""
    ray_slopes: tuple[float, ...] = (0.0,)
    """Rise of each ring of rays per metre. A level ring sees no hurdle: add one that falls, such as −0.2."""
    ray_range: float = 20.0
    ray_stride: float = 1.0
    """Metres between the points at which a ray is compared with the terrain."""
    avatar_rays: int = 16
    """Sectors around the avatar that tell the nearest visible avatar in them."""
    avatar_sensor: bool = True
    """Whether the relative position of each visible avatar is observed, too [P; section not verified]."""

    @property
    def parts(self) -> int:
        """Parts of a step among obstacles."""
        return max(1, ceil(self.speed * self.step_seconds / self.part_length - 1e-9))

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name))
        if self.crouching >= self.standing:
            raise BadInput(f"crouching is {self.crouching}; it must be below standing, {self.standing}")
        if self.standing <= self.bar_clearance or self.crouching >= self.bar_clearance:
            raise BadInput(
                f"bar_clearance is {self.bar_clearance}; it must lie between crouching and standing, "
                f"{self.crouching} and {self.standing}"
            )
        if self.turn_rate * self.step_seconds >= 3:
            raise BadInput(
                f"turn_rate {self.turn_rate} turns by {self.turn_rate * self.step_seconds:.2f} radians a step; "
                "it must turn by less than 3"
            )
        thinnest = min(self.rail_half_width, self.pillar_radius[0]) + self.avatar_radius
        if self.part_length >= thinnest:
            raise BadInput(f"part_length is {self.part_length}; below {thinnest:g} nobody passes through an obstacle")


_LEAST: dict[str, float] = {
    "avatars": 1,
    "most_goals": 2,
    "most_obstacles": 0,
    "nodes": 3,
    "steps": 1,
    "octaves": 1,
    "rays": 1,
    "avatar_rays": 1,
}
_MOST: dict[str, float] = {
    "avatars": 16,
    "most_goals": 16,
    "most_obstacles": 1024,
    "nodes": 257,
    "octaves": 8,
    "rays": 1024,
    "avatar_rays": 1024,
    "left_share": 1,
    "crouch_share": 1,
    "grip": 1,
    "air_grip": 1,
    "eye_share": 1,
}
_MAY_BE_ZERO = {"left_share", "air_grip", "slope_drag", "gravity", "jump_speed", "stick", "relief", "goal_gap"}


def _check(name: str, value: object) -> None:
    if isinstance(value, bool):
        return
    if isinstance(value, tuple):
        if name == "ray_slopes":
            if not 1 <= len(value) <= 8 or not all(-2 <= slope <= 2 for slope in value):
                raise BadInput(f"ray_slopes is {value}; it must be one to eight numbers from −2 to 2")
        elif len(value) != 2 or not 0 < value[0] <= value[1]:
            raise BadInput(f"{name} is {value}; it must be two positive numbers, the smaller one first")
        return
    if name in _LEAST:
        if not isinstance(value, int) or not _LEAST[name] <= value <= _MOST.get(name, 10**9):
            most = f" to {_MOST[name]}" if name in _MOST else " upward"
            raise BadInput(f"{name} is {value!r}; it must be a whole number from {_LEAST[name]}{most}")
        return
    if not isinstance(value, int | float) or not 0 <= value <= _MOST.get(name, 1e6):
        raise BadInput(f"{name} is {value!r}; it must be a number from 0 to {_MOST.get(name, 1e6):g}")
    if value == 0 and name not in _MAY_BE_ZERO:
        raise BadInput(f"{name} is 0; it must be positive")


def laptop_world() -> WorldConfig:
    """Episodes of 120 longer steps, for worlds of 13 m: what an hour on two cores can learn."""
    return WorldConfig(steps=120, step_seconds=0.16)


def complex_world() -> WorldConfig:
    """Three rings of rays, so that hurdles and bars are seen: for worlds with horizontal obstacles."""
    return WorldConfig(ray_slopes=(0.0, -0.2, 0.1))
