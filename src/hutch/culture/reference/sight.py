"""What one avatar sees, in plain Python: every ray against every thing."""

from math import cos, hypot, inf, pi, sin, sqrt

import numpy as np

from hutch.culture.kinds import GOAL, NOTHING, PILLAR, TERRAIN, WALL
from hutch.culture.observation_layout import observation_layout
from hutch.culture.reference.world import Avatar, Obstacle, World


def observation(world: World, o: int) -> np.ndarray:
    """The observation of avatar `o`, float64 [d], as `ObservationLayout` says."""
    layout = observation_layout(world.config)
    out = np.zeros(layout.width)
    observer = world.avatars[o]
    if not observer.present:
        return out
    distances_sr, kinds_sr = seen(world, o)
    lidar = layout.block(out, "lidar")
    for ring, ray in zip(*np.nonzero(kinds_sr), strict=True):
        lidar[ring, ray, kinds_sr[ring, ray] - 1] = 1 - distances_sr[ring, ray] / world.config.ray_range
    out[layout.blocks["lidar"]] = lidar.reshape(-1)
    out[layout.blocks["avatar_rays"]], sensor = _others(world, o)
    if world.config.avatar_sensor:
        out[layout.blocks["avatars"]] = sensor.reshape(-1)
    out[layout.blocks["motion"]] = np.clip(_motion(world, observer), -8, 8)
    if observer.inside >= 0:
        out[layout.blocks["touch"].start + observer.inside] = 1
    out[layout.blocks["action"]] = observer.action
    out[layout.blocks["reward"]] = np.clip(observer.reward, -8, 8)
    return out


def seen(world: World, o: int) -> tuple[np.ndarray, np.ndarray]:
    """Distance and kind of the first thing on each LIDAR ray of avatar `o`: [s, r] each."""
    config, observer = world.config, world.avatars[o]
    distances = np.full((len(config.ray_slopes), config.rays), config.ray_range)
    kinds = np.zeros((len(config.ray_slopes), config.rays), int)
    eye = (observer.x, observer.y, observer.z + config.eye_share * observer.body(config))
    for ring, slope in enumerate(config.ray_slopes):
        for ray in range(config.rays):
            angle = 2 * pi * ray / config.rays
            forward, left = cos(angle), sin(angle)
            dx = forward * observer.heading[0] - left * observer.heading[1]
            dy = forward * observer.heading[1] + left * observer.heading[0]
            distances[ring, ray], kinds[ring, ray] = _first(world, eye, (dx, dy, slope))
    return distances, kinds


Vector = tuple[float, float, float]


def _first(world: World, eye: Vector, ray: Vector) -> tuple[float, int]:
    """The nearest of everything that the ray meets; distances are horizontal."""
    hits = [(_to_wall(world, eye, ray), WALL)]
    hits += [(_to_goal(world, goal, eye, ray), GOAL + g) for g, goal in enumerate(world.goals)]
    hits += [(_to_obstacle(obstacle, eye, ray), obstacle.kind) for obstacle in world.obstacles]
    hits += [(_to_terrain(world, eye, ray), TERRAIN)]
    distance, kind = min(hits, key=lambda hit: hit[0])
    return (distance, kind) if distance < world.config.ray_range else (world.config.ray_range, NOTHING)


def _to_wall(world: World, eye: Vector, ray: Vector) -> float:
    def along(position: float, direction: float) -> float:
        if abs(direction) <= 1e-6:
            return inf
        return ((world.size if direction > 0 else 0.0) - position) / direction

    return min(along(eye[0], ray[0]), along(eye[1], ray[1]))


def _to_goal(world: World, goal: Vector, eye: Vector, ray: Vector) -> float:
    """|eye + t · ray − goal| = radius, the smaller t; never from inside."""
    offset = [goal[i] - eye[i] for i in range(3)]
    a = sum(part**2 for part in ray)
    b = sum(offset[i] * ray[i] for i in range(3))
    c = sum(part**2 for part in offset) - world.config.goal_radius**2
    if c < 0 or b <= 0 or b**2 - a * c <= 0:
        return inf
    return (b - sqrt(b**2 - a * c)) / a


def _to_obstacle(obstacle: Obstacle, eye: Vector, ray: Vector) -> float:
    """Where the ray is within the plan and the heights of the obstacle for the first time."""
    spans = [_heights(obstacle, eye, ray), *_plan(obstacle, eye, ray), (0.0, inf)]
    start, end = max(span[0] for span in spans), min(span[1] for span in spans)
    return start if start <= end else inf


Span = tuple[float, float]
NEVER: Span = (inf, -inf)


def _heights(obstacle: Obstacle, eye: Vector, ray: Vector) -> Span:
    return _between(obstacle.bottom - eye[2], obstacle.top - eye[2], ray[2])


def _between(low: float, high: float, rate: float) -> Span:
    """When something that grows at `rate` from 0 is between `low` and `high`."""
    if abs(rate) < 1e-6:
        return (-inf, inf) if low <= 0 <= high else NEVER
    return min(low / rate, high / rate), max(low / rate, high / rate)


def _plan(obstacle: Obstacle, eye: Vector, ray: Vector) -> list[Span]:
    dx, dy = obstacle.x - eye[0], obstacle.y - eye[1]
    if obstacle.kind == PILLAR:
        along, aside = dx * ray[0] + dy * ray[1], dx * ray[1] - dy * ray[0]
        if abs(aside) >= obstacle.half_length:
            return [NEVER]
        half = sqrt(obstacle.half_length**2 - aside**2)
        return [(along - half, along + half)]
    c, s = obstacle.cosine, obstacle.sine
    u, v = dx * c + dy * s, dy * c - dx * s
    return [
        _between(u - obstacle.half_length, u + obstacle.half_length, ray[0] * c + ray[1] * s),
        _between(v - obstacle.half_width, v + obstacle.half_width, ray[1] * c - ray[0] * s),
    ]


def _to_terrain(world: World, eye: Vector, ray: Vector) -> float:
    """Points every `ray_stride`; a straight line between the last above the ground and the first below."""
    stride = world.config.ray_stride

    def above(k: int) -> float:
        t = k * stride
        return eye[2] + ray[2] * t - world.ground(eye[0] + ray[0] * t, eye[1] + ray[1] * t)

    for k in range(1, int(world.config.ray_range / stride) + 2):
        if above(k) < 0:
            return (k - 1 + above(k - 1) / (above(k - 1) - above(k))) * stride
    return inf


def _others(world: World, o: int) -> tuple[np.ndarray, np.ndarray]:
    """Avatar rays [r] and sensor [a − 1, 4]."""
    config, observer = world.config, world.avatars[o]
    rays, sensor = np.zeros(config.avatar_rays), np.zeros((config.avatars - 1, 4))
    for b, other in enumerate(avatar for avatar in world.avatars if avatar is not observer):
        dx, dy = other.x - observer.x, other.y - observer.y
        distance = hypot(dx, dy)
        if not other.present or distance >= config.ray_range or _hidden(world, observer, other):
            continue
        forward = dx * observer.heading[0] + dy * observer.heading[1]
        left = dy * observer.heading[0] - dx * observer.heading[1]
        sensor[b] = 1, *(part / config.ray_range for part in (forward, left, other.z - observer.z))
        angles = [2 * pi * r / config.avatar_rays for r in range(config.avatar_rays)]
        sector = int(np.argmax([forward * cos(angle) + left * sin(angle) for angle in angles]))
        rays[sector] = max(rays[sector], 1 - distance / config.ray_range)
    return rays, sensor


def _hidden(world: World, observer: Avatar, other: Avatar) -> bool:
    """Whether an obstacle or the terrain lies between the eye and the middle of the other's body."""
    config = world.config
    eye = (observer.x, observer.y, observer.z + config.eye_share * observer.body(config))
    distance = hypot(other.x - observer.x, other.y - observer.y)
    if distance < config.avatar_radius:
        return False
    rise = other.z + other.body(config) / 2 - eye[2]
    ray = ((other.x - observer.x) / distance, (other.y - observer.y) / distance, rise / distance)
    if any(_to_obstacle(obstacle, eye, ray) < distance for obstacle in world.obstacles):
        return True
    points = np.arange(config.ray_stride, distance, config.ray_stride)
    return any(eye[2] + ray[2] * t < world.ground(eye[0] + ray[0] * t, eye[1] + ray[1] * t) for t in points)


def _motion(world: World, observer: Avatar) -> list[float]:
    hx, hy = observer.heading
    rise_x, rise_y = world.slope(observer.x, observer.y)
    return [
        (observer.vx * hx + observer.vy * hy) / world.config.speed,
        (observer.vy * hx - observer.vx * hy) / world.config.speed,
        observer.vz / world.config.speed,
        observer.z - world.ground(observer.x, observer.y),
        float(observer.grounded),
        float(observer.crouched),
        rise_x * hx + rise_y * hy,
        rise_y * hx - rise_x * hy,
    ]
