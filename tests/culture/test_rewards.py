"""The reward rule as a table, and crossings of paths drawn by hand."""

import numpy as np
import pytest

from hutch.culture import entry_reward, self_crossings


@pytest.mark.parametrize(
    ("last", "entered", "reward"),
    [
        (-1, 0, 1),
        (-1, 3, 1),
        (0, 2, 1),
        (2, 1, 1),
        (1, 3, 1),
        (3, 0, 1),
        (0, 1, -0.5),
        (0, 3, -0.5),
        (2, 0, -0.5),
        (2, 2, 0),
    ],
)
def test_the_rule(last, entered, reward):
    successor = {0: 2, 2: 1, 1: 3, 3: 0, -1: -1}
    assert entry_reward(last, entered, successor[last], 1.0, 0.5) == reward


def enter(worlds, visits):
    """Rewards of avatar 0 for being put into goals one after the other, outside in between."""
    rewards = []
    present = np.array([[True, False]])
    for g in visits:
        worlds.state.position_nax[0, 0, :2] = 10, 1
        assert worlds.step(np.zeros((1, 2, 5)), present)[0, 0] == 0
        worlds.state.position_nax[0, 0, :2] = worlds.state.goal_nkx[0, g, :2]
        rewards.append(float(worlds.step(np.zeros((1, 2, 5)), present)[0, 0]))
    return rewards


GOALS = ((3, 3), (17, 3), (17, 17), (3, 17))


def test_the_engine_pays_for_the_cycle_and_for_one_direction_of_it(one_world):
    assert enter(one_world(goals=GOALS), [2, 3, 0, 1, 2, 3]) == [1] * 6
    assert enter(one_world(goals=GOALS), [2, 1, 0, 3, 2]) == [1, -1, -1, -1, -1]


def test_a_wrong_goal_becomes_the_last_one_and_the_same_one_again_is_nothing(one_world):
    assert enter(one_world(goals=GOALS, penalty=0.25), [0, 0, 1, 3, 0, 0, 2, 3]) == [1, 0, 1, -0.25, 1, 0, -0.25, 1]


def test_staying_inside_is_one_entry(one_world):
    worlds = one_world(goals=GOALS)
    assert enter(worlds, [0]) == [1]
    assert worlds.step(np.zeros((1, 2, 5)))[0, 0] == 0
    assert worlds.state.score_na[0, 0] == 1


def test_each_avatar_has_an_order_state_of_its_own(one_world):
    worlds = one_world(goals=GOALS, avatars=((3, 3, 1, 0), (17, 17, 1, 0)))
    assert worlds.step(np.zeros((1, 2, 5)))[0].tolist() == [1, 1]
    worlds.state.position_nax[0, :, :2] = (17, 3), (17, 3)
    assert worlds.step(np.zeros((1, 2, 5)))[0].tolist() == [1, -1]


def test_crossings():
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
    assert self_crossings(square) == 0
    assert self_crossings(square[[0, 2, 1, 3]]) == 1
    angles = 2 * np.pi * np.arange(5) / 5
    pentagon = np.stack([np.cos(angles), np.sin(angles)], 1)
    assert self_crossings(pentagon) == 0
    assert self_crossings(pentagon[[0, 2, 4, 1, 3]]) == 5
