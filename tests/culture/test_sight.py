"""What rays hit and whom one sees, with distances worked out by hand."""

import numpy as np
import pytest

from hutch.culture import Tasks, WorldConfig, Worlds, world_seeds
from hutch.culture.kinds import BAR, GOAL, HURDLE, PILLAR, TERRAIN, WALL
from tests.culture.test_motion import put

FOUR = WorldConfig(rays=4, avatar_rays=4, ray_slopes=(0.0, -0.2), ray_range=20.0)
"""Rays ahead, left, behind, right; a level ring and one that falls."""


def lidar(worlds):
    """Distance and kind on each ray of avatar 0: [s, r] each; kind 0 and distance 20 where nothing is."""
    block = worlds.layout.block(worlds.observe(), "lidar")[0, 0]
    assert ((block > 0).sum(-1) <= 1).all()
    kinds = np.where(block.max(-1) > 0, block.argmax(-1) + 1, 0)
    return (1 - block.max(-1)) * 20, kinds


def others(worlds):
    observed = worlds.observe()
    return worlds.layout.block(observed, "avatar_rays")[0, 0], worlds.layout.block(observed, "avatars")[0, 0, 0]


def test_walls_and_the_ground_before_a_falling_ray(one_world):
    distances, kinds = lidar(one_world(FOUR, avatars=((4, 10, 1, 0),)))
    assert kinds.tolist() == [[WALL] * 4, [TERRAIN, TERRAIN, WALL, TERRAIN]]
    assert distances == pytest.approx(np.array([[16, 10, 4, 10], [6, 6, 4, 6]]), abs=1e-4)


def test_the_first_ray_looks_ahead_and_the_next_to_the_left(one_world):
    distances, _ = lidar(one_world(FOUR, avatars=((4, 10, 0, 1),)))
    assert distances[0] == pytest.approx([10, 4, 10, 16], abs=1e-4)


def test_a_goal_has_a_channel_of_its_own_and_is_not_seen_from_inside(one_world):
    worlds = one_world(FOUR, goals=((14, 10), (10, 4), (2, 2)))
    distances, kinds = lidar(worlds)
    assert kinds[0].tolist() == [GOAL, WALL, WALL, GOAL + 1]
    # The eye is 0.2 m above the goal's middle.
    assert distances[0, [0, 3]] == pytest.approx([4 - np.sqrt(0.96), 6 - np.sqrt(0.96)], abs=1e-4)
    worlds.state.position_nax[0, 0, 0] = 14
    worlds.step(np.zeros((1, 2, 5)), np.array([[True, False]]))
    assert lidar(worlds)[1][0].tolist() == [WALL] * 4
    assert worlds.layout.block(worlds.observe(), "touch")[0, 0].tolist() == [1, 0, 0, 0, 0, 0]
    assert worlds.layout.block(worlds.observe(), "reward")[0, 0] == 1


def test_obstacles_block_rays_at_their_heights(one_world):
    worlds = one_world(FOUR)
    put(worlds, PILLAR, 13, 10, 0.5, 0.5, 0, 3)
    distances, kinds = lidar(worlds)
    assert kinds[:, 0].tolist() == [PILLAR, PILLAR]
    assert distances[:, 0] == pytest.approx(2.5, abs=1e-4)
    put(worlds, HURDLE, 14, 10, 0.2, 1.0, 0, 0.5)
    distances, kinds = lidar(worlds)
    assert kinds[:, 0].tolist() == [WALL, HURDLE]
    assert distances[1, 0] == pytest.approx(3.8, abs=1e-4)
    # A falling ray that passes over the near edge meets the top: from 1.2 m down to 0.5 m it takes 3.5 m.
    put(worlds, HURDLE, 13.5, 10, 0.8, 1.0, 0, 0.5)
    assert lidar(worlds)[0][1, 0] == pytest.approx(3.5, abs=1e-4)
    put(worlds, BAR, 12, 10, 0.2, 1.0, 1.0, 1.5)
    assert lidar(worlds)[1][:, 0].tolist() == [BAR, TERRAIN]


def test_a_hill_hides_what_lies_behind(one_world):
    worlds = one_world(FOUR, avatars=((4, 10, 1, 0), (16, 10, 1, 0)))
    assert others(worlds)[1][0] == 1
    worlds.state.terrain_nss[0, 16] = 3
    worlds.state.highest[0] = 3
    distances, kinds = lidar(worlds)
    assert kinds[0, 0] == TERRAIN
    assert 5 < distances[0, 0] < 6
    assert others(worlds)[1].tolist() == [0, 0, 0, 0]


def test_another_avatar_is_seen_where_it_is(one_world):
    worlds = one_world(FOUR, avatars=((10, 10, 0, 1), (6, 11, 1, 0)))
    rays, sensor = others(worlds)
    distance = np.sqrt(17)
    assert rays == pytest.approx([0, 1 - distance / 20, 0, 0], abs=1e-5)
    assert sensor == pytest.approx([1, 1 / 20, 4 / 20, 0], abs=1e-5)
    assert worlds.others_nobx[0, 0, 0] == pytest.approx([1, 1, 4, 0], abs=1e-5)
    assert worlds.others_nobx[0, 1, 0] == pytest.approx([1, 4, -1, 0], abs=1e-5)


def test_one_behind_a_pillar_is_hidden_but_its_place_is_known_to_the_attention_loss(one_world):
    worlds = one_world(FOUR, avatars=((10, 10, 1, 0), (16, 10, 1, 0)))
    put(worlds, PILLAR, 13, 10, 0.5, 0.5, 0, 3)
    rays, sensor = others(worlds)
    assert not rays.any()
    assert not sensor.any()
    assert worlds.others_nobx[0, 0, 0] == pytest.approx([1, 6, 0, 0], abs=1e-5)


def test_an_absent_one_is_not_seen(one_world):
    worlds = one_world(FOUR, avatars=((10, 10, 1, 0), (12, 10, 1, 0)))
    worlds.step(np.zeros((1, 2, 5)), np.array([[True, False]]))
    rays, sensor = others(worlds)
    assert not rays.any()
    assert not sensor.any()
    assert worlds.others_nobx[0, 0, 0, 0] == 0
    assert not worlds.observe()[0, 1].any()


def test_own_motion(one_world):
    worlds = one_world(WorldConfig(avatars=1, grip=1.0), avatars=((10, 10, 0, 1),))
    worlds.step(np.array([[[0.5, 0.5, 0, 0, 1]]]))
    motion = worlds.layout.block(worlds.observe(), "motion")[0, 0]
    assert motion == pytest.approx([0.25, 0.15, 0, 0, 1, 1, 0, 0], abs=1e-6)
    assert worlds.layout.block(worlds.observe(), "action")[0, 0].tolist() == [0.5, 0.5, 0, 0, 1]


def test_nothing_of_the_order_is_observed():
    worlds = Worlds(WorldConfig(), 4)
    worlds.grow(world_seeds(4, 1), Tasks.same(4))
    before = worlds.observe().copy()
    worlds.state.successor_nk[:, :4] = np.roll(worlds.state.successor_nk[:, :4], 1, axis=1)
    assert (worlds.observe() == before).all()
