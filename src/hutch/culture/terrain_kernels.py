"""Heights and slopes between the nodes of the terrain, bilinear."""

import numpy as np

from hutch.culture.compiled import leaf

F0, F1 = np.float32(0), np.float32(1)


@leaf
def height_at(terrain_ss, size, x, y):
    """Height of the ground at (x, y), float32; outside the world that of its edge."""
    cells = terrain_ss.shape[0] - 1
    scale = np.float32(cells) / size
    u = min(max(x * scale, F0), np.float32(cells))
    v = min(max(y * scale, F0), np.float32(cells))
    i, j = min(int(u), cells - 1), min(int(v), cells - 1)
    fu, fv = u - np.float32(i), v - np.float32(j)
    low = terrain_ss[i, j] + (terrain_ss[i, j + 1] - terrain_ss[i, j]) * fv
    high = terrain_ss[i + 1, j] + (terrain_ss[i + 1, j + 1] - terrain_ss[i + 1, j]) * fv
    return low + (high - low) * fu


@leaf
def slope_at(terrain_ss, size, x, y):
    """Rise of the ground per metre in x and in y at (x, y), two float32."""
    cells = terrain_ss.shape[0] - 1
    scale = np.float32(cells) / size
    u = min(max(x * scale, F0), np.float32(cells))
    v = min(max(y * scale, F0), np.float32(cells))
    i, j = min(int(u), cells - 1), min(int(v), cells - 1)
    fu, fv = u - np.float32(i), v - np.float32(j)
    a, b = terrain_ss[i, j], terrain_ss[i, j + 1]
    c, d = terrain_ss[i + 1, j], terrain_ss[i + 1, j + 1]
    in_x = (c - a) + ((d - b) - (c - a)) * fv
    in_y = (b - a) + ((d - c) - (b - a)) * fu
    return in_x * scale, in_y * scale
