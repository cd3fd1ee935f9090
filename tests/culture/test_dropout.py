"""Schedules of presence."""

import numpy as np
import pytest

from hutch.culture import DropOut, presence
from hutch.runs import BadInput


def test_full_none_and_half():
    assert presence(DropOut(kind="full"), 2, 5, 0).all()
    assert not presence(DropOut(kind="none"), 2, 5, 0).any()
    assert presence(DropOut(kind="half"), 1, 6, 0)[0].tolist() == [True] * 3 + [False] * 3
    assert presence(DropOut(kind="half"), 1, 5, 0)[0].sum() == 3


def test_a_chain_switches_as_its_matrix_says():
    schedule = DropOut.from_matrix(np.array([[0.9, 0.1], [0.3, 0.7]]))
    there = presence(schedule, 400, 500, 7)
    before, after = there[:, :-1], there[:, 1:]
    assert there[:, 0].all()
    assert after[~before].mean() == pytest.approx(0.1, abs=0.01)
    assert (~after[before]).mean() == pytest.approx(0.3, abs=0.01)
    assert there[:, 100:].mean() == pytest.approx(0.1 / 0.4, abs=0.01)
    assert schedule.matrix() == pytest.approx(np.array([[0.9, 0.1], [0.3, 0.7]]))


def test_each_episode_may_have_a_chain_of_its_own():
    vanish = np.where(np.arange(400) < 200, 0.5, 0.0)
    there = presence(DropOut(), 400, 100, 7, appear=np.zeros(400), vanish=vanish)
    assert there[200:].all()
    assert not there[:200, 30:].any()
    with pytest.raises(BadInput, match="outside 0 to 1"):
        presence(DropOut(), 2, 10, 7, appear=np.array([0.5, 2.0]))


def test_equal_seeds_give_equal_schedules():
    one = presence(DropOut(), 8, 100, "x", 1)
    assert (one == presence(DropOut(), 8, 100, "x", 1)).all()
    assert (one != presence(DropOut(), 8, 100, "x", 2)).any()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "often"}, "schedule is 'often'; it must be full, none, half, random"),
        ({"vanish": 1.5}, "vanish is 1.5; it must lie between 0 and 1"),
    ],
)
def test_bad_schedules(wrong, message):
    with pytest.raises(BadInput, match=message):
        DropOut(**wrong)


def test_a_matrix_whose_rows_do_not_sum_to_one_is_refused():
    with pytest.raises(BadInput, match="two rows of two that sum to 1"):
        DropOut.from_matrix(np.array([[0.5, 0.5], [0.5, 0.6]]))
