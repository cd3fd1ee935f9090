"""The compiled engine against the plain reference, step by step; threads change no bit."""

import numpy as np
import pytest

from hutch.culture import Tasks
from hutch.culture.reference import observation, seen, stepped, world_of
from tests.culture.conftest import EVERYTHING, varied_worlds, wandering

MOTION = ("x", "y", "z", "vx", "vy", "vz", "reward", "score")
STATE = ("inside", "last", "grounded", "crouched", "present")


@pytest.mark.parametrize("seed", [0, 1])
def test_every_step_is_that_of_the_reference(seed):
    count, random = 8, np.random.default_rng(seed)
    worlds = varied_worlds(count, seed)
    flown = entered = 0
    for _ in range(50):
        before = worlds.saved()
        actions, present = wandering(random, count), random.random((count, 3)) < 0.9
        worlds.step(actions, present)
        for w in range(count):
            fast = world_of(worlds.state, w, EVERYTHING)
            slow = stepped(world_of(before, w, EVERYTHING), actions[w], present[w])
            assert fast.time == slow.time
            for mine, theirs in zip(fast.avatars, slow.avatars, strict=True):
                for name in STATE:
                    assert getattr(mine, name) == getattr(theirs, name), name
                for name in MOTION:
                    assert getattr(mine, name) == pytest.approx(getattr(theirs, name), abs=1e-4), name
                assert mine.heading == pytest.approx(theirs.heading, abs=1e-5)
                flown += not mine.grounded
                entered += mine.reward != 0
    assert flown > 20
    assert entered >= 5


def test_the_reference_sees_the_same():
    count, random = 8, np.random.default_rng(7)
    worlds = varied_worlds(count, 7)
    kinds = np.zeros(16, int)
    for _ in range(6):
        for _ in range(3):
            worlds.step(wandering(random, count), random.random((count, 3)) < 0.8)
        fast = worlds.observe()
        for w in range(count):
            world = world_of(worlds.state, w, EVERYTHING)
            for o in range(3):
                assert np.abs(fast[w, o] - observation(world, o)).max() < 1e-4
            kinds += np.bincount(seen(world, 0)[1].ravel(), minlength=16)
    # Every kind of thing was among what was compared.
    assert (kinds[1:8] > 10).all()


def test_many_steps_stay_with_the_reference():
    random = np.random.default_rng(3)
    worlds = varied_worlds(4, 3)
    slow = [world_of(worlds.state, w, EVERYTHING) for w in range(4)]
    everyone = np.ones((4, 3), bool)
    for _ in range(40):
        actions = wandering(random, 4)
        worlds.step(actions)
        slow = [stepped(world, actions[w], everyone[w]) for w, world in enumerate(slow)]
    for w, world in enumerate(slow):
        places = [(one.x, one.y, one.z) for one in world.avatars]
        assert np.allclose(worlds.state.position_nax[w], places, atol=1e-2)


def test_threads_change_no_bit():
    ended = []
    for threads in (1, 2, 3):
        random = np.random.default_rng(0)
        worlds = varied_worlds(13, 11, threads)
        for _ in range(30):
            worlds.step(wandering(random, 13), random.random((13, 3)) < 0.9)
        seen_now = worlds.observe().tobytes() + worlds.others_nobx.tobytes()
        ended.append(b"".join(array.tobytes() for array in worlds.state) + seen_now)
        worlds.close()
    assert ended[0] == ended[1] == ended[2]


def test_a_world_goes_on_alike_whatever_stands_beside_it():
    random = np.random.default_rng(0)
    many, few = varied_worlds(5, 2), varied_worlds(5, 2)
    few.grow(many.state.seed + np.uint64(9), Tasks.same(5), which=np.arange(5) != 2)
    for _ in range(20):
        actions = wandering(random, 5)
        many.step(actions)
        few.step(actions)
    for mine, theirs in zip(many.state, few.state, strict=True):
        assert mine[2].tobytes() == theirs[2].tobytes()
    assert many.state.position_nax[1].tobytes() != few.state.position_nax[1].tobytes()
