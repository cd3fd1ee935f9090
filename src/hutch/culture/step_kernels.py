"""One step of the worlds: wishes become motion, motion meets ground, walls and obstacles, avatars enter goals.

float32 in a fixed order of operations, a world on one thread: the same bits for any number of threads.
"""

import numpy as np

from hutch.culture.compiled import compiled, kernel
from hutch.culture.kinds import HURDLE, PILLAR
from hutch.culture.rewards import entry_reward
from hutch.culture.terrain_kernels import height_at, slope_at

F0, F1 = np.float32(0), np.float32(1)
TINY = np.float32(1e-6)
_entry_reward = compiled(entry_reward)


@kernel
def step_slice(rules, state, start, stop, actions_nav, present_na):
    """The worlds from `start` to `stop`."""
    for w in range(start, stop):
        _step(rules, state, w, actions_nav, present_na)


@compiled
def _step(rules, state, w, actions_nav, present_na):
    avatars = state.position_nax.shape[1]
    for a in range(avatars):
        state.present_na[w, a] = present_na[w, a]
        state.reward_na[w, a] = F0
        for v in range(5):
            state.action_nav[w, a, v] = _clipped(actions_nav[w, a, v]) if present_na[w, a] else F0
        if present_na[w, a]:
            _move(rules, state, w, a)
    if rules.collide:
        for a in range(avatars):
            for b in range(a):
                if present_na[w, a] and present_na[w, b]:
                    _part(rules, state, w, a, b)
    for a in range(avatars):
        if present_na[w, a]:
            _enter(rules, state, w, a)
    state.time[w] += np.int32(1)


@compiled
def _clipped(wish):
    """Into [−1, 1]; no number is no wish."""
    if wish != wish:
        return F0
    return min(max(np.float32(wish), -F1), F1)


@compiled
def _move(rules, state, w, a):
    position_nax, velocity_nax, heading_nax = state.position_nax, state.velocity_nax, state.heading_nax
    wish_nav, terrain_ss, size = state.action_nav, state.terrain_nss[w], state.size[w]
    old_x, old_y, old_z = position_nax[w, a, 0], position_nax[w, a, 1], position_nax[w, a, 2]

    # Turn by the tangent of half the angle: a rotation without trigonometry.
    t = wish_nav[w, a, 2] * rules.half_turn
    whole = F1 + t * t
    c, s = (F1 - t * t) / whole, (t + t) / whole
    hx = heading_nax[w, a, 0] * c - heading_nax[w, a, 1] * s
    hy = heading_nax[w, a, 0] * s + heading_nax[w, a, 1] * c
    norm = np.sqrt(hx * hx + hy * hy)
    hx, hy = hx / norm, hy / norm
    heading_nax[w, a, 0], heading_nax[w, a, 1] = hx, hy

    crouched, grounded = wish_nav[w, a, 4] > F0, state.grounded_na[w, a]
    jumps = wish_nav[w, a, 3] > F0 and grounded and not crouched
    state.crouched_na[w, a] = crouched

    # The wished velocity, slower uphill, and how much of it is had at once.
    forward, left = wish_nav[w, a, 0], wish_nav[w, a, 1] * rules.left_share
    length = np.sqrt(forward * forward + left * left)
    pace = rules.speed / max(length, F1)
    if crouched:
        pace = pace * rules.crouch_share
    wx, wy = (hx * forward - hy * left) * pace, (hy * forward + hx * left) * pace
    grip = rules.air_grip
    if grounded:
        grip = rules.grip
        in_x, in_y = slope_at(terrain_ss, size, old_x, old_y)
        rise = (in_x * wx + in_y * wy) / max(np.sqrt(wx * wx + wy * wy), TINY)
        drag = (F1 + rules.slope_drag * max(rise, F0)) * np.sqrt(F1 + rise * rise)
        wx, wy = wx / drag, wy / drag
    vx = velocity_nax[w, a, 0] + grip * (wx - velocity_nax[w, a, 0])
    vy = velocity_nax[w, a, 1] + grip * (wy - velocity_nax[w, a, 1])

    # Walls, obstacles in their order, walls again; without obstacles in one part.
    x, y = old_x, old_y
    body = rules.crouching if crouched else rules.standing
    parts = rules.parts if state.obstacles[w] > 0 else 1
    dt = rules.dt / np.float32(parts)
    for _ in range(parts):
        x, vx = _between_walls(rules, size, x + vx * dt, vx)
        y, vy = _between_walls(rules, size, y + vy * dt, vy)
        if state.obstacles[w] > 0:
            x, y, vx, vy = _around_obstacles(rules, state, w, x, y, vx, vy, old_z, body)
            x, vx = _between_walls(rules, size, x, vx)
            y, vy = _between_walls(rules, size, y, vy)

    # Up and down: gravity, the ground from below, and a little adhesion to ground that falls away.
    ground = height_at(terrain_ss, size, x, y)
    vz = rules.jump_speed if jumps else velocity_nax[w, a, 2] - rules.gravity * rules.dt
    z = old_z + vz * rules.dt
    sticks = grounded and not jumps and z - ground < rules.stick
    if z <= ground or sticks:
        vz = min(max((ground - old_z) / rules.dt, F0), rules.jump_speed)
        z = ground
        state.grounded_na[w, a] = True
    else:
        state.grounded_na[w, a] = False
    position_nax[w, a, 0], position_nax[w, a, 1], position_nax[w, a, 2] = x, y, z
    velocity_nax[w, a, 0], velocity_nax[w, a, 1], velocity_nax[w, a, 2] = vx, vy, vz


@compiled
def _between_walls(rules, size, x, vx):
    if x < rules.radius:
        return rules.radius, F0
    if x > size - rules.radius:
        return size - rules.radius, F0
    return x, vx


@compiled
def _around_obstacles(rules, state, w, x, y, vx, vy, z, body):
    """Push the avatar out of each obstacle that it is in and take away its velocity into it."""
    for m in range(state.obstacles[w]):
        row, kind = state.obstacle_nmf[w, m], state.kind_nm[w, m]
        dx, dy = x - row[0], y - row[1]
        reach = row[4] + row[5] + rules.radius
        if dx * dx + dy * dy >= reach * reach:
            continue
        if kind == PILLAR:
            nx, ny, depth = _out_of_circle(dx, dy, row[4] + rules.radius)
        else:
            above = max(z - height_at(state.terrain_nss[w], state.size[w], x, y), F0)
            if kind == HURDLE:
                if above >= rules.hurdle_height:
                    continue
            elif above + body <= rules.bar_clearance or above >= rules.bar_clearance + rules.bar_height:
                continue
            nx, ny, depth = _out_of_rectangle(dx, dy, row, rules.radius)
        if depth > F0:
            x, y = x + nx * depth, y + ny * depth
            into = min(vx * nx + vy * ny, F0)
            vx, vy = vx - nx * into, vy - ny * into
    return x, y, vx, vy


@compiled
def _out_of_circle(dx, dy, reach):
    """Direction and length of the way out of a circle; in its very centre along x."""
    distance = np.sqrt(dx * dx + dy * dy)
    if distance < TINY:
        return F1, F0, reach
    return dx / distance, dy / distance, reach - distance


@compiled
def _out_of_rectangle(dx, dy, row, radius):
    """Direction and length of the way out of a rectangle for a circle of `radius`; from inside by the nearer side."""
    along, across = dx * row[2] + dy * row[3], dy * row[2] - dx * row[3]
    nearest_u, nearest_v = min(max(along, -row[4]), row[4]), min(max(across, -row[5]), row[5])
    du, dv = along - nearest_u, across - nearest_v
    distance = np.sqrt(du * du + dv * dv)
    if distance > TINY:
        nu, nv, depth = du / distance, dv / distance, radius - distance
    elif row[4] - abs(along) < row[5] - abs(across):
        nu, nv, depth = (F1 if along >= F0 else -F1), F0, row[4] - abs(along) + radius
    else:
        nu, nv, depth = F0, (F1 if across >= F0 else -F1), row[5] - abs(across) + radius
    return nu * row[2] - nv * row[3], nu * row[3] + nv * row[2], depth


@compiled
def _part(rules, state, w, a, b):
    """Two avatars that overlap give way by half each."""
    one, other = state.position_nax[w, a], state.position_nax[w, b]
    if abs(one[2] - other[2]) >= rules.standing:
        return
    nx, ny, depth = _out_of_circle(one[0] - other[0], one[1] - other[1], rules.radius + rules.radius)
    if depth <= F0:
        return
    half = depth * np.float32(0.5)
    for avatar, way in ((one, half), (other, -half)):
        avatar[0] = _between_walls(rules, state.size[w], avatar[0] + nx * way, F0)[0]
        avatar[1] = _between_walls(rules, state.size[w], avatar[1] + ny * way, F0)[0]
        avatar[2] = max(avatar[2], height_at(state.terrain_nss[w], state.size[w], avatar[0], avatar[1]))


@compiled
def _enter(rules, state, w, a):
    """Goals count when they are entered, by the middle of the body."""
    x, y = state.position_nax[w, a, 0], state.position_nax[w, a, 1]
    body = rules.crouching if state.crouched_na[w, a] else rules.standing
    middle = state.position_nax[w, a, 2] + body * np.float32(0.5)
    inside = -1
    for g in range(state.goals[w]):
        dx, dy = x - state.goal_nkx[w, g, 0], y - state.goal_nkx[w, g, 1]
        dz = middle - state.goal_nkx[w, g, 2]
        if dx * dx + dy * dy + dz * dz < rules.goal_radius * rules.goal_radius:
            inside = g
            break
    if inside >= 0 and inside != state.inside_na[w, a]:
        last = state.last_na[w, a]
        successor = state.successor_nk[w, last] if last >= 0 else -1
        reward = np.float32(_entry_reward(last, inside, successor, rules.right, state.penalty[w]))
        state.reward_na[w, a] = reward
        state.score_na[w, a] += reward
        state.last_na[w, a] = np.int32(inside)
    state.inside_na[w, a] = np.int32(inside)
