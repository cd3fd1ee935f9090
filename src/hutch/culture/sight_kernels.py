"""What avatars see: rays against walls, goals, obstacles and terrain, and the other avatars.

Things in the outer loop, the rays of a ring in the inner one without branches, so that the compiler turns it into SIMD;
the terrain last, because a ray is compared with it only as far as what it has hit already.
"""

import numpy as np

from hutch.culture.compiled import compiled, kernel
from hutch.culture.kinds import GOAL, PILLAR, TERRAIN, WALL
from hutch.culture.terrain_kernels import height_at, slope_at

F0, F1, F8 = np.float32(0), np.float32(1), np.float32(8)
TINY = np.float32(1e-6)
FAR = np.float32(1e9)


@kernel
def observe_slice(rules, offsets, state, start, stop, ring_rx, slopes_s, sectors_rx, out_nod, others_nobx):
    """Observations of the first avatars of the worlds from `start` to `stop`.

    `ring_rx`, `sectors_rx`: unit directions (forward, left) of rays and sectors; `out_nod`: float32 [n, o, d];
    `others_nobx`: float32 [n, o, a − 1, 4], for each other avatar whether it is present and where it truly is from the
    observer (forward, left, up; metres), seen or not.
    """
    rays = len(ring_rx)
    direction_xr = np.empty((2, rays), np.float32)
    near_r, kind_r = np.empty(rays, np.float32), np.empty(rays, np.int32)
    for w in range(start, stop):
        for o in range(out_nod.shape[1]):
            out_d = out_nod[w, o]
            out_d[:] = F0
            if not state.present_na[w, o]:
                others_nobx[w, o] = F0
                continue
            hx, hy = state.heading_nax[w, o, 0], state.heading_nax[w, o, 1]
            body = rules.crouching if state.crouched_na[w, o] else rules.standing
            eye = state.position_nax[w, o, 2] + rules.eye_share * body
            for r in range(rays):
                direction_xr[0, r] = ring_rx[r, 0] * hx - ring_rx[r, 1] * hy
                direction_xr[1, r] = ring_rx[r, 0] * hy + ring_rx[r, 1] * hx
            for s in range(len(slopes_s)):
                cast(rules, state, w, o, eye, slopes_s[s], direction_xr, near_r, kind_r)
                first = offsets.lidar + s * rays * offsets.channels
                for r in range(rays):
                    if kind_r[r] > 0:
                        out_d[first + r * offsets.channels + kind_r[r] - 1] = F1 - near_r[r] / rules.ray_range
            _see_avatars(rules, offsets, state, w, o, eye, sectors_rx, out_d, others_nobx[w, o])
            _feel(rules, offsets, state, w, o, out_d)


@compiled
def cast(rules, state, w, o, eye, slope, direction_xr, near_r, kind_r):
    """Distance to the first thing on each ray of a ring, and its kind (0: nothing within range)."""
    x, y, size = state.position_nax[w, o, 0], state.position_nax[w, o, 1], state.size[w]
    dx_r, dy_r = direction_xr[0], direction_xr[1]
    for r in range(len(near_r)):
        near_r[r] = rules.ray_range
        kind_r[r] = 0
    for r in range(len(near_r)):
        dx, dy = dx_r[r], dy_r[r]
        tx = ((size if dx > F0 else F0) - x) / (dx if abs(dx) > TINY else TINY)
        ty = ((size if dy > F0 else F0) - y) / (dy if abs(dy) > TINY else TINY)
        t = min(tx if abs(dx) > TINY else FAR, ty if abs(dy) > TINY else FAR)
        hit = t < near_r[r]
        near_r[r] = t if hit else near_r[r]
        kind_r[r] = WALL if hit else kind_r[r]
    for g in range(state.goals[w]):
        goal_x = state.goal_nkx[w, g]
        _cast_sphere(rules, goal_x[0] - x, goal_x[1] - y, goal_x[2] - eye, slope, GOAL + g, dx_r, dy_r, near_r, kind_r)
    for m in range(state.obstacles[w]):
        row, kind = state.obstacle_nmf[w, m], state.kind_nm[w, m]
        # Both ends of its height as distances along rays of this slope.
        low, high = _within(row[6] - eye, row[7] - eye, slope)
        if low > high:
            continue
        if kind == PILLAR:
            _cast_circle(row[0] - x, row[1] - y, row[4], low, high, kind, dx_r, dy_r, near_r, kind_r)
        else:
            _cast_rectangle(row, x - row[0], y - row[1], low, high, kind, dx_r, dy_r, near_r, kind_r)
    if state.highest[w] > F0 or slope < F0:
        _cast_terrain(rules, state, w, x, y, eye, slope, dx_r, dy_r, near_r, kind_r)


@compiled
def _within(bottom, top, slope):
    """From where to where a ray of `slope` is between two heights above its eye: distances, first > second if never."""
    if abs(slope) < TINY:
        if bottom <= F0 and top >= F0:
            return F0, FAR
        return F1, F0
    one, other = bottom / slope, top / slope
    return max(min(one, other), F0), max(one, other)


@compiled
def _cast_sphere(rules, dx, dy, dz, slope, kind, dx_r, dy_r, near_r, kind_r):
    a = F1 + slope * slope
    outside = dx * dx + dy * dy + dz * dz - rules.goal_radius * rules.goal_radius
    if outside < F0:
        return
    for r in range(len(near_r)):
        b = dx * dx_r[r] + dy * dy_r[r] + dz * slope
        inner = b * b - a * outside
        t = (b - np.sqrt(max(inner, F0))) / a
        hit = (inner > F0) & (b > F0) & (t < near_r[r])
        near_r[r] = t if hit else near_r[r]
        kind_r[r] = kind if hit else kind_r[r]


@compiled
def _cast_circle(dx, dy, radius, low, high, kind, dx_r, dy_r, near_r, kind_r):
    for r in range(len(near_r)):
        along = dx * dx_r[r] + dy * dy_r[r]
        aside = dx * dy_r[r] - dy * dx_r[r]
        inner = radius * radius - aside * aside
        half = np.sqrt(max(inner, F0))
        t = max(along - half, low)
        hit = (inner > F0) & (t <= min(along + half, high)) & (t < near_r[r])
        near_r[r] = t if hit else near_r[r]
        kind_r[r] = kind if hit else kind_r[r]


@compiled
def _cast_rectangle(row, ox, oy, low, high, kind, dx_r, dy_r, near_r, kind_r):
    c, s, half_length, half_width = row[2], row[3], row[4], row[5]
    u, v = ox * c + oy * s, oy * c - ox * s
    for r in range(len(near_r)):
        du, dv = dx_r[r] * c + dy_r[r] * s, dy_r[r] * c - dx_r[r] * s
        du = du if abs(du) > TINY else TINY
        dv = dv if abs(dv) > TINY else TINY
        u1, u2 = (-half_length - u) / du, (half_length - u) / du
        v1, v2 = (-half_width - v) / dv, (half_width - v) / dv
        t = max(max(min(u1, u2), min(v1, v2)), low)
        end = min(min(max(u1, u2), max(v1, v2)), high)
        hit = (t <= end) & (t < near_r[r])
        near_r[r] = t if hit else near_r[r]
        kind_r[r] = kind if hit else kind_r[r]


@compiled
def _cast_terrain(rules, state, w, x, y, eye, slope, dx_r, dy_r, near_r, kind_r):
    """Points every `ray_stride` metres; between the last one above the ground and the first one below, a straight line.

    Points at which the ray is above all ground of the world are left out.
    """
    stride, highest = rules.ray_stride, state.highest[w]
    over = eye - highest
    if slope >= F0 and over > F0:
        return
    first = 1
    if slope < F0 and over > F0:
        first = max(int(over / (-slope * stride)), 1)
    for r in range(len(near_r)):
        above_before = FAR
        k = first
        if first > 1:
            # The point before the first is above the ground, but how far is needed for the straight line.
            t = np.float32(first - 1) * stride
            above_before = (
                eye + slope * t - height_at(state.terrain_nss[w], state.size[w], x + dx_r[r] * t, y + dy_r[r] * t)
            )
        else:
            above_before = eye - height_at(state.terrain_nss[w], state.size[w], x, y)
        while True:
            t = np.float32(k) * stride
            if t - stride >= near_r[r]:
                break
            above = eye + slope * t - height_at(state.terrain_nss[w], state.size[w], x + dx_r[r] * t, y + dy_r[r] * t)
            if above < F0:
                t = t - stride * (-above / (above_before - above))
                if t < near_r[r]:
                    near_r[r] = t
                    kind_r[r] = TERRAIN
                break
            if slope >= F0 and eye + slope * t > highest:
                break
            above_before = above
            k += 1


@compiled
def _see_avatars(rules, offsets, state, w, o, eye, sectors_rx, out_d, others_bx):
    hx, hy = state.heading_nax[w, o, 0], state.heading_nax[w, o, 1]
    b = 0
    for a in range(state.position_nax.shape[1]):
        if a == o:
            continue
        dx = state.position_nax[w, a, 0] - state.position_nax[w, o, 0]
        dy = state.position_nax[w, a, 1] - state.position_nax[w, o, 1]
        dz = state.position_nax[w, a, 2] - state.position_nax[w, o, 2]
        forward, left = dx * hx + dy * hy, dy * hx - dx * hy
        others_bx[b, 0] = F1 if state.present_na[w, a] else F0
        others_bx[b, 1], others_bx[b, 2], others_bx[b, 3] = forward, left, dz
        distance = np.sqrt(dx * dx + dy * dy)
        if state.present_na[w, a] and distance < rules.ray_range and visible(rules, state, w, o, a, eye):
            if rules.sensor:
                first = offsets.avatars + 4 * b
                out_d[first] = F1
                out_d[first + 1] = forward / rules.ray_range
                out_d[first + 2] = left / rules.ray_range
                out_d[first + 3] = dz / rules.ray_range
            best, sector = -FAR, 0
            for r in range(len(sectors_rx)):
                along = forward * sectors_rx[r, 0] + left * sectors_rx[r, 1]
                if along > best:
                    best, sector = along, r
            near = F1 - distance / rules.ray_range
            out_d[offsets.avatar_rays + sector] = max(out_d[offsets.avatar_rays + sector], near)
        b += 1


@compiled
def visible(rules, state, w, o, a, eye):
    """Whether nothing stands between the eye of avatar `o` and the middle of avatar `a`; goals do not count."""
    x, y = state.position_nax[w, o, 0], state.position_nax[w, o, 1]
    dx, dy = state.position_nax[w, a, 0] - x, state.position_nax[w, a, 1] - y
    body = rules.crouching if state.crouched_na[w, a] else rules.standing
    rise = state.position_nax[w, a, 2] + body * np.float32(0.5) - eye
    distance = np.sqrt(dx * dx + dy * dy)
    if distance < rules.radius:
        return True
    dx, dy, slope = dx / distance, dy / distance, rise / distance
    for m in range(state.obstacles[w]):
        row = state.obstacle_nmf[w, m]
        low, high = _within(row[6] - eye, row[7] - eye, slope)
        if low > high:
            continue
        if state.kind_nm[w, m] == PILLAR:
            along = (row[0] - x) * dx + (row[1] - y) * dy
            aside = (row[0] - x) * dy - (row[1] - y) * dx
            inner = row[4] * row[4] - aside * aside
            if inner <= F0:
                continue
            half = np.sqrt(inner)
            enter, leave = max(along - half, low), min(along + half, high)
        else:
            ox, oy = x - row[0], y - row[1]
            u, v = ox * row[2] + oy * row[3], oy * row[2] - ox * row[3]
            du, dv = dx * row[2] + dy * row[3], dy * row[2] - dx * row[3]
            du = du if abs(du) > TINY else TINY
            dv = dv if abs(dv) > TINY else TINY
            u1, u2 = (-row[4] - u) / du, (row[4] - u) / du
            v1, v2 = (-row[5] - v) / dv, (row[5] - v) / dv
            enter = max(max(min(u1, u2), min(v1, v2)), low)
            leave = min(min(max(u1, u2), max(v1, v2)), high)
        if enter <= leave and enter < distance:
            return False
    if min(eye, eye + rise) > state.highest[w]:
        return True
    k = 1
    while np.float32(k) * rules.ray_stride < distance:
        t = np.float32(k) * rules.ray_stride
        if eye + slope * t < height_at(state.terrain_nss[w], state.size[w], x + dx * t, y + dy * t):
            return False
        k += 1
    return True


@compiled
def _feel(rules, offsets, state, w, o, out_d):
    """Own motion, the goal that the body is in, the last action and reward."""
    hx, hy = state.heading_nax[w, o, 0], state.heading_nax[w, o, 1]
    vx, vy, vz = state.velocity_nax[w, o, 0], state.velocity_nax[w, o, 1], state.velocity_nax[w, o, 2]
    x, y = state.position_nax[w, o, 0], state.position_nax[w, o, 1]
    in_x, in_y = slope_at(state.terrain_nss[w], state.size[w], x, y)
    first = offsets.motion
    out_d[first] = _bounded((vx * hx + vy * hy) / rules.speed)
    out_d[first + 1] = _bounded((vy * hx - vx * hy) / rules.speed)
    out_d[first + 2] = _bounded(vz / rules.speed)
    out_d[first + 3] = _bounded(state.position_nax[w, o, 2] - height_at(state.terrain_nss[w], state.size[w], x, y))
    out_d[first + 4] = F1 if state.grounded_na[w, o] else F0
    out_d[first + 5] = F1 if state.crouched_na[w, o] else F0
    out_d[first + 6] = _bounded(in_x * hx + in_y * hy)
    out_d[first + 7] = _bounded(in_y * hx - in_x * hy)
    if state.inside_na[w, o] >= 0:
        out_d[offsets.touch + state.inside_na[w, o]] = F1
    for v in range(5):
        out_d[offsets.action + v] = state.action_nav[w, o, v]
    out_d[offsets.reward] = _bounded(state.reward_na[w, o])


@compiled
def _bounded(value):
    return min(max(value, -F8), F8)
