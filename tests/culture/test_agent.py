"""The agent as a whole, and its files."""

from dataclasses import replace

import pytest
import torch

from hutch.culture import complex_world, laptop_world, observation_layout
from hutch.culture.agent import Agent
from hutch.culture.agent_config import AgentConfig, flat_agent
from hutch.culture.agent_files import load_agent, save_agent
from hutch.culture.plain_configs import built, changed
from hutch.culture.training_config import TrainingConfig, rough_ground
from hutch.runs import BadInput, HutchError, digest, plain

SMALL = TrainingConfig(agent=AgentConfig(encoder=8, belief=6))


def seen(count=3, steps=4, world=None):
    width = observation_layout(world or laptop_world()).width
    return torch.rand(steps, count, width, generator=torch.Generator().manual_seed(0))


def test_steps_say_what_the_sequence_says():
    agent, observation_tnd = Agent(SMALL.agent, SMALL.world), seen()
    whole, _ = agent(observation_tnd, agent.blank(3))
    belief = agent.blank(3)
    for t in range(4):
        act = agent.act(observation_tnd[t], belief)
        belief = act.belief
        assert torch.allclose(act.value_n, whole.value_tn[t], atol=1e-5)
        assert torch.allclose(act.outputs.log_prob_tnvk[0], whole.log_prob_tnvk[t], atol=1e-5)


def test_an_episode_that_starts_knows_nothing_of_the_one_before():
    agent, observation_tnd = Agent(SMALL.agent, SMALL.world), seen()
    first = agent.act(observation_tnd[0], agent.blank(3))
    starts_n = torch.tensor([True, False, True])
    act = agent.act(observation_tnd[1], first.belief, starts_n=starts_n)
    fresh = agent.act(observation_tnd[1], agent.blank(3))
    same = (act.belief.output_nh == fresh.belief.output_nh).all(dim=1)
    assert same.tolist() == starts_n.tolist()


def test_wishes_are_those_that_were_chosen():
    agent = Agent(flat_agent(), laptop_world())
    act = agent.act(seen()[0], agent.blank(3), torch.rand(3, 5))
    for n in range(3):
        for v, wishes in enumerate(flat_agent().wishes):
            assert act.wish_nv[n, v] == pytest.approx(wishes[act.choice_nv[n, v]])


def test_equal_seeds_give_equal_agents():
    one, two, other = (Agent(SMALL.agent, SMALL.world, seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not torch.equal(one.encoder.weight, other.encoder.weight)


def test_it_hardly_jumps_at_first():
    agent = Agent(AgentConfig(), laptop_world())
    outputs, _ = agent(seen(), agent.blank(3))
    assert (outputs.log_prob_tnvk[..., 3:, 1].exp() < 0.06).all()


def test_an_agent_is_read_as_it_was_written(tmp_path):
    agent = Agent(SMALL.agent, SMALL.world, 3)
    save_agent(tmp_path / "agent.safetensors", agent, SMALL)
    for place in (tmp_path, tmp_path / "agent.safetensors"):
        again, config = load_agent(place, laptop_world())
        assert digest(config) == digest(SMALL)
        assert all(torch.equal(a, b) for a, b in zip(agent.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize(
    ("world", "block"),
    [
        (complex_world(), r"its lidar has the shape \(1, 16, 11\), that of these worlds \(3, 16, 11\)"),
        (replace(laptop_world(), avatars=3), r"its avatars has the shape \(1, 4\), that of these worlds \(2, 4\)"),
        (replace(laptop_world(), most_goals=5), "its lidar"),
    ],
)
def test_an_agent_of_another_observation_is_refused(tmp_path, world, block):
    save_agent(tmp_path / "agent.safetensors", Agent(SMALL.agent, SMALL.world), SMALL)
    with pytest.raises(BadInput, match=block):
        load_agent(tmp_path, world)


def test_what_is_no_agent_is_refused(tmp_path):
    with pytest.raises(HutchError, match="holds no agent: neither"):
        load_agent(tmp_path)
    with pytest.raises(HutchError, match="does not exist"):
        load_agent(tmp_path / "none.safetensors")
    whole = tmp_path / "agent.safetensors"
    save_agent(whole, Agent(SMALL.agent, SMALL.world), SMALL)
    (tmp_path / "torn.safetensors").write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(HutchError, match=r"torn\.safetensors is no agent of Hutch"):
        load_agent(tmp_path / "torn.safetensors")
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(HutchError, match=r"other\.safetensors is no agent of Hutch"):
        load_agent(tmp_path / "other.safetensors")


def test_a_configuration_comes_back_from_plain_values(tmp_path):
    config = rough_ground()
    assert built(TrainingConfig, plain(config)) == config
    (tmp_path / "changes.json").write_text('{"ppo": {"rate": 0.002}, "tasks": {"goals": [3, 3]}}')
    other = changed(config, tmp_path / "changes.json")
    assert (other.ppo.rate, other.tasks.goals, other.worlds) == (0.002, (3, 3), config.worlds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"colour": 1}', "a TrainingConfig has no 'colour'; it has world, tasks"),
        ('{"ppo": {"epochs": 2.5}}', "2.5 stands where a whole number must be"),
        ('{"ppo": 3}', "a PPOConfig is 3; it must be an object"),
        ('{"tasks": {"goals": [1, 2, 3]}}', r"\[1, 2, 3\] stands where a list of 2 must be"),
        ('{"tasks": {"goals": 4}}', "4 stands where a list of 2 must be"),
        ('{"expert_dropout": 1}', "1 stands where true or false must be"),
        ('{"worlds": true}', "True stands where a whole number must be"),
        ('{"ppo": {"rate": -1}}', "rate is -1; it must be above 0"),
        ("[]", "it must be an object of its fields"),
    ],
)
def test_changes_that_do_not_fit(tmp_path, text, message):
    (tmp_path / "changes.json").write_text(text)
    with pytest.raises(BadInput, match=message):
        changed(SMALL, tmp_path / "changes.json")
    with pytest.raises(BadInput, match="is no file"):
        changed(SMALL, tmp_path / "none.json")
