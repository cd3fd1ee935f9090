"""Experts reach the goals of random worlds in order; their settings do what they say."""

import heapq

import numpy as np
import pytest

from hutch.culture import ExpertConfig, Experts, Tasks, WorldConfig, Worlds, laptop_world, world_seeds
from hutch.culture.expert_kernels import spread_ways
from hutch.runs import BadInput

HARD = {"size": 20, "bumpiness": 0.5, "pillars": 2, "hurdles": 0.5, "bars": 0.5, "goals": 5}
LONG = WorldConfig(steps=300)


def outcome(config, expert, count=200, seed=0, **task):
    """Entries that paid and entries that cost, [n] each, of experts alone; and the worlds."""
    worlds = Worlds(config, count, observers=0)
    worlds.grow(world_seeds(count, seed), Tasks.same(count, **task))
    experts = Experts(worlds, 1, expert)
    experts.begin()
    actions, right, wrong = np.zeros((count, 2, 5), np.float32), np.zeros(count), np.zeros(count)
    for _ in range(config.steps):
        experts.act(actions)
        rewards = worlds.step(actions)[:, 1]
        right += rewards > 0
        wrong += rewards < 0
    return right, wrong, worlds


@pytest.mark.parametrize(
    ("expert", "faultless"),
    [(ExpertConfig(), 0.99), (ExpertConfig(agile=True), 0.95), (ExpertConfig(gait="sidestepping"), 0.99)],
)
def test_it_goes_round_the_cycle_in_bumpy_worlds_with_obstacles(expert, faultless):
    right, wrong, _ = outcome(LONG, expert, **HARD)
    assert (right >= 6).mean() >= 0.99
    assert (wrong == 0).mean() >= faultless


def test_it_never_errs_in_an_open_world_and_scores_as_measured():
    right, wrong, _ = outcome(laptop_world(), ExpertConfig())
    assert not wrong.any()
    assert right.min() >= 5
    assert right.mean() > 11


def test_an_agile_one_jumps_and_crouches_where_others_walk_around():
    task = {**HARD, "bumpiness": 0, "pillars": 0, "hurdles": 3, "bars": 3}
    for agile in (True, False):
        worlds = Worlds(LONG, 50, observers=0)
        worlds.grow(world_seeds(50, 0), Tasks.same(50, **task))
        experts, actions = Experts(worlds, 1, ExpertConfig(agile=agile)), np.zeros((50, 2, 5), np.float32)
        flown, crouched = np.zeros(50), np.zeros(50)
        for _ in range(300):
            experts.act(actions)
            worlds.step(actions)
            flown += ~worlds.state.grounded_na[:, 1]
            crouched += worlds.state.crouched_na[:, 1]
        assert ((flown > 0).mean() > 0.8) == agile
        assert ((crouched > 0).mean() > 0.6) == agile
        assert agile or not (flown + crouched).any()


def test_the_anti_expert_goes_the_wrong_way_round():
    right, wrong, _ = outcome(laptop_world(), ExpertConfig(order="reversed"), count=100)
    assert (right == 1).all()
    assert wrong.mean() > 9


def test_speed_noise_mistakes_and_pauses():
    usual = outcome(laptop_world(), ExpertConfig())[0].mean()
    slow = outcome(laptop_world(), ExpertConfig(speed=0.5))[0].mean()
    assert 0.4 < slow / usual < 0.75
    noisy_right, noisy_wrong, _ = outcome(laptop_world(), ExpertConfig(noise=0.5))
    assert noisy_right.mean() < usual
    assert noisy_wrong.mean() < 0.5
    right, wrong, _ = outcome(laptop_world(), ExpertConfig(error=0.3))
    # Every entry but the first is a choice.
    assert wrong.sum() / (wrong + right - 1).sum() == pytest.approx(0.3, abs=0.04)
    assert outcome(laptop_world(), ExpertConfig(pause_rate=0.05))[0].mean() < 0.85 * usual


def test_each_world_has_settings_of_its_own():
    worlds = Worlds(laptop_world(), 100, observers=0)
    worlds.grow(world_seeds(100, 0), Tasks.same(100))
    experts = Experts(worlds, 1, ExpertConfig())
    experts.begin(speed=np.where(np.arange(100) < 50, 1.0, 0.3))
    actions = np.zeros((100, 2, 5), np.float32)
    for _ in range(120):
        experts.act(actions)
        worlds.step(actions)
    scores = worlds.state.score_na[:, 1]
    assert scores[:50].mean() > 2 * scores[50:].mean()
    with pytest.raises(BadInput, match="speed must be 100 numbers between 0 and 1"):
        experts.begin(speed=np.full(100, 2.0))


def test_an_absent_expert_wishes_nothing():
    worlds = Worlds(laptop_world(), 2, observers=0)
    worlds.grow(world_seeds(2, 0), Tasks.same(2))
    experts, actions = Experts(worlds, 1, ExpertConfig()), np.ones((2, 2, 5), np.float32)
    experts.act(actions, np.array([[True, True], [True, False]]))
    assert actions[0, 1].any()
    assert not actions[1, 1].any()
    assert (actions[:, 0] == 1).all()


def test_the_field_of_ways_is_that_of_dijkstra():
    random = np.random.default_rng(0)
    for _ in range(5):
        cost = random.choice([1, 1, 1, 12, 60], (15, 15)).astype(np.float32)
        ways = np.empty_like(cost)
        spread_ways(cost, np.float32(14), np.float32(3.2), np.float32(8.9), ways)
        assert ways == pytest.approx(dijkstra(cost, (3, 9)), rel=1e-5)


def dijkstra(cost, goal):
    best, waiting = np.full(cost.shape, np.inf), [(0.0, goal)]
    while waiting:
        way, (i, j) = heapq.heappop(waiting)
        if way >= best[i, j]:
            continue
        best[i, j] = way
        for p in range(max(i - 1, 0), min(i + 2, len(cost))):
            for q in range(max(j - 1, 0), min(j + 2, len(cost))):
                if (p, q) != (i, j):
                    heapq.heappush(waiting, (way + float(np.hypot(p - i, q - j) * cost[p, q]), (p, q)))
    return best


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"order": "left"}, "order is 'left'; it must be right, reversed, random"),
        ({"gait": "crawling"}, "gait is 'crawling'; it must be turning, sidestepping"),
        ({"noise": -1}, "noise is -1; it must lie between 0 and 1"),
        ({"speed": 0}, "speed is 0; it must be above 0"),
        ({"nodes": 2}, "nodes is 2"),
    ],
)
def test_bad_settings(wrong, message):
    with pytest.raises(BadInput, match=message):
        ExpertConfig(**wrong)
