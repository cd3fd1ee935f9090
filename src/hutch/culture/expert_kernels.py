"""What scripted experts do: whither, by which way, and with which wishes."""

import numpy as np

from hutch.culture.compiled import compiled, kernel
from hutch.culture.kinds import BAR, HURDLE, PILLAR
from hutch.culture.random_kernels import stream, uniform

F0, F1 = np.float32(0), np.float32(1)
TINY = np.float32(1e-6)
FAR = np.float32(1e9)
EXPERT = 64
"""Purpose of the random numbers of the expert in avatar 0; the next ones follow."""
RIGHT, REVERSED, RANDOM = range(3)
"""Orders in which an expert visits goals."""
BLOCKED, AVOIDED, SLOW = np.float32(60), np.float32(12), np.float32(3)
"""Cost of a metre through an obstacle, a goal that is not aimed at, a rail that the expert climbs."""


@kernel
def act_slice(rules, plan, state, experts, e, start, stop, present_na, actions_nav):
    """Writes the wishes of avatar `e` in the worlds from `start` to `stop` into `actions_nav`."""
    nodes = experts.way_nkss.shape[2]
    cost_ss = np.empty((nodes, nodes), np.float32)
    for w in range(start, stop):
        for v in range(5):
            actions_nav[w, e, v] = F0
        if not present_na[w, e]:
            continue
        draws = stream(state.seed[w], EXPERT + e)
        counter = 8 * state.time[w]
        _aim(plan, state, experts, w, e, draws, counter)
        if experts.pause_n[w] > 0:
            experts.pause_n[w] -= 1
            continue
        if plan.pause_rate > 0.0 and uniform(draws, counter + 3) < plan.pause_rate:
            experts.pause_n[w] = int(2.0 * plan.pause_steps * uniform(draws, counter + 4))
            continue
        x, y = _waypoint(rules, plan, state, experts, w, e, cost_ss)
        _walk(rules, plan, state, experts, w, e, x, y, draws, counter, actions_nav)


@compiled
def _aim(plan, state, experts, w, e, draws, counter):
    """A new aim whenever a goal was entered: the next one in the expert's order, or by mistake another."""
    last, goals = state.last_na[w, e], state.goals[w]
    if experts.aim_n[w] >= 0 and last == experts.seen_n[w]:
        return
    experts.seen_n[w] = last
    aim = 0
    if last < 0:
        aim = int(uniform(draws, counter) * goals)
    elif plan.order == RANDOM:
        aim = (last + 1 + int(uniform(draws, counter) * (goals - 1))) % goals
    elif plan.order == REVERSED:
        for g in range(goals):
            if state.successor_nk[w, g] == last:
                aim = g
    else:
        aim = state.successor_nk[w, last]
    if last >= 0 and goals > 2 and uniform(draws, counter + 1) < experts.error_n[w]:
        # One of the goals that are neither the last nor the intended one.
        skip = int(uniform(draws, counter + 2) * (goals - 2))
        for g in range(goals):
            if g != last and g != aim:
                if skip == 0:
                    aim = g
                    break
                skip -= 1
    experts.aim_n[w] = np.int32(aim)


@compiled
def _waypoint(rules, plan, state, experts, w, e, cost_ss):
    """The goal itself where the straight way is clear, else a few nodes down the field of ways."""
    aim = experts.aim_n[w]
    x, y = state.position_nax[w, e, 0], state.position_nax[w, e, 1]
    goal_x, goal_y = state.goal_nkx[w, aim, 0], state.goal_nkx[w, aim, 1]
    if _is_clear(rules, plan, state, w, state.last_na[w, e], aim, x, y, goal_x, goal_y):
        return goal_x, goal_y
    way_ss = experts.way_nkss[w, aim]
    if not experts.ready_nk[w, aim]:
        _costs(rules, plan, state, w, aim, cost_ss)
        spread_ways(cost_ss, state.size[w], goal_x, goal_y, way_ss)
        experts.ready_nk[w, aim] = True
    last_node = way_ss.shape[0] - 1
    scale = np.float32(last_node) / state.size[w]
    i, j = int(x * scale + np.float32(0.5)), int(y * scale + np.float32(0.5))
    for _ in range(plan.lookahead):
        best, best_i, best_j = way_ss[i, j], i, j
        for p in range(max(i - 1, 0), min(i + 2, last_node + 1)):
            for q in range(max(j - 1, 0), min(j + 2, last_node + 1)):
                if way_ss[p, q] < best:
                    best, best_i, best_j = way_ss[p, q], p, q
        i, j = best_i, best_j
    return np.float32(i) / scale, np.float32(j) / scale


@compiled
def _is_clear(rules, plan, state, w, last, aim, x, y, goal_x, goal_y):
    """Whether a body can go straight: no obstacle and no goal but the last and the next one in its way."""
    dx, dy = goal_x - x, goal_y - y
    length = np.sqrt(dx * dx + dy * dy)
    if length < TINY:
        return True
    dx, dy = dx / length, dy / length
    for g in range(state.goals[w]):
        if g != aim and g != last:
            reach = rules.goal_radius + plan.margin
            if _near(state.goal_nkx[w, g, 0] - x, state.goal_nkx[w, g, 1] - y, dx, dy, length) < reach:
                return False
    for m in range(state.obstacles[w]):
        if plan.agile and state.kind_nm[w, m] != PILLAR:
            continue
        half_length, half_width = state.obstacle_nmf[w, m, 4], state.obstacle_nmf[w, m, 5]
        reach = half_length
        if state.kind_nm[w, m] != PILLAR:
            reach = np.sqrt(half_length * half_length + half_width * half_width)
        reach = reach + rules.radius + plan.margin
        if _near(state.obstacle_nmf[w, m, 0] - x, state.obstacle_nmf[w, m, 1] - y, dx, dy, length) < reach:
            return False
    return True


@compiled
def _near(ox, oy, dx, dy, length):
    """Distance of a point from the way from the origin along (dx, dy)."""
    along = min(max(ox * dx + oy * dy, F0), length)
    ox, oy = ox - dx * along, oy - dy * along
    return np.sqrt(ox * ox + oy * oy)


@compiled
def _costs(rules, plan, state, w, aim, cost_ss):
    """Cost of a metre at each node of the field of ways to goal `aim`."""
    nodes = cost_ss.shape[0]
    cost_ss[:] = F1
    for g in range(state.goals[w]):
        if g != aim:
            reach = rules.goal_radius + plan.margin
            _raise(
                cost_ss, state.size[w], state.goal_nkx[w, g, 0], state.goal_nkx[w, g, 1], F1, F0, reach, F0, F0, AVOIDED
            )
    for m in range(state.obstacles[w]):
        row = state.obstacle_nmf[w, m]
        cost = BLOCKED if state.kind_nm[w, m] == PILLAR or not plan.agile else SLOW
        inflated = rules.radius + plan.margin
        if state.kind_nm[w, m] == PILLAR:
            _raise(cost_ss, state.size[w], row[0], row[1], F1, F0, row[4] + inflated, F0, F0, cost)
        else:
            _raise(cost_ss, state.size[w], row[0], row[1], row[2], row[3], inflated, row[4], row[5], cost)
    for i in range(nodes):
        edge = np.float32(i) * state.size[w] / np.float32(nodes - 1)
        if edge < rules.radius or edge > state.size[w] - rules.radius:
            for j in range(nodes):
                cost_ss[i, j] = max(cost_ss[i, j], SLOW)
                cost_ss[j, i] = max(cost_ss[j, i], SLOW)


@compiled
def _raise(cost_ss, size, x, y, cosine, sine, reach, half_length, half_width, cost):
    """Raise the cost where a rectangle (or a point) that is inflated by `reach` is."""
    last_node = cost_ss.shape[0] - 1
    space = size / np.float32(last_node)
    span = reach + half_length + half_width
    for i in range(max(int((x - span) / space), 0), min(int((x + span) / space) + 1, last_node) + 1):
        for j in range(max(int((y - span) / space), 0), min(int((y + span) / space) + 1, last_node) + 1):
            dx, dy = np.float32(i) * space - x, np.float32(j) * space - y
            u, v = abs(dx * cosine + dy * sine), abs(dy * cosine - dx * sine)
            u, v = max(u - half_length, F0), max(v - half_width, F0)
            if u * u + v * v < reach * reach:
                cost_ss[i, j] = max(cost_ss[i, j], cost)


@compiled
def spread_ways(cost_ss, size, goal_x, goal_y, way_ss):
    """Cheapest way from each node to the goal over the eight neighbours, by sweeps until nothing changes."""
    nodes = cost_ss.shape[0]
    space = size / np.float32(nodes - 1)
    diagonal = space * np.float32(1.4142135)
    way_ss[:] = FAR
    i, j = int(goal_x / space + np.float32(0.5)), int(goal_y / space + np.float32(0.5))
    way_ss[i, j] = F0
    changed = True
    while changed:
        changed = False
        for sweep in range(4):
            for p in range(nodes):
                i = p if sweep < 2 else nodes - 1 - p
                for q in range(nodes):
                    j = q if sweep % 2 == 0 else nodes - 1 - q
                    best = way_ss[i, j]
                    straight, slanted = space * cost_ss[i, j], diagonal * cost_ss[i, j]
                    if i > 0:
                        best = min(best, way_ss[i - 1, j] + straight)
                        if j > 0:
                            best = min(best, way_ss[i - 1, j - 1] + slanted)
                        if j < nodes - 1:
                            best = min(best, way_ss[i - 1, j + 1] + slanted)
                    if i < nodes - 1:
                        best = min(best, way_ss[i + 1, j] + straight)
                        if j > 0:
                            best = min(best, way_ss[i + 1, j - 1] + slanted)
                        if j < nodes - 1:
                            best = min(best, way_ss[i + 1, j + 1] + slanted)
                    if j > 0:
                        best = min(best, way_ss[i, j - 1] + straight)
                    if j < nodes - 1:
                        best = min(best, way_ss[i, j + 1] + straight)
                    if best < way_ss[i, j]:
                        way_ss[i, j] = best
                        changed = True


@compiled
def _walk(rules, plan, state, experts, w, e, x, y, draws, counter, actions_nav):
    """Wishes that lead to (x, y): turn to it and walk, or keep the heading and step sideways, too."""
    dx, dy = x - state.position_nax[w, e, 0], y - state.position_nax[w, e, 1]
    length = max(np.sqrt(dx * dx + dy * dy), TINY)
    hx, hy = state.heading_nax[w, e, 0], state.heading_nax[w, e, 1]
    ahead, left = (dx * hx + dy * hy) / length, (dy * hx - dx * hy) / length
    speed, noise = experts.speed_n[w], experts.noise_n[w]
    shake = np.float32(uniform(draws, counter + 5) - uniform(draws, counter + 6))
    if plan.sidesteps:
        actions_nav[w, e, 0] = speed * ahead
        actions_nav[w, e, 1] = speed * left
        actions_nav[w, e, 2] = noise * shake
    else:
        # The turn that faces the waypoint has half its angle's tangent at left / (1 + ahead).
        turn = left / max(F1 + ahead, np.float32(0.01)) / rules.half_turn
        actions_nav[w, e, 0] = speed * max(ahead, F0)
        actions_nav[w, e, 2] = min(max(turn, -F1), F1) + noise * shake
    stumble = np.float32(uniform(draws, counter + 7))
    actions_nav[w, e, 0] = actions_nav[w, e, 0] * (F1 - noise * stumble)
    if plan.agile:
        for m in range(state.obstacles[w]):
            if state.kind_nm[w, m] == PILLAR:
                continue
            ox = state.obstacle_nmf[w, m, 0] - state.position_nax[w, e, 0]
            oy = state.obstacle_nmf[w, m, 1] - state.position_nax[w, e, 1]
            c, s = state.obstacle_nmf[w, m, 2], state.obstacle_nmf[w, m, 3]
            u, v = abs(ox * c + oy * s), abs(oy * c - ox * s)
            u, v = max(u - state.obstacle_nmf[w, m, 4], F0), max(v - state.obstacle_nmf[w, m, 5], F0)
            gap = np.sqrt(u * u + v * v)
            if state.kind_nm[w, m] == HURDLE and gap < np.float32(1.4) and ox * dx + oy * dy > F0:
                actions_nav[w, e, 3] = F1
            if state.kind_nm[w, m] == BAR and gap < np.float32(1.2):
                actions_nav[w, e, 4] = F1
