"""One step of one world, in plain Python."""

from collections.abc import Sequence
from copy import deepcopy
from math import atan2, cos, hypot, isnan, sin, sqrt, tan

from hutch.culture.kinds import BAR, HURDLE, PILLAR
from hutch.culture.reference.world import Avatar, Obstacle, World
from hutch.culture.rewards import entry_reward


def stepped(world: World, actions: Sequence[Sequence[float]], present: Sequence[bool]) -> World:
    """The world one step later."""
    world = deepcopy(world)
    for avatar, wishes, here in zip(world.avatars, actions, present, strict=True):
        avatar.present, avatar.reward = bool(here), 0.0
        avatar.action = [_clipped(float(wish)) if here else 0.0 for wish in wishes]
        if here:
            _move(world, avatar)
    if world.config.avatars_collide:
        for a, avatar in enumerate(world.avatars):
            for other in world.avatars[:a]:
                if avatar.present and other.present:
                    _part(world, avatar, other)
    for avatar in world.avatars:
        if avatar.present:
            _enter(world, avatar)
    world.time += 1
    return world


def _clipped(wish: float) -> float:
    return 0.0 if isnan(wish) else max(-1.0, min(1.0, wish))


def _move(world: World, avatar: Avatar) -> None:
    config = world.config
    forward, left, turn, jump, crouch = avatar.action

    # The action is linear in the tangent of half the angle.
    angle = atan2(avatar.heading[1], avatar.heading[0])
    angle += 2 * atan2(turn * tan(config.turn_rate * config.step_seconds / 2), 1.0)
    avatar.heading = (cos(angle), sin(angle))

    avatar.crouched = crouch > 0
    jumps = jump > 0 and avatar.grounded and not avatar.crouched

    left *= config.left_share
    if hypot(forward, left) > 1:
        forward, left = forward / hypot(forward, left), left / hypot(forward, left)
    speed = config.speed * (config.crouch_share if avatar.crouched else 1.0)
    wished_x = speed * (forward * cos(angle) - left * sin(angle))
    wished_y = speed * (forward * sin(angle) + left * cos(angle))
    if avatar.grounded:
        length = hypot(wished_x, wished_y)
        rise_x, rise_y = world.slope(avatar.x, avatar.y)
        rise = (rise_x * wished_x + rise_y * wished_y) / length if length > 1e-6 else 0.0
        slower = (1 + config.slope_drag * max(rise, 0.0)) * sqrt(1 + rise**2)
        wished_x, wished_y = wished_x / slower, wished_y / slower
    grip = config.grip if avatar.grounded else config.air_grip
    avatar.vx += grip * (wished_x - avatar.vx)
    avatar.vy += grip * (wished_y - avatar.vy)

    before = avatar.z
    for _ in range(config.parts):
        avatar.x += avatar.vx * config.step_seconds / config.parts
        avatar.y += avatar.vy * config.step_seconds / config.parts
        _stay_between_walls(world, avatar)
        for obstacle in world.obstacles:
            _stay_out(world, avatar, obstacle)
        _stay_between_walls(world, avatar)

    ground = world.ground(avatar.x, avatar.y)
    avatar.vz = config.jump_speed if jumps else avatar.vz - config.gravity * config.step_seconds
    avatar.z = before + avatar.vz * config.step_seconds
    if avatar.z <= ground or (avatar.grounded and not jumps and avatar.z - ground < config.stick):
        avatar.vz = min(max((ground - before) / config.step_seconds, 0.0), config.jump_speed)
        avatar.z, avatar.grounded = ground, True
    else:
        avatar.grounded = False


def _stay_between_walls(world: World, avatar: Avatar) -> None:
    low, high = world.config.avatar_radius, world.size - world.config.avatar_radius
    if not low <= avatar.x <= high:
        avatar.x, avatar.vx = min(max(avatar.x, low), high), 0.0
    if not low <= avatar.y <= high:
        avatar.y, avatar.vy = min(max(avatar.y, low), high), 0.0


def _stay_out(world: World, avatar: Avatar, obstacle: Obstacle) -> None:
    config = world.config
    above = max(avatar.z - world.ground(avatar.x, avatar.y), 0.0)
    if obstacle.kind == HURDLE and above >= config.hurdle_height:
        return
    under = above + avatar.body(config) <= config.bar_clearance
    if obstacle.kind == BAR and (under or above >= config.bar_clearance + config.bar_height):
        return
    dx, dy = avatar.x - obstacle.x, avatar.y - obstacle.y
    if obstacle.kind == PILLAR:
        distance = hypot(dx, dy)
        out = (dx / distance, dy / distance) if distance > 1e-6 else (1.0, 0.0)
        depth = obstacle.half_length + config.avatar_radius - distance
    else:
        out, depth = _way_out_of_rectangle(dx, dy, obstacle, config.avatar_radius)
    if depth > 0:
        avatar.x += out[0] * depth
        avatar.y += out[1] * depth
        into = min(avatar.vx * out[0] + avatar.vy * out[1], 0.0)
        avatar.vx -= out[0] * into
        avatar.vy -= out[1] * into


def _way_out_of_rectangle(dx: float, dy: float, obstacle: Obstacle, radius: float) -> tuple[tuple[float, float], float]:
    c, s = obstacle.cosine, obstacle.sine
    u, v = dx * c + dy * s, dy * c - dx * s
    gap_u = u - max(-obstacle.half_length, min(u, obstacle.half_length))
    gap_v = v - max(-obstacle.half_width, min(v, obstacle.half_width))
    gap = hypot(gap_u, gap_v)
    if gap > 1e-6:
        out_u, out_v, depth = gap_u / gap, gap_v / gap, radius - gap
    elif obstacle.half_length - abs(u) < obstacle.half_width - abs(v):
        out_u, out_v, depth = (1.0 if u >= 0 else -1.0), 0.0, obstacle.half_length - abs(u) + radius
    else:
        out_u, out_v, depth = 0.0, (1.0 if v >= 0 else -1.0), obstacle.half_width - abs(v) + radius
    return (out_u * c - out_v * s, out_u * s + out_v * c), depth


def _part(world: World, avatar: Avatar, other: Avatar) -> None:
    radius = world.config.avatar_radius
    dx, dy = avatar.x - other.x, avatar.y - other.y
    distance = hypot(dx, dy)
    if abs(avatar.z - other.z) >= world.config.standing or distance >= 2 * radius:
        return
    out = (dx / distance, dy / distance) if distance > 1e-6 else (1.0, 0.0)
    for one, way in ((avatar, radius - distance / 2), (other, distance / 2 - radius)):
        one.x = min(max(one.x + out[0] * way, radius), world.size - radius)
        one.y = min(max(one.y + out[1] * way, radius), world.size - radius)
        one.z = max(one.z, world.ground(one.x, one.y))


def _enter(world: World, avatar: Avatar) -> None:
    middle = avatar.z + avatar.body(world.config) / 2
    inside = -1
    for g, (x, y, z) in enumerate(world.goals):
        if (avatar.x - x) ** 2 + (avatar.y - y) ** 2 + (middle - z) ** 2 < world.config.goal_radius**2:
            inside = g
            break
    if inside >= 0 and inside != avatar.inside:
        follows = world.successor[avatar.last] if avatar.last >= 0 else -1
        avatar.reward = entry_reward(avatar.last, inside, follows, world.config.right_reward, world.penalty)
        avatar.score += avatar.reward
        avatar.last = inside
    avatar.inside = inside
