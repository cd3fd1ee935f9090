"""Gymnasium's and PettingZoo's own conformance checks, autoreset, and save and restore through them."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test, parallel_seed_test

from hutch.culture.gymnasium_env import GoalCycleEnv, GoalCycleVectorEnv, register
from hutch.culture.pettingzoo_env import GoalCycleParallelEnv
from hutch.culture.world_config import laptop_world
from hutch.runs import BadInput


@pytest.fixture(autouse=True)
def registered():
    register()
    register()


def test_gymnasiums_check_of_one_environment():
    check_env(gym.make("hutch/GoalCycle3D-v0", render_mode="rgb_array").unwrapped)


def test_gymnasium_makes_vectors_and_its_wrappers_count_episodes():
    envs = gym.make_vec("hutch/GoalCycle3D-v0", num_envs=3, vectorization_mode="vector_entry_point")
    assert isinstance(envs.unwrapped, GoalCycleVectorEnv)
    envs = gym.wrappers.vector.RecordEpisodeStatistics(envs)
    observations, _ = envs.reset(seed=3)
    envs.action_space.seed(0)
    assert envs.observation_space.contains(observations)
    lengths, rewards_of_resets = [], []
    for step in range(250):
        observations, rewards, terminations, truncations, infos = envs.step(envs.action_space.sample())
        assert envs.observation_space.contains(observations)
        assert rewards.dtype == np.float32
        assert not terminations.any()
        assert truncations.all() == ((step + 1) % 121 == 120)
        if "episode" in infos:
            lengths += infos["episode"]["l"].tolist()
        if step % 121 == 120:
            rewards_of_resets += rewards.tolist()
    assert lengths == [120] * 6
    assert rewards_of_resets == [0] * 6
    envs.close()


def test_the_vector_is_the_single_one_many_times():
    one, vector = GoalCycleEnv(), GoalCycleVectorEnv(1)
    seen, seen_by_all = one.reset(seed=5)[0], vector.reset(seed=5)[0]
    random = np.random.default_rng(0)
    for _ in range(125):
        assert (seen == seen_by_all[0]).all()
        wish = random.uniform(-1, 1, 5).astype(np.float32)
        seen, reward, *_ = one.step(wish)
        seen_by_all, rewards, *_ = vector.step(wish[None])
        assert reward == rewards[0]


def test_a_vector_is_seeded_and_goes_on_from_a_saved_moment():
    first, second = GoalCycleVectorEnv(4), GoalCycleVectorEnv(4, threads=2)
    assert (first.reset(seed=1)[0] == second.reset(seed=1)[0]).all()
    assert (first.reset(seed=1)[0] != second.reset(seed=2)[0]).any()
    moment = first.saved()
    actions = np.random.default_rng(0).uniform(-1, 1, (50, 4, 5)).astype(np.float32)
    ends = [first.step(one)[0] for one in actions]
    second.restore(moment)
    assert (np.array(ends) == np.array([second.step(one)[0] for one in actions])).all()
    second.close()


def test_infos_tell_of_the_expert():
    envs = GoalCycleVectorEnv(4)
    envs.reset(seed=0)
    for _ in range(120):
        *_, infos = envs.step(np.zeros((4, 5)))
    assert infos["expert_present"].dtype == bool
    assert (infos["expert_score"] == envs.episodes.worlds.state.score_na[:, 1]).all()


def test_pettingzoos_checks():
    parallel_api_test(GoalCycleParallelEnv(), num_cycles=300)
    parallel_seed_test(GoalCycleParallelEnv, num_cycles=100)


def test_a_parallel_environment_restores_and_renders():
    env = GoalCycleParallelEnv(render_mode="rgb_array")
    env.reset(seed=0)
    moment = env.saved()
    actions = {one: np.array([1, 0, 0.2, 0, 0], np.float32) for one in env.agents}
    ends = []
    for _ in range(2):
        env.restore(moment)
        for _ in range(60):
            observations, *_ = env.step(actions)
        ends.append(np.concatenate(list(observations.values())))
    assert (ends[0] == ends[1]).all()
    image = env.render()
    assert image.shape == (256, 256, 3)
    assert image.dtype == np.uint8


def test_misuse_is_one_line():
    env = GoalCycleParallelEnv()
    with pytest.raises(BadInput, match="the episode is over; reset it"):
        env.step({})
    env.reset(seed=0)
    with pytest.raises(BadInput, match="avatar_1 has no action"):
        env.step({"avatar_0": np.zeros(5)})
    with pytest.raises(BadInput, match="render_mode is 'human'; it must be rgb_array or None"):
        GoalCycleVectorEnv(2, world=laptop_world(), render_mode="human")
    envs = GoalCycleVectorEnv(2)
    envs.reset(seed=0)
    with pytest.raises(BadInput, match=r"actions have the shape \(2, 4\); they must have \(2, 5\)"):
        envs.step(np.zeros((2, 4)))
