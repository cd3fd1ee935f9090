"""The metric of cultural transmission on tables made by hand, and the measurement that feeds it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hutch.culture import TaskRanges, laptop_world
from hutch.culture.agent import Act, Agent
from hutch.culture.agent_config import AgentConfig, flat_agent
from hutch.culture.phases import phase_of, phases
from hutch.culture.probes import grid, probed, probes
from hutch.culture.training_config import TrainingConfig
from hutch.culture.transmission import Scores, figures, measured, measures, plain_figures, transmission
from hutch.runs import BadInput

SHORT = replace(laptop_world(), steps=30)


@pytest.mark.parametrize(
    ("full", "half", "solo", "expected"),
    [
        (10, 10, 0, 1.0),  # follows, remembers
        (10, 5, 0, 0.75),  # follows, forgets at once
        (3, 3, 3, 0.0),  # ignores the expert
        (10, 10, 10, 0.0),  # needs no expert
        (8, 6, 2, 0.5),
        (0, 0, 4, -0.4),
    ],
)
def test_transmission_by_hand(full, half, solo, expected):
    assert transmission(full, half, solo, 10) == pytest.approx(expected)


def test_an_expert_that_earns_nothing_is_no_measure():
    with pytest.raises(BadInput, match="the expert's score is 0; transmission is measured against one above 0"):
        transmission(1, 1, 1, 0)


def table():
    return Scores(
        agent_cn=np.array([[10.0, 8.0], [7.0, 5.0], [1.0, 1.0]]),
        late_cn=np.array([[5.0, 4.0], [2.0, 1.0], [0.0, 0.9]]),
        expert_n=np.array([10.0, 10.0]),
    )


def test_measures_by_hand():
    found = measures(table())
    assert found == pytest.approx(
        {
            "ct": 0.65,
            "full": 0.9,
            "half": 0.6,
            "solo": 0.1,
            "follow": 0.8,
            "recall": 1.5 / 4.5,
            "late_solo": 0.1,
            "expert": 10.0,
            "score_full": 9.0,
            "score_half": 6.0,
            "score_solo": 1.0,
        }
    )


def test_intervals_hold_the_value_and_shrink_with_worlds():
    random = np.random.default_rng(0)

    def of(count):
        return Scores(
            random.normal([[9], [6], [1]], 1, (3, count)),
            random.normal([[5], [2], [0]], 1, (3, count)),
            np.full(count, 10),
        )

    few, many = figures(of(20), 0)["ct"], figures(of(2000), 0)["ct"]
    assert few.low < few.value < few.high
    assert 0 < many.high - many.low < (few.high - few.low) / 3
    assert many.low < 0.65 < many.high
    assert figures(table(), 1) == figures(table(), 1)


def test_shares_of_nothing_have_no_value():
    nothing = Scores(np.zeros((3, 4)), np.zeros((3, 4)), np.full(4, -3.0))
    found = plain_figures(figures(nothing, 0))
    assert found["ct"] == {"value": None, "low": None, "high": None}
    assert found["expert"]["value"] == -3.0


class Follower(Agent):
    """Walks to where the expert is; stands where none is."""

    def act(self, observation_nd, before, chance_nv=None, starts_n=None):
        start = slice(*self.blocks["avatars"].indices(10**6)[:2])
        seen, forward, left, _ = observation_nd[:, start].T
        wish_nv = torch.zeros(len(observation_nd), 5)
        angle = torch.atan2(left, forward)
        wish_nv[:, 0] = seen * (angle.abs() < 1)
        wish_nv[:, 2] = seen * (angle / 1.12).clamp(-1, 1)
        wish_nv[:, 3:] = -1
        none = torch.zeros(len(observation_nd))
        return Act(wish_nv.long(), wish_nv, none, none, before, None)


def follower():
    from hutch.culture import observation_layout

    agent = Follower(AgentConfig(encoder=4, belief=4), laptop_world())
    agent.blocks = observation_layout(laptop_world()).blocks
    return agent


def test_a_scripted_follower_transmits_and_forgets():
    found = measures(measured(follower(), TaskRanges(), 40, 1))
    assert 0.5 < found["ct"] < 0.8
    assert found["full"] > 0.75
    assert found["solo"] == 0
    assert found["recall"] < 0.1


def test_who_follows_the_anti_expert_loses():
    agent, config = follower(), TrainingConfig()
    anti = next(probe for probe in probes(config) if probe.name == "anti-expert")
    _, found = probed(agent, anti, 20, 0)
    assert found["expert"].value < 0
    assert found["score_full"].value < 0
    assert np.isnan(found["ct"].value)


def test_conditions_are_the_same_worlds_and_no_thread_matters():
    agent = Agent(AgentConfig(encoder=8, belief=8), SHORT)
    one, two = (measured(agent, TaskRanges(), 12, "x", threads=threads) for threads in (1, 2))
    assert (one.agent_cn == two.agent_cn).all()
    other = measured(agent, TaskRanges(), 12, "y")
    assert (one.expert_n != other.expert_n).any()
    whole = measured(agent, TaskRanges(), 12, "x", greedy=True)
    assert (whole.agent_cn != one.agent_cn).any()


def test_probes_are_around_the_training():
    config = TrainingConfig(world=SHORT, agent=flat_agent())
    names = [probe.name for probe in probes(config)]
    assert names == ["own tasks, new worlds", "3 goals", "5 goals", "human-like expert", "anti-expert"]
    six = probes(replace(config, tasks=TaskRanges(goals=(5, 5), size=(14, 14))))[2]
    assert six.name == "6 goals"
    assert six.tasks.goals == (6, 6)
    crowded = probes(replace(config, tasks=TaskRanges(goals=(5, 5))))[2]
    assert crowded.tasks.size[0] > 13
    fields = grid(config, (13, 16), (0.0, 0.5), (0.0, 1.0))
    assert len(fields) == 8
    assert fields[-1].tasks.size == (16, 16)
    assert fields[-1].tasks.pillars == (1, 1)
    _, found = probed(Agent(config.agent, SHORT), fields[0], 4, 0)
    assert found["expert"].value > 0


@pytest.mark.parametrize(
    ("follow", "recall", "late_solo", "solo", "phase"),
    [
        (0.0, 0.0, 0.0, 0.1, "random"),
        (0.8, 0.1, 0.0, 0.0, "following"),
        (0.8, 0.6, 0.1, 0.1, "remembering"),
        (0.8, 0.6, 0.5, 0.1, "following"),
        (0.1, 0.9, 0.9, 0.9, "alone"),
    ],
)
def test_phases_by_hand(follow, recall, late_solo, solo, phase):
    assert phase_of(follow, recall, late_solo, solo) == phase


def test_phases_of_a_curve():
    def row(step, follow, recall=0.0, solo=0.0):
        values = {"ct": follow, "follow": follow, "recall": recall, "late_solo": solo, "solo": solo}
        return {"global_step": step, **{f"transmission/{name}": value for name, value in values.items()}}

    rows = [
        {"global_step": 0},
        row(1, 0.0),
        row(2, 0.4),
        row(3, 0.1),
        row(4, 0.5),
        row(5, 0.8),
        row(6, 0.8, 0.6),
        row(7, 0.8, None),
        row(8, 0.8, 0.7),
        row(9, 0.8, 0.7),
        row(10, 0.2, 0.9, 0.9),
        row(11, 0.1, 0.9, 0.9),
    ]
    assert phases(rows) == [(1, "random"), (4, "following"), (8, "remembering"), (10, "alone")]
    assert phases([]) == []
