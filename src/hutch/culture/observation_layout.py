"""Where what stands in an observation.

Legend: s rings of LIDAR rays, r rays of a ring, c channels, o observers, d numbers of an observation.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hutch.culture.kinds import GOAL
from hutch.culture.world_config import ACTIONS, WorldConfig

CHANNELS = GOAL - 1
"""LIDAR channels before those of the goals: terrain, wall, pillar, hurdle, bar."""
MOTION = ("forward", "left", "up", "above_ground", "grounded", "crouched", "rise_ahead", "rise_left")
"""Own motion: velocities as shares of `speed`, metres above the ground, two flags, the ground's slope."""
SENSOR = ("seen", "forward", "left", "up")
"""Of another avatar: seen or not, and where it is as shares of `ray_range`; all 0 where it is not seen."""


class Offsets(NamedTuple):
    """First index of each block, for kernels."""

    lidar: int
    avatar_rays: int
    avatars: int
    motion: int
    touch: int
    action: int
    reward: int
    width: int
    channels: int


@dataclass(frozen=True)
class ObservationLayout:
    """Blocks of an observation, float32 [d], all within [−8, 8]:

    - `lidar` [s, r, c]: a ray puts nearness = 1 − distance / `ray_range` (horizontal distance) into the channel of what
      it hits first (terrain, wall, pillar, hurdle, bar, goal 0, goal 1, ...); a ray sees no goal that the eye is in.
      Ray 0 looks ahead, the next ones go round by the left.
    - `avatar_rays` [rays]: nearness of the nearest visible avatar in each sector; obstacles and terrain hide it.
    - `avatars` [avatars − 1, 4]: `SENSOR` of each other avatar (absent where `avatar_sensor` is off).
    - `motion` [8]: `MOTION`.
    - `touch` [goals]: 1 for the goal that the body is in.
    - `action` [5], `reward` [1]: the previous ones. The agent must perceive its own reward.

    The order of goals, and which goal comes next, is in none of them. Source: Bhoopchand et al. 2023 (LIDAR, a
    sensor for avatars, no pixels); the layout is ours.
    """

    blocks: dict[str, slice]
    shapes: dict[str, tuple[int, ...]]
    width: int

    def block(self, observations: np.ndarray, name: str) -> np.ndarray:
        """The block `name` of observations [..., d] in its own shape: a view."""
        return observations[..., self.blocks[name]].reshape(*observations.shape[:-1], *self.shapes[name])

    def offsets(self) -> Offsets:
        """The same for kernels."""
        starts = {name: part.start for name, part in self.blocks.items()}
        return Offsets(**starts, width=self.width, channels=self.shapes["lidar"][-1])


def observation_layout(config: WorldConfig) -> ObservationLayout:
    """The layout under a configuration."""
    shapes: dict[str, tuple[int, ...]] = {
        "lidar": (len(config.ray_slopes), config.rays, CHANNELS + config.most_goals),
        "avatar_rays": (config.avatar_rays,),
        "avatars": (config.avatars - 1 if config.avatar_sensor else 0, len(SENSOR)),
        "motion": (len(MOTION),),
        "touch": (config.most_goals,),
        "action": (len(ACTIONS),),
        "reward": (1,),
    }
    blocks: dict[str, slice] = {}
    start = 0
    for name, shape in shapes.items():
        length = int(np.prod(shape))
        blocks[name] = slice(start, start + length)
        start += length
    return ObservationLayout(blocks, shapes, start)
