"""What cannot be is one clear line."""

import importlib
import sys

import numpy as np
import pytest

from hutch.culture import TaskRanges, Tasks, WorldConfig, Worlds
from hutch.culture.libraries import library
from hutch.runs import BadInput, digest


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"avatars": 0}, "avatars is 0; it must be a whole number from 1 to 16"),
        ({"rays": 2.5}, "rays is 2.5; it must be a whole number"),
        ({"most_goals": 40}, "most_goals is 40"),
        ({"speed": -1.0}, "speed is -1.0; it must be a number from 0"),
        ({"speed": float("nan")}, "speed is nan"),
        ({"goal_radius": 0}, "goal_radius is 0; it must be positive"),
        ({"grip": 1.5}, "grip is 1.5; it must be a number from 0 to 1"),
        ({"ray_slopes": ()}, "ray_slopes is"),
        ({"ray_slopes": (5.0,)}, "ray_slopes is"),
        ({"pillar_radius": (0.9, 0.4)}, "pillar_radius is .*the smaller one first"),
        ({"crouching": 1.7}, "crouching is 1.7; it must be below standing"),
        ({"bar_clearance": 2.0}, "bar_clearance is 2.0; it must lie between crouching and standing"),
        ({"turn_rate": 40.0}, "turn_rate 40.0 turns by 4.80 radians a step"),
        ({"part_length": 0.6}, "part_length is 0.6; below 0.5 nobody passes through an obstacle"),
    ],
)
def test_configurations_outside_their_ranges(wrong, message):
    with pytest.raises(BadInput, match=message):
        WorldConfig(**wrong)


@pytest.mark.parametrize(
    ("config", "wrong", "message"),
    [
        ({}, {"goals": 6}, "6 goals do not fit a world of 13 m; at most 5 of radius 1 do"),
        ({}, {"goals": 7, "size": 32}, "goals of a task is 7; it must lie between 2 and 6"),
        ({}, {"goals": 3.5}, "goals of a task is 3.5; it must be whole"),
        ({}, {"size": 1.0}, "size of a task is 1"),
        ({}, {"bumpiness": 3.0}, "bumpiness of a task is 3; it must lie between 0 and 2"),
        ({}, {"size": np.nan}, "not finite"),
        ({"most_obstacles": 0}, {"pillars": 1.0}, "up to 5 obstacles and most_obstacles is 0"),
        ({}, {"pillars": 20.0, "size": 30, "goals": 4}, "most_obstacles is 64; raise it or lower the densities"),
    ],
)
def test_tasks_that_fit_no_world(config, wrong, message):
    worlds = Worlds(WorldConfig(**config), 2, observers=0)
    with pytest.raises(BadInput, match=message):
        worlds.grow(np.zeros(2, np.uint64), Tasks.same(2, **wrong))


def test_calls_that_do_not_fit():
    worlds = Worlds(WorldConfig(), 2)
    with pytest.raises(BadInput, match="3 seeds and 2 tasks for 2 worlds"):
        worlds.grow(np.zeros(3, np.uint64), Tasks.same(2))
    with pytest.raises(BadInput, match=r"actions have the shape \(2, 5\); they must have \(2, 2, 5\)"):
        worlds.step(np.zeros((2, 5)))
    with pytest.raises(BadInput, match=r"present has the shape \(2,\); it must have \(2, 2\)"):
        worlds.step(np.zeros((2, 2, 5)), np.ones(2, bool))
    with pytest.raises(BadInput, match="observers is 3; there are 2 avatars"):
        Worlds(WorldConfig(), 2, observers=3)
    with pytest.raises(BadInput, match="both must be at least 1"):
        Worlds(WorldConfig(), 0)
    with pytest.raises(BadInput, match="a task has no colour"):
        Tasks.same(2, colour=1)
    with pytest.raises(BadInput, match=r"range of size is \[20, 13\]"):
        TaskRanges(size=(20, 13))


def test_a_missing_library_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(BadInput, match=r"needs the library numba: pip install 'hutch-lab\[culture\]'"):
        library("numba")


@pytest.mark.parametrize("name", ["gymnasium", "pettingzoo"])
def test_a_missing_interface_is_one_line(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"hutch.culture.{name}_env", raising=False)
    with pytest.raises(BadInput, match=rf"needs the library {name}: pip install 'hutch-lab\[culture\]'"):
        importlib.import_module(f"hutch.culture.{name}_env")


def test_a_configuration_names_a_run():
    assert digest(WorldConfig()) == digest(WorldConfig())
    assert digest(WorldConfig(steps=999)) != digest(WorldConfig())
