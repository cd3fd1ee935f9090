"""Worlds grown from a seed: terrain, then goals and their order, then obstacles, then avatars.

In float64, so that the plain reference draws the very same worlds; stored as float32. Every random number is a function
of the world's seed, a purpose and a counter.
"""

import numpy as np

from hutch.culture.compiled import compiled, kernel
from hutch.culture.kinds import BAR, HURDLE, PILLAR
from hutch.culture.random_kernels import stream, uniform
from hutch.culture.terrain_kernels import height_at

HILLS, GOALS, ORDER, OBSTACLES, AVATARS = range(5)
"""Purposes of random numbers."""
TRIES = 64
"""Places that are looked at for one thing; the first one with room is taken."""
ORDERS = 64
"""Orders that are drawn to find one with few crossings."""


@compiled
def grow(config, state, w, seed, task):
    """World `w` from `seed` and a row of `Tasks.table`; `config` is a `Sizes`."""
    size = task[0]
    state.seed[w] = seed
    state.time[w] = 0
    state.size[w] = np.float32(size)
    state.penalty[w] = np.float32(task[7])
    state.goals[w] = int(task[5])
    _raise_terrain(config, state, w, seed, size, task[1])
    _place_goals(config, state, w, seed, size)
    _order_goals(state, w, seed, task[6])
    _place_obstacles(config, state, w, seed, size, task)
    _place_avatars(config, state, w, seed, size)


@compiled
def _raise_terrain(config, state, w, seed, size, bumpiness):
    """Value noise: heights at the knots of a lattice, smoothly between, each octave half as long and half as high."""
    terrain_ss = state.terrain_nss[w]
    nodes = terrain_ss.shape[0]
    if bumpiness == 0.0:
        terrain_ss[:] = np.float32(0)
        state.highest[w] = np.float32(0)
        return
    hills = stream(seed, HILLS)
    highest = np.float32(-1e9)
    for i in range(nodes):
        for j in range(nodes):
            height, length, relief = 0.0, config.hill_length, config.relief * bumpiness
            for octave in range(config.octaves):
                x, y = i * size / (nodes - 1) / length, j * size / (nodes - 1) / length
                height += relief * _noise(hills, octave, x, y)
                length *= 0.5
                relief *= 0.5
            terrain_ss[i, j] = np.float32(height)
            highest = max(highest, terrain_ss[i, j])
    state.highest[w] = highest


@compiled
def _noise(hills, octave, x, y):
    i, j = int(x), int(y)
    fx, fy = x - i, y - j
    fx, fy = fx * fx * (3.0 - 2.0 * fx), fy * fy * (3.0 - 2.0 * fy)
    low = _knot(hills, octave, i, j) * (1.0 - fy) + _knot(hills, octave, i, j + 1) * fy
    high = _knot(hills, octave, i + 1, j) * (1.0 - fy) + _knot(hills, octave, i + 1, j + 1) * fy
    return low * (1.0 - fx) + high * fx


@compiled
def _knot(hills, octave, i, j):
    return 2.0 * uniform(hills, (octave * 65536 + i) * 65536 + j) - 1.0


@compiled
def _place_goals(config, state, w, seed, size):
    """Each goal at the first of `TRIES` places with the gap to all before it, else where the gap is widest."""
    places = stream(seed, GOALS)
    margin = config.goal_radius + config.radius
    apart = 2.0 * config.goal_radius + config.goal_gap
    state.goal_nkx[w] = np.float32(0)
    for g in range(state.goals[w]):
        best_x, best_y, best = 0.0, 0.0, -1.0
        for attempt in range(TRIES):
            x = margin + (size - 2.0 * margin) * uniform(places, 2 * (g * TRIES + attempt))
            y = margin + (size - 2.0 * margin) * uniform(places, 2 * (g * TRIES + attempt) + 1)
            nearest = 1e9
            for other in range(g):
                dx, dy = x - float(state.goal_nkx[w, other, 0]), y - float(state.goal_nkx[w, other, 1])
                nearest = min(nearest, np.sqrt(dx * dx + dy * dy))
            if nearest > best:
                best_x, best_y, best = x, y, nearest
            if nearest >= apart:
                break
        ground = height_at(state.terrain_nss[w], state.size[w], np.float32(best_x), np.float32(best_y))
        state.goal_nkx[w, g, 0] = np.float32(best_x)
        state.goal_nkx[w, g, 1] = np.float32(best_y)
        state.goal_nkx[w, g, 2] = ground + np.float32(config.goal_height)


@compiled
def _order_goals(state, w, seed, most_crossings):
    """The first of `ORDERS` uniformly drawn cycles with at most `most_crossings`, else one with the fewest."""
    draws = stream(seed, ORDER)
    goals = state.goals[w]
    cycle, best = np.empty(goals, np.int64), 1000000
    state.successor_nk[w] = -1
    for attempt in range(ORDERS):
        for g in range(goals):
            cycle[g] = g
        for g in range(goals - 1, 0, -1):
            other = int(uniform(draws, attempt * goals + g) * (g + 1))
            cycle[g], cycle[other] = cycle[other], cycle[g]
        crossings = _crossings(state.goal_nkx[w], cycle)
        if crossings < best:
            best = crossings
            for g in range(goals):
                state.successor_nk[w, cycle[g]] = cycle[(g + 1) % goals]
        if best <= most_crossings:
            break


@compiled
def _crossings(goal_kx, cycle):
    count, found = len(cycle), 0
    for i in range(count):
        for j in range(i + 2, count):
            if i == 0 and j == count - 1:
                continue
            a, b = goal_kx[cycle[i]], goal_kx[cycle[(i + 1) % count]]
            c, d = goal_kx[cycle[j]], goal_kx[cycle[(j + 1) % count]]
            if _side(a, b, c) != _side(a, b, d) and _side(c, d, a) != _side(c, d, b):
                found += 1
    return found


@compiled
def _side(a, b, p):
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > np.float32(0)


@compiled
def _place_obstacles(config, state, w, seed, size, task):
    """Pillars, hurdles, bars, each with a passage all around; one without room in `TRIES` places is left out."""
    places = stream(seed, OBSTACLES)
    state.kind_nm[w] = 0
    state.obstacle_nmf[w] = np.float32(0)
    state.obstacles[w] = 0
    counter = 3
    for kind in (PILLAR, HURDLE, BAR):
        wanted = int(task[2 + kind - PILLAR] * size * size / 100.0 + uniform(places, kind - PILLAR))
        if task[2 + kind - PILLAR] == 0.0:
            wanted = 0
        for _ in range(wanted):
            _place_obstacle(config, state, w, size, places, counter, kind)
            counter += 2 + 2 * TRIES


@compiled
def _place_obstacle(config, state, w, size, places, counter, kind):
    share, turn = uniform(places, counter), uniform(places, counter + 1)
    if kind == PILLAR:
        half_length = config.pillar_low + (config.pillar_high - config.pillar_low) * share
        half_width, reach = half_length, half_length
        cosine, sine = 1.0, 0.0
    else:
        half_length = config.rail_low + (config.rail_high - config.rail_low) * share
        half_width = config.rail_half_width
        reach = np.sqrt(half_length * half_length + half_width * half_width)
        # A direction without trigonometry: half the circle by the tangent of half the angle.
        t = 2.0 * turn - 1.0
        cosine, sine = (1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t)
    margin = reach + config.passage
    for attempt in range(TRIES):
        x = margin + (size - 2.0 * margin) * uniform(places, counter + 2 + 2 * attempt)
        y = margin + (size - 2.0 * margin) * uniform(places, counter + 3 + 2 * attempt)
        if size > 2.0 * margin and _has_room(config, state, w, x, y, reach):
            m = state.obstacles[w]
            ground = height_at(state.terrain_nss[w], state.size[w], np.float32(x), np.float32(y))
            row = state.obstacle_nmf[w, m]
            row[0], row[1], row[2], row[3] = np.float32(x), np.float32(y), np.float32(cosine), np.float32(sine)
            row[4], row[5] = np.float32(half_length), np.float32(half_width)
            row[6], row[7] = ground, ground + np.float32(config.pillar_height)
            if kind == HURDLE:
                row[7] = ground + np.float32(config.hurdle_height)
            if kind == BAR:
                row[6] = ground + np.float32(config.bar_clearance)
                row[7] = row[6] + np.float32(config.bar_height)
            state.kind_nm[w, m] = kind
            state.obstacles[w] = m + 1
            return


@compiled
def _has_room(config, state, w, x, y, reach):
    """Whether a circle of radius `reach` leaves a passage to every goal and every obstacle."""
    for g in range(state.goals[w]):
        dx, dy = x - float(state.goal_nkx[w, g, 0]), y - float(state.goal_nkx[w, g, 1])
        if np.sqrt(dx * dx + dy * dy) < reach + config.goal_radius + config.passage:
            return False
    for m in range(state.obstacles[w]):
        dx, dy = x - float(state.obstacle_nmf[w, m, 0]), y - float(state.obstacle_nmf[w, m, 1])
        length, width = float(state.obstacle_nmf[w, m, 4]), float(state.obstacle_nmf[w, m, 5])
        other = length
        if state.kind_nm[w, m] != PILLAR:
            other = np.sqrt(length * length + width * width)
        if np.sqrt(dx * dx + dy * dy) < reach + other + config.passage:
            return False
    return True


@compiled
def _place_avatars(config, state, w, seed, size):
    """Each avatar at the first place that is free of goals, obstacles and the avatars before it, else at the last."""
    places = stream(seed, AVATARS)
    for a in range(state.position_nax.shape[1]):
        x, y = 0.0, 0.0
        for attempt in range(TRIES):
            counter = 2 + 4 * (a * TRIES + attempt)
            x = config.radius + (size - 2.0 * config.radius) * uniform(places, counter)
            y = config.radius + (size - 2.0 * config.radius) * uniform(places, counter + 1)
            if _is_free(config, state, w, a, x, y):
                break
        ground = height_at(state.terrain_nss[w], state.size[w], np.float32(x), np.float32(y))
        # Evenly around: one half of the circle by the tangent of half the angle, then a coin for the other.
        t = 2.0 * uniform(places, 4 * a * TRIES) - 1.0
        sign = 1.0 if uniform(places, 4 * a * TRIES + 1) < 0.5 else -1.0
        state.position_nax[w, a, 0] = np.float32(x)
        state.position_nax[w, a, 1] = np.float32(y)
        state.position_nax[w, a, 2] = ground
        state.velocity_nax[w, a] = np.float32(0)
        state.heading_nax[w, a, 0] = np.float32(sign * (1.0 - t * t) / (1.0 + t * t))
        state.heading_nax[w, a, 1] = np.float32(sign * 2.0 * t / (1.0 + t * t))
        state.grounded_na[w, a] = True
        state.crouched_na[w, a] = False
        state.present_na[w, a] = True
        state.inside_na[w, a] = -1
        state.last_na[w, a] = -1
        state.action_nav[w, a] = np.float32(0)
        state.reward_na[w, a] = np.float32(0)
        state.score_na[w, a] = np.float32(0)


@compiled
def _is_free(config, state, w, a, x, y):
    for g in range(state.goals[w]):
        dx, dy = x - float(state.goal_nkx[w, g, 0]), y - float(state.goal_nkx[w, g, 1])
        if np.sqrt(dx * dx + dy * dy) < config.goal_radius + config.radius:
            return False
    for m in range(state.obstacles[w]):
        dx, dy = x - float(state.obstacle_nmf[w, m, 0]), y - float(state.obstacle_nmf[w, m, 1])
        length, width = float(state.obstacle_nmf[w, m, 4]), float(state.obstacle_nmf[w, m, 5])
        if np.sqrt(dx * dx + dy * dy) < np.sqrt(length * length + width * width) + config.radius:
            return False
    for other in range(a):
        dx, dy = x - float(state.position_nax[w, other, 0]), y - float(state.position_nax[w, other, 1])
        if np.sqrt(dx * dx + dy * dy) < 3.0 * config.radius:
            return False
    return True


@kernel
def grow_slice(config, state, start, stop, which, seeds, tasks):
    """The worlds of `which` (bool [n]) from `start` to `stop`; `seeds` uint64 [n], `tasks` float64 [n, 8]."""
    for w in range(start, stop):
        if which[w]:
            grow(config, state, w, seeds[w], tasks[w])
