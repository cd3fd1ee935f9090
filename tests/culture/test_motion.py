"""How avatars move, with numbers worked out by hand."""

import numpy as np
import pytest

from hutch.culture import WorldConfig
from hutch.culture.kinds import BAR, HURDLE, PILLAR

STEADY = WorldConfig(avatars=1, grip=1.0, step_seconds=0.1)
"""The wished velocity at once: 0.5 m a step."""


def act(worlds, steps=1, **wishes):
    names = ("forward", "left", "turn", "jump", "crouch")
    actions = np.array([[[wishes.get(name, 0) for name in names]]], np.float32)
    for _ in range(steps):
        worlds.step(actions)
    return worlds.state.position_nax[0, 0]


def put(worlds, kind, x, y, half_length, half_width, bottom, top):
    worlds.state.obstacle_nmf[0, 0] = x, y, 1, 0, half_length, half_width, bottom, top
    worlds.state.kind_nm[0, 0] = kind
    worlds.state.obstacles[0] = 1


def slope_ground(worlds, rise):
    """The ground rises along x."""
    nodes = worlds.config.nodes
    worlds.state.terrain_nss[0] = (np.arange(nodes) * 20 / (nodes - 1) * rise)[:, None]
    worlds.state.highest[0] = worlds.state.terrain_nss.max()
    worlds.state.position_nax[0, 0, 2] = worlds.state.position_nax[0, 0, 0] * rise


def test_forward_left_and_both(one_world):
    assert act(one_world(STEADY), forward=1) == pytest.approx((10.5, 10, 0))
    assert act(one_world(STEADY), left=1) == pytest.approx((10, 10.3, 0))
    assert act(one_world(STEADY), left=-1, forward=-0.2) == pytest.approx((9.9, 9.7, 0))
    both = act(one_world(STEADY), forward=1, left=1)
    assert np.hypot(*(both[:2] - 10)) == pytest.approx(0.5)


def test_turns_are_to_the_left_and_as_large_as_the_rate_says(one_world):
    worlds = one_world(STEADY)
    act(worlds, turn=1)
    assert worlds.state.heading_nax[0, 0] == pytest.approx((np.cos(0.7), np.sin(0.7)))
    act(worlds, turn=-1, steps=2)
    assert worlds.state.heading_nax[0, 0] == pytest.approx((np.cos(0.7), -np.sin(0.7)))
    act(worlds, turn=0.3, steps=2000)
    assert np.hypot(*worlds.state.heading_nax[0, 0]) == pytest.approx(1, abs=1e-6)


def test_wishes_are_clipped_and_no_number_is_no_wish(one_world):
    assert act(one_world(STEADY), forward=7) == pytest.approx((10.5, 10, 0))
    assert act(one_world(STEADY), forward=np.nan, left=1) == pytest.approx((10, 10.3, 0))


def test_uphill_is_slow_and_lifts_downhill_is_not(one_world):
    up, down = one_world(STEADY), one_world(STEADY, avatars=((10, 10, -1, 0),))
    slope_ground(up, 0.3)
    slope_ground(down, 0.3)
    x, _, z = act(up, forward=1)
    assert x - 10 == pytest.approx(0.5 / 1.45 / np.sqrt(1.09), rel=1e-5)
    assert z == pytest.approx(0.3 * x, rel=1e-5)
    assert up.state.velocity_nax[0, 0, 2] == pytest.approx((z - 3) / 0.1, rel=1e-4)
    x, _, z = act(down, forward=1)
    assert 10 - x == pytest.approx(0.5 / np.sqrt(1.09), rel=1e-5)
    assert down.state.grounded_na[0, 0]


def test_a_ramp_that_ends_sends_one_flying(one_world):
    worlds = one_world(STEADY)
    slope_ground(worlds, 0.8)
    nodes = worlds.config.nodes
    worlds.state.terrain_nss[0, nodes // 2 + 2 :] = 0
    act(worlds, forward=1, steps=8)
    assert not worlds.state.grounded_na[0, 0]
    act(worlds, steps=40)
    assert worlds.state.grounded_na[0, 0]


def test_walls_stop(one_world):
    worlds = one_world(STEADY)
    assert act(worlds, forward=1, steps=100) == pytest.approx((19.7, 10, 0))
    assert worlds.state.velocity_nax[0, 0, 0] == 0


def test_a_pillar_stops_and_is_slid_around(one_world):
    worlds = one_world(STEADY)
    put(worlds, PILLAR, 12, 10, 0.5, 0.5, 0, 3)
    assert act(worlds, forward=1, steps=20) == pytest.approx((11.2, 10, 0), abs=1e-5)
    beside = one_world(STEADY, avatars=((10, 10.3, 1, 0),))
    put(beside, PILLAR, 12, 10, 0.5, 0.5, 0, 3)
    assert act(beside, forward=1, steps=20)[0] > 14


@pytest.mark.parametrize(
    ("kind", "wish", "passes"),
    [
        (HURDLE, {}, False),
        (HURDLE, {"crouch": 1}, False),
        (HURDLE, {"jump": 1}, True),
        (BAR, {}, False),
        (BAR, {"crouch": 1}, True),
        (BAR, {"jump": 1}, False),
    ],
)
def test_hurdles_are_jumped_and_bars_are_crouched_under(one_world, kind, wish, passes):
    worlds = one_world(STEADY)
    put(worlds, kind, 12, 10, 0.2, 3.0, *((0, 0.5) if kind == HURDLE else (1.0, 1.5)))
    x, y, _ = act(worlds, forward=1, steps=25, **wish)
    assert (x > 13) == passes
    assert y == pytest.approx(10)
    if not passes:
        assert x == pytest.approx(11.5, abs=1e-5)


def test_a_jump_is_as_high_as_its_speed_and_gravity_say(one_world):
    worlds = one_world(WorldConfig(avatars=1, step_seconds=0.01))
    heights = [act(worlds, jump=1)[2]] + [act(worlds)[2] for _ in range(100)]
    assert max(heights) == pytest.approx(4**2 / (2 * 9.81), rel=0.05)
    assert heights[-1] == 0


def test_crouching_is_slow(one_world):
    assert act(one_world(STEADY), forward=1, crouch=1) == pytest.approx((10.25, 10, 0))


def test_avatars_push_each_other_only_where_they_collide(one_world):
    for collide, apart in ((True, 0.6), (False, 0.2)):
        worlds = one_world(WorldConfig(avatars_collide=collide), avatars=((10, 10, 1, 0), (10.2, 10, 1, 0)))
        worlds.step(np.zeros((1, 2, 5)))
        places = worlds.state.position_nax[0, :, 0]
        assert places[1] - places[0] == pytest.approx(apart, abs=1e-5)


def test_an_absent_avatar_stands_still_and_enters_nothing(one_world):
    worlds = one_world(goals=((10, 10), (3, 3)), avatars=((10, 10, 1, 0), (10, 10, 1, 0)))
    rewards = worlds.step(np.ones((1, 2, 5)), np.array([[True, False]]))
    assert rewards[0, 1] == 0
    assert worlds.state.position_nax[0, 1].tolist() == [10, 10, 0]
    assert worlds.state.last_na[0].tolist() == [0, -1]
