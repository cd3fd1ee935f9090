"""Worlds grow from seeds: equal ones from equal seeds, and all of them fit to walk in."""

import numpy as np
import pytest

from hutch.culture import TaskRanges, Tasks, WorldConfig, Worlds, self_crossings, world_seeds
from hutch.culture.reference import grown, world_of
from tests.culture.conftest import EVERYTHING, VARIED, varied_worlds


def test_the_reference_grows_the_same_worlds():
    worlds, tasks = varied_worlds(16, 5), VARIED.draw(16, 5)
    tasks.bumpiness[0] = 0
    for w, seed in enumerate(world_seeds(16, 5)):
        fast, slow = world_of(worlds.state, w, EVERYTHING), grown(EVERYTHING, int(seed), tasks.table()[w])
        assert fast.successor == slow.successor
        assert np.allclose(fast.terrain, slow.terrain, atol=1e-6)
        assert np.allclose(fast.goals, slow.goals, atol=1e-5)
        assert len(fast.obstacles) == len(slow.obstacles)
        for one, other in zip(fast.obstacles + fast.avatars, slow.obstacles + slow.avatars, strict=True):
            for name, value in vars(one).items():
                assert value == pytest.approx(getattr(other, name), abs=1e-5), name
    assert worlds.state.obstacles.sum() > 50


def test_a_world_depends_on_its_seed_and_task_alone():
    tasks, seeds = VARIED.draw(8, 1), world_seeds(8, 1)
    all_of_them, last = Worlds(EVERYTHING, 8), Worlds(EVERYTHING, 1)
    all_of_them.grow(seeds, tasks)
    last.grow(seeds[7:], tasks.of(np.array([7])))
    for many, one in zip(all_of_them.state, last.state, strict=True):
        assert many[7:].tobytes() == one.tobytes()
    before = all_of_them.saved()
    all_of_them.grow(seeds + np.uint64(1), tasks, which=np.arange(8) == 3)
    changed = [not np.array_equal(before.terrain_nss[w], all_of_them.state.terrain_nss[w]) for w in range(8)]
    assert changed == [w == 3 for w in range(8)]


def test_goals_never_overlap_where_as_many_stand_as_are_let_in():
    worlds = Worlds(WorldConfig(), 3000, observers=0)
    worlds.grow(world_seeds(3000, 0), Tasks.same(3000, size=13.0, goals=5))
    goal_nkx = worlds.state.goal_nkx[:, :5, :2]
    gaps_nkk = np.linalg.norm(goal_nkx[:, :, None] - goal_nkx[:, None], axis=-1) + 99 * np.eye(5)
    assert gaps_nkk.min() >= 2.0
    assert (gaps_nkk.min(axis=(1, 2)) >= 3.0).mean() > 0.99


def test_orders_are_cycles_drawn_evenly_and_as_tangled_as_asked():
    worlds = Worlds(WorldConfig(), 4000, observers=0)
    worlds.grow(world_seeds(4000, 1), Tasks.same(4000, goals=4))
    successors, counts = np.unique(worlds.state.successor_nk[:, :4], axis=0, return_counts=True)
    assert len(successors) == 6
    assert counts.min() > 4000 / 6 * 0.85
    for successor in successors:
        assert successor[successor[successor[successor[0]]]] == 0
    worlds.grow(world_seeds(4000, 1), Tasks.same(4000, goals=5, crossings=0))
    for w in range(200):
        order = [0]
        while len(order) < 5:
            order.append(worlds.state.successor_nk[w, order[-1]])
        assert self_crossings(worlds.state.goal_nkx[w, order, :2]) == 0


def test_obstacles_leave_a_way_around_everything():
    worlds = Worlds(WorldConfig(), 100, observers=0)
    worlds.grow(world_seeds(100, 2), Tasks.same(100, size=24, pillars=5, hurdles=2, bars=2, goals=6))
    state = worlds.state
    assert state.obstacles.mean() > 20
    for w in range(100):
        rows = state.obstacle_nmf[w, : state.obstacles[w]]
        reach = np.where(state.kind_nm[w, : state.obstacles[w]] == 3, rows[:, 4], np.hypot(rows[:, 4], rows[:, 5]))
        places = np.concatenate([rows[:, :2], state.goal_nkx[w, :6, :2]])
        reach = np.concatenate([reach, np.ones(6)])
        free = np.linalg.norm(places[:, None] - places[None], axis=-1) - reach[:, None] - reach[None]
        free[len(rows) :, len(rows) :] = 9
        assert (free + 99 * np.eye(len(places))).min() > 1.199
        edge = np.minimum(places, 24 - places).min(axis=1) - reach
        assert edge[: len(rows)].min() > 1.199


def test_the_terrain_is_as_high_as_it_is_bumpy():
    worlds = Worlds(WorldConfig(relief=2.0), 200, observers=0)
    worlds.grow(world_seeds(200, 3), Tasks.same(200, bumpiness=0.5))
    heights = worlds.state.terrain_nss
    assert np.abs(heights).max() <= 1.5
    assert 0.3 < heights.std() < 0.7
    assert (worlds.state.highest == heights.max(axis=(1, 2))).all()


def test_tasks_are_drawn_within_their_ranges():
    tasks = TaskRanges(size=(13, 20), goals=(4, 6), crossings=(0, 3)).draw(2000, 4)
    assert tasks.size.min() >= 13
    assert tasks.size.max() <= 20
    assert tasks.size.std() > 1.9
    assert set(tasks.goals) == {4, 5, 6}
    assert set(tasks.crossings) == {0, 1, 2, 3}
