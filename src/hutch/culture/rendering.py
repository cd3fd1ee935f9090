"""A world from above as a picture: shaded ground, obstacles, goals in their colours, avatars with their noses."""

import numpy as np

from hutch.culture.kinds import BAR, HURDLE, PILLAR
from hutch.culture.world_config import WorldConfig
from hutch.culture.world_state import WorldState
from hutch.runs.errors import BadInput

GOAL_COLOURS = np.array(
    [(228, 62, 60), (58, 130, 220), (245, 190, 40), (60, 170, 90), (150, 80, 190), (245, 130, 40), (40, 180, 190),
     (230, 110, 170), (140, 140, 40), (110, 80, 50), (20, 60, 120), (180, 220, 120), (120, 20, 60), (200, 200, 240),
     (90, 240, 180), (70, 70, 70)],
    np.float32,
)  # fmt: skip
"""Of goal 0, 1, ..."""
AVATAR_COLOURS = np.array([(40, 70, 220), (220, 40, 40), (30, 30, 30), (250, 250, 250)], np.float32)
"""Of avatar 0 (the learner: blue, as in the paper's videos), 1 (the expert: red), ... in turn."""
OBSTACLE_COLOURS = {PILLAR: (96, 92, 100), HURDLE: (150, 110, 70), BAR: (80, 120, 150)}
GROUND = np.array((196, 190, 168), np.float32)


def render(state: WorldState, w: int, config: WorldConfig, pixels: int = 256) -> np.ndarray:
    """World `w` from above, x to the right and y upward: uint8 [pixels, pixels, 3]. Absent avatars are left out."""
    if pixels < 16:
        raise BadInput(f"a picture of {pixels} pixels shows nothing; ask for 16 or more")
    size = float(state.size[w])
    x_p = (np.arange(pixels) + 0.5) * size / pixels
    x_hw, y_hw = np.meshgrid(x_p, x_p[::-1])
    image = _ground(state.terrain_nss[w], size, x_hw, y_hw)
    for m in range(state.obstacles[w]):
        x, y, c, s, half_length, half_width, _, _ = state.obstacle_nmf[w, m]
        kind = int(state.kind_nm[w, m])
        u, v = (x_hw - x) * c + (y_hw - y) * s, (y_hw - y) * c - (x_hw - x) * s
        inside = u**2 + v**2 < half_length**2 if kind == PILLAR else (abs(u) < half_length) & (abs(v) < half_width)
        image[inside] = OBSTACLE_COLOURS[kind]
    for g in range(state.goals[w]):
        distance = np.hypot(x_hw - state.goal_nkx[w, g, 0], y_hw - state.goal_nkx[w, g, 1]) / config.goal_radius
        colour = GOAL_COLOURS[g % len(GOAL_COLOURS)] * (1.1 - 0.4 * distance[..., None] ** 2)
        image = np.where(distance[..., None] < 1, 0.25 * image + 0.75 * colour, image)
    for a in range(state.position_nax.shape[1]):
        if state.present_na[w, a]:
            _draw_avatar(image, state, w, a, config, x_hw, y_hw)
    return np.clip(image, 0, 255).astype(np.uint8)


def _ground(terrain_ss: np.ndarray, size: float, x_hw: np.ndarray, y_hw: np.ndarray) -> np.ndarray:
    """Lit from the north-west."""
    cells = len(terrain_ss) - 1
    in_x, in_y = np.gradient(terrain_ss.astype(np.float32), size / cells)
    shade = 1 + 0.5 * (in_x - in_y)
    u, v = x_hw / size * cells, y_hw / size * cells
    i, j = np.minimum(u.astype(int), cells - 1), np.minimum(v.astype(int), cells - 1)
    fu, fv = u - i, v - j
    low = shade[i, j] * (1 - fv) + shade[i, j + 1] * fv
    high = shade[i + 1, j] * (1 - fv) + shade[i + 1, j + 1] * fv
    return (low * (1 - fu) + high * fu)[..., None] * GROUND


def _draw_avatar(
    image: np.ndarray, state: WorldState, w: int, a: int, config: WorldConfig, x_hw: np.ndarray, y_hw: np.ndarray
) -> None:
    dx, dy = x_hw - state.position_nax[w, a, 0], y_hw - state.position_nax[w, a, 1]
    hx, hy = state.heading_nax[w, a]
    ahead, left = dx * hx + dy * hy, dy * hx - dx * hy
    radius = 1.3 * config.avatar_radius
    body = dx**2 + dy**2 < radius**2
    nose = (ahead > 0) & (ahead < 2 * radius) & (abs(left) < (2 * radius - ahead) / 2)
    image[body | nose] = AVATAR_COLOURS[a % len(AVATAR_COLOURS)]
