"""Episodes follow from their seed, are saved and go on, are recorded and play again, bit by bit."""

import numpy as np
import pytest

from hutch.culture import DropOut, Episodes, Recording, TaskRanges, WorldConfig, Worlds, laptop_world, world_seeds
from hutch.runs import BadInput, HutchError
from tests.culture.conftest import EVERYTHING, VARIED, varied_worlds, wandering


def bits(state):
    return b"".join(array.tobytes() for array in state)


def wishes(random, count):
    return random.uniform(-1, 1, (count, 1, 5)).astype(np.float32)


def test_equal_seeds_give_equal_episodes_and_other_seeds_others():
    ends = []
    for seed in (4, 4, 5):
        episodes = Episodes(laptop_world(), 6, tasks=TaskRanges(size=(13, 16)), threads=1 + seed % 2)
        random, total = np.random.default_rng(0), np.zeros(6)
        episodes.begin("test", seed)
        while not episodes.over:
            observations, rewards = episodes.step(wishes(random, 6))
            total += rewards[:, 0]
        assert (total == episodes.worlds.state.score_na[:, 0]).all()
        ends.append(bits(episodes.worlds.state) + observations.tobytes())
        episodes.close()
    assert ends[0] == ends[1] != ends[2]


def test_the_expert_is_there_as_the_schedule_says():
    episodes = Episodes(laptop_world(), 4, dropout=DropOut(kind="half"))
    first = episodes.begin(0)
    assert episodes.worlds.state.present_na[:, 1].all()
    seen_at_first = episodes.worlds.layout.block(first, "avatars")[:, 0, 0, 0].copy()
    there = []
    while not episodes.over:
        observations, _ = episodes.step(np.zeros((4, 1, 5)))
        there.append(episodes.worlds.state.present_na[:, 1].all())
        assert there[-1] or not episodes.worlds.layout.block(observations, "avatars").any()
    assert seen_at_first.all()
    assert there == [True] * 60 + [False] * 60
    assert not episodes.worlds.layout.block(
        Episodes(laptop_world(), 4, dropout=DropOut(kind="none")).begin(0), "avatars"
    ).any()


def test_the_three_conditions_differ_in_presence_alone():
    grown = []
    for kind in ("full", "half", "none"):
        episodes = Episodes(laptop_world(), 3, dropout=DropOut(kind=kind))
        episodes.begin("probe", 1)
        grown.append(bits(array for name, array in episodes.worlds.state._asdict().items() if name != "present_na"))
    assert grown[0] == grown[1] == grown[2]


def test_a_saved_moment_goes_on_bit_by_bit():
    random = np.random.default_rng(1)
    episodes = Episodes(laptop_world(), 5)
    episodes.begin(2)
    for _ in range(30):
        episodes.step(wishes(random, 5))
    moment, actions = episodes.saved(), [wishes(random, 5) for _ in range(40)]
    for one in actions:
        observations, _ = episodes.step(one)
    first = bits(episodes.worlds.state) + observations.tobytes()
    other = Episodes(laptop_world(), 5)
    other.begin(99)
    other.restore(moment)
    for one in actions:
        observations, _ = other.step(one)
    assert bits(other.worlds.state) + observations.tobytes() == first


def test_a_state_file_goes_on_bit_by_bit(tmp_path):
    worlds, other = varied_worlds(4, 1), varied_worlds(4, 2)
    random = np.random.default_rng(0)
    worlds.step(wandering(random, 4))
    worlds.save(tmp_path / "state.npz")
    other.load(tmp_path / "state.npz")
    actions = wandering(random, 4)
    worlds.step(actions)
    other.step(actions)
    assert bits(worlds.state) == bits(other.state)


def test_a_recording_plays_again_bit_by_bit(tmp_path):
    worlds, random = varied_worlds(4, 1), np.random.default_rng(0)
    recording = Recording(worlds)
    for _ in range(25):
        worlds.step(wandering(random, 4), random.random((4, 3)) < 0.8)
        recording.add(worlds)
    recording.write(tmp_path / "recording")
    other = varied_worlds(4, 9)
    again = Recording.read(tmp_path / "recording", other)
    assert len(again) == 25
    again.replay(other)
    assert bits(other.state) == bits(worlds.state)


def test_files_of_others_and_damaged_ones_are_refused(tmp_path):
    worlds = varied_worlds(2, 1)
    worlds.save(tmp_path / "state.npz")
    with pytest.raises(BadInput, match="was saved under configuration"):
        Worlds(WorldConfig(), 2).load(tmp_path / "state.npz")
    with pytest.raises(BadInput, match=r"needs? .*\(3,\)|these worlds need"):
        varied_worlds(3, 1).load(tmp_path / "state.npz")
    with pytest.raises(HutchError, match="does not exist"):
        worlds.load(tmp_path / "none.npz")
    (tmp_path / "state.npz").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(HutchError, match=r"state\.npz is damaged"):
        worlds.load(tmp_path / "state.npz")


def test_misuse_is_one_line():
    episodes = Episodes(laptop_world(), 2)
    with pytest.raises(BadInput, match="the episodes are over; begin new ones"):
        episodes.step(np.zeros((2, 1, 5)))
    episodes.begin(0)
    with pytest.raises(BadInput, match=r"actions have the shape \(2, 5\); they must have \(2, 1, 5\)"):
        episodes.step(np.zeros((2, 5)))
    with pytest.raises(BadInput, match="of 2 avatars at least one must learn"):
        Episodes(laptop_world(), 2, learners=3)
    assert VARIED.draw(2, 0).size.shape == world_seeds(2, 0).shape == (2,)
    assert EVERYTHING.avatars == 3
