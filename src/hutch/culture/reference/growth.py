"""A world from its seed, in plain Python."""

from collections.abc import Callable
from math import hypot

import numpy as np

from hutch.culture.kinds import BAR, HURDLE, PILLAR
from hutch.culture.reference.world import Avatar, Obstacle, World
from hutch.culture.rewards import self_crossings
from hutch.culture.world_config import WorldConfig

MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
HILLS, GOALS, ORDER, OBSTACLES, AVATARS = range(5)
TRIES = ORDERS = 64

Draw = Callable[[int], float]


def grown(config: WorldConfig, seed: int, task: np.ndarray) -> World:
    """The world of `seed` and a row of `Tasks.table`."""
    size, bumpiness, *densities, goals, crossings, penalty = (float(number) for number in task)
    world = World(config, _f32(size), _f32(penalty), np.zeros((config.nodes, config.nodes)), [], [], [], [])
    if bumpiness:
        world.terrain = _terrain(config, _draws(seed, HILLS), size, bumpiness)
    _add_goals(world, _draws(seed, GOALS), size, int(goals))
    world.successor = _cycle(world.goals, _draws(seed, ORDER), crossings)
    _add_obstacles(world, _draws(seed, OBSTACLES), size, densities)
    _add_avatars(world, _draws(seed, AVATARS), size)
    return world


def _mixed(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def _draws(seed: int, purpose: int) -> Draw:
    """The random numbers of one purpose by their counter, each in [0, 1)."""
    stream = _mixed(seed ^ (GOLDEN * (purpose + 7919) & MASK))
    return lambda counter: (_mixed((stream + GOLDEN * (counter + 1)) & MASK) >> 11) / 2**53


def _f32(value: float) -> float:
    """What float32 makes of a number."""
    return float(np.float32(value))


def _terrain(config: WorldConfig, draw: Draw, size: float, bumpiness: float) -> np.ndarray:
    def knot(octave: int, i: int, j: int) -> float:
        return 2 * draw((octave * 65536 + i) * 65536 + j) - 1

    def smooth(f: float) -> float:
        return f * f * (3 - 2 * f)

    def noise(octave: int, x: float, y: float) -> float:
        i, j = int(x), int(y)
        fx, fy = smooth(x - i), smooth(y - j)
        low = knot(octave, i, j) * (1 - fy) + knot(octave, i, j + 1) * fy
        high = knot(octave, i + 1, j) * (1 - fy) + knot(octave, i + 1, j + 1) * fy
        return low * (1 - fx) + high * fx

    heights = np.zeros((config.nodes, config.nodes))
    for i, j in np.ndindex(heights.shape):
        x, y = i * size / (config.nodes - 1), j * size / (config.nodes - 1)
        heights[i, j] = sum(
            config.relief * bumpiness / 2**octave * noise(octave, x / length, y / length)
            for octave in range(config.octaves)
            for length in [config.hill_length / 2**octave]
        )
    return heights.astype(np.float32).astype(np.float64)


def _add_goals(world: World, draw: Draw, size: float, count: int) -> None:
    config = world.config
    margin = config.goal_radius + config.avatar_radius
    for g in range(count):
        places = []
        for attempt in range(g * TRIES, (g + 1) * TRIES):
            x, y = (margin + (size - 2 * margin) * draw(2 * attempt + axis) for axis in (0, 1))
            gap = min((hypot(x - goal[0], y - goal[1]) for goal in world.goals), default=1e9)
            places.append((gap, x, y))
            if gap >= 2 * config.goal_radius + config.goal_gap:
                break
        else:
            places.sort(key=lambda place: place[0])
        _, x, y = places[-1]
        world.goals.append((_f32(x), _f32(y), _f32(world.ground(x, y) + config.goal_height)))


def _cycle(goals: list[tuple[float, float, float]], draw: Draw, most_crossings: float) -> list[int]:
    """Successors in the first cycle that crosses itself seldom enough, else in the first of those with fewest."""
    count = len(goals)
    cycles = []
    for attempt in range(ORDERS):
        cycle = list(range(count))
        for g in range(count - 1, 0, -1):
            other = int(draw(attempt * count + g) * (g + 1))
            cycle[g], cycle[other] = cycle[other], cycle[g]
        crossings = self_crossings(np.array([goals[g][:2] for g in cycle], np.float32))
        cycles.append((crossings, attempt, cycle))
        if crossings <= most_crossings:
            break
    _, _, cycle = min(cycles)
    return [cycle[(cycle.index(g) + 1) % count] for g in range(count)]


def _add_obstacles(world: World, draw: Draw, size: float, densities: list[float]) -> None:
    counter = 3
    for number, (kind, density) in enumerate(zip((PILLAR, HURDLE, BAR), densities, strict=True)):
        for _ in range(int(density * size * size / 100 + draw(number)) if density else 0):
            _add_obstacle(world, draw, size, kind, counter)
            counter += 2 + 2 * TRIES


def _add_obstacle(world: World, draw: Draw, size: float, kind: int, counter: int) -> None:
    config = world.config
    low, high = config.pillar_radius if kind == PILLAR else config.rail_half_length
    half_length = low + (high - low) * draw(counter)
    half_width, cosine, sine = half_length, 1.0, 0.0
    if kind != PILLAR:
        t = 2 * draw(counter + 1) - 1
        half_width, cosine, sine = config.rail_half_width, (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    reach = half_length if kind == PILLAR else hypot(half_length, half_width)
    margin = reach + config.passage
    for attempt in range(TRIES):
        x, y = (margin + (size - 2 * margin) * draw(counter + 2 + 2 * attempt + axis) for axis in (0, 1))
        circles = [(goal[0], goal[1], config.goal_radius) for goal in world.goals]
        circles += [(other.x, other.y, _reach(other)) for other in world.obstacles]
        if size > 2 * margin and all(hypot(x - a, y - b) >= reach + r + config.passage for a, b, r in circles):
            ground = _f32(world.ground(x, y))
            bottom = ground + (config.bar_clearance if kind == BAR else 0.0)
            heights = {PILLAR: config.pillar_height, HURDLE: config.hurdle_height, BAR: config.bar_height}
            shape = (x, y, cosine, sine, half_length, half_width, bottom, bottom + heights[kind])
            world.obstacles.append(Obstacle(kind, *map(_f32, shape)))
            return


def _reach(obstacle: Obstacle) -> float:
    return obstacle.half_length if obstacle.kind == PILLAR else hypot(obstacle.half_length, obstacle.half_width)


def _add_avatars(world: World, draw: Draw, size: float) -> None:
    config = world.config
    for a in range(config.avatars):
        x = y = 0.0
        for attempt in range(TRIES):
            place = 2 + 4 * (a * TRIES + attempt)
            x, y = (config.avatar_radius + (size - 2 * config.avatar_radius) * draw(place + axis) for axis in (0, 1))
            if _is_free(world, x, y):
                break
        t = 2 * draw(4 * a * TRIES) - 1
        sign = 1 if draw(4 * a * TRIES + 1) < 0.5 else -1
        heading = (_f32(sign * (1 - t * t) / (1 + t * t)), _f32(sign * 2 * t / (1 + t * t)))
        world.avatars.append(Avatar(_f32(x), _f32(y), _f32(world.ground(x, y)), heading=heading))


def _is_free(world: World, x: float, y: float) -> bool:
    radius = world.config.avatar_radius
    goals = [(goal[0], goal[1], world.config.goal_radius + radius) for goal in world.goals]
    obstacles = [(one.x, one.y, hypot(one.half_length, one.half_width) + radius) for one in world.obstacles]
    avatars = [(one.x, one.y, 3 * radius) for one in world.avatars]
    return all(hypot(x - a, y - b) >= apart for a, b, apart in goals + obstacles + avatars)
