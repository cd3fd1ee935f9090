"""The rule of automatic domain randomisation on scripted measurements, and what it makes of a rollout."""

from dataclasses import replace

import numpy as np
import pytest

from hutch.culture import TaskRanges, laptop_world
from hutch.culture.assignments import assigned, measurements
from hutch.culture.randomisation import Parameter, Randomisation, drawn, first_ranges, moved
from hutch.culture.training_config import TrainingConfig, open_field, rough_ground
from hutch.runs import BadInput

SIZE = Parameter(name="size", start=(13, 13), limits=(12, 16), step=1)
NOISE = Parameter(name="noise", start=(0.1, 0.2), limits=(0, 0.5), step=0.1)
RULE = Randomisation(kind="adaptive", parameters=(SIZE, NOISE), buffer=2)


def ends_after(*measured, ranges=None):
    ranges = ranges or first_ranges(RULE)
    for one in measured:
        ranges = moved(RULE, ranges, *one)
    return ranges


def test_an_end_moves_when_its_buffer_is_full_and_not_before():
    ranges = ends_after((0, 1, 9.0, 10.0))
    assert ranges.end_ps.tolist() == [[13, 13], [0.1, 0.2]]
    ranges = ends_after((0, 1, 9.0, 10.0), ranges=ranges)
    assert ranges.end_ps.tolist() == [[13, 14], [0.1, 0.2]]
    assert ranges.count_ps.sum() == ranges.expert_ps.sum() == 0


def test_a_scripted_course():
    good, middling, bad = (0, 1, 9.0, 10.0), (0, 1, 8.0, 10.0), (0, 1, 2.0, 10.0)
    ranges = ends_after(good, good, good, good)
    assert ranges.end_ps[0].tolist() == [13, 15]
    ranges = ends_after(middling, middling, ranges=ranges)
    assert ranges.end_ps[0].tolist() == [13, 15]
    # One of two bad: (9 + 2) / 20 is below 0.75.
    ranges = ends_after(good, bad, ranges=ranges)
    assert ranges.end_ps[0].tolist() == [13, 14]
    # Never narrower than the start, never wider than the limits.
    assert ends_after(*[bad] * 8, ranges=ranges).end_ps[0].tolist() == [13, 13]
    assert ends_after(*[good] * 20, ranges=ranges).end_ps[0].tolist() == [13, 16]


def test_low_ends_move_down_and_other_ends_stay():
    good = (1, 0, 1.0, 1.0)
    ranges = ends_after(good, good, (1, 1, 0.0, 1.0))
    assert ranges.end_ps[1] == pytest.approx([0.0, 0.2])
    assert ranges.count_ps.tolist() == [[0, 0], [0, 1]]
    assert ends_after(good, good, ranges=ranges).end_ps[1, 0] == 0


def test_buffers_weigh_scores_and_not_ratios():
    # Ratios −5 and 0.95; scores 19 − 0.5 of 20.1.
    assert ends_after((0, 1, -0.5, 0.1), (0, 1, 19.0, 20.0)).end_ps[0, 1] == 14


def test_uniform_draws_from_the_limits():
    rule = replace(RULE, kind="uniform")
    assert first_ranges(rule).end_ps.tolist() == [[12, 16], [0, 0.5]]
    values, ends = drawn(rule, first_ranges(rule), 200, 0, np.random.default_rng(0))
    assert values["size"].min() < 12.5
    assert values["size"].max() > 15.5
    assert ends.shape == (0, 2)


def test_held_ends_are_held_and_the_rest_is_free():
    ranges = ends_after(*[(0, 1, 1.0, 1.0)] * 4)
    values, ends = drawn(RULE, ranges, 5, 300, np.random.default_rng(0))
    for p, name in enumerate(("size", "noise")):
        for s in range(2):
            held = (ends == (p, s)).all(axis=1)
            assert (values[name][5:][held] == ranges.end_ps[p, s]).all()
    assert values["noise"][5:][ends[:, 0] == 0].std() > 0


def test_goals_are_whole():
    goals = Parameter(name="goals", start=(3, 4), limits=(2, 5), step=1)
    rule = Randomisation(kind="adaptive", parameters=(goals,))
    values, _ = drawn(rule, first_ranges(rule), 50, 50, np.random.default_rng(0))
    assert set(values["goals"]) == {3, 4}


def config(**changes):
    world = replace(laptop_world(), steps=20)
    return TrainingConfig(world=world, worlds=40, randomisation=RULE, **changes)


def test_a_measurement_is_one_world_in_three_conditions():
    some = config()
    assignment = assigned(some, first_ranges(RULE), 0, 1)
    free, m = 40 - 3 * some.triples, some.triples
    assert m == len(assignment.end_m2) == 3
    for column in (assignment.seeds_n, assignment.tasks.size, assignment.experts["noise"]):
        full, half, none = column[free:].reshape(3, m)
        assert (full == half).all()
        assert (full == none).all()
    there = assignment.there_net[free:, 0].reshape(3, m, 20)
    assert there[0].all()
    assert there[1].sum(axis=1).tolist() == [10] * m
    assert not there[2].any()
    assert len(set(assignment.seeds_n[:free])) == free
    assert assignment.trained_n.all()


def test_without_expert_dropout_absence_is_measured_and_not_learned_from():
    assignment = assigned(config(expert_dropout=False), first_ranges(RULE), 0, 1)
    m = len(assignment.end_m2)
    assert assignment.there_net[assignment.trained_n].all()
    assert (~assignment.trained_n).sum() == 2 * m


def test_an_end_of_the_drop_out_is_measured_by_its_own_chain():
    vanish = Parameter(name="vanish", start=(1, 1), limits=(0, 1), step=0.1)
    rule = Randomisation(kind="adaptive", parameters=(vanish,))
    assignment = assigned(replace(config(), randomisation=rule), first_ranges(rule), 0, 1)
    m = len(assignment.end_m2)
    second = assignment.there_net[-2 * m : -m, 0]
    assert second.sum(axis=1).max() < 10


def test_the_penalty_grows_to_its_whole():
    some = replace(config(), frames=10 * 800, first_penalty=0.2, penalty_ramp=0.5)
    shares = [some.penalty_share(rollout) for rollout in range(10)]
    assert shares == pytest.approx([0.2, 0.36, 0.52, 0.68, 0.84, 1, 1, 1, 1, 1])
    assert assigned(some, first_ranges(RULE), 1, 1).tasks.penalty == pytest.approx(np.full(40, 0.36))
    assert {config().penalty_share(rollout) for rollout in range(10)} == {1.0}


def test_what_was_measured():
    assignment = assigned(config(), first_ranges(RULE), 0, 1)
    score_na = np.zeros((40, 2))
    score_na[-9:, 0] = [8, 8, 8, 6, 6, 6, 1, 1, 1]
    score_na[-9:, 1] = [10, 10, 10, 5, 5, 5, 0, 0, 0]
    found = measurements(assignment, score_na)
    assert [one[2:] for one in found] == [(6.0, 10.0)] * 3
    assert [one[:2] for one in found] == [tuple(row) for row in assignment.end_m2.tolist()]
    assert measurements(assigned(open_field(), first_ranges(Randomisation()), 0, 1), score_na) == []


def test_names_of_agents():
    whole = rough_ground()
    assert whole.name == "MEDAL-ADR"
    assert whole.without("ADR").name == "MEDAL"
    assert whole.without("M", "ADR").name == "-EDAL"
    assert whole.without("ED").name == "M--AL-ADR"
    assert whole.without("AL", "ADR").name == "MED--"
    assert replace(whole, randomisation=replace(whole.randomisation, kind="uniform")).name == "MEDAL-DR"
    with pytest.raises(BadInput, match="there is no 'X' to leave out; there are M, ED, AL, ADR"):
        whole.without("X")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Parameter(name="colour", start=(0, 1), limits=(0, 1), step=1), "'colour' cannot be randomised"),
        (lambda: Parameter(name="size", start=(10, 11), limits=(12, 16), step=1), "must be a range within its limits"),
        (lambda: Parameter(name="size", start=(13, 13), limits=(12, 16), step=0), "step of size is 0"),
        (lambda: Randomisation(kind="often"), "the randomisation is 'often'; it must be none, uniform, adaptive"),
        (lambda: Randomisation(kind="adaptive"), "no parameters are given"),
        (lambda: replace(RULE, parameters=(SIZE, SIZE)), "randomised twice"),
        (lambda: replace(RULE, lower=0.9), "the lower must come first"),
        (lambda: replace(RULE, buffer=0), "buffer is 0"),
        (lambda: replace(config(), worlds=8, randomisation=replace(RULE, share=0.1)), "raise share or worlds"),
        (lambda: TrainingConfig(worlds=10, shards=3), "do not part into 3 equal shards"),
        (lambda: TrainingConfig(frames=0), "frames is 0; it must be at least 1"),
        (lambda: TrainingConfig(attention=-1.0), "attention is -1.0"),
        (lambda: TrainingConfig(world=replace(laptop_world(), avatars=1)), "a learner and an expert are 2"),
        (lambda: TrainingConfig(tasks=TaskRanges(goals=(4, 6))), "6 goals do not fit a world of 13 m"),
        (
            lambda: replace(rough_ground(), world=replace(rough_ground().world, most_obstacles=0)),
            "pillars is randomised and most_obstacles is 0: raise it",
        ),
    ],
)
def test_what_cannot_be(wrong, message):
    with pytest.raises(BadInput, match=message):
        wrong()
