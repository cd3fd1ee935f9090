"""Choices among wishes."""

import pytest
import torch
from torch.distributions import Categorical

from hutch.culture.actions import chosen, entropy_of, log_prob_of, wish_table
from hutch.culture.agent_config import AgentConfig, flat_agent
from hutch.runs import BadInput


def policy():
    _, mask_vk = wish_table(((0.0, 1.0), (-1.0, 0.0, 1.0), (0.5,)))
    logits = torch.randn(4, 3, 3, generator=torch.Generator().manual_seed(0))
    return (logits + mask_vk).log_softmax(-1), [logits[:, 0, :2], logits[:, 1], logits[:, 2, :1]]


def test_they_are_independent_categoricals():
    log_prob_nvk, parts = policy()
    choice_nv = torch.tensor([[0, 2, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]])
    alone = [Categorical(logits=part) for part in parts]
    expected = sum(one.log_prob(choice_nv[:, v]) for v, one in enumerate(alone))
    assert torch.allclose(log_prob_of(log_prob_nvk, choice_nv), expected, atol=1e-6)
    assert torch.allclose(entropy_of(log_prob_nvk), sum(one.entropy() for one in alone), atol=1e-5)


def test_chances_draw_them_as_often_as_they_are_probable():
    log_prob_nvk, _ = policy()
    chance = (torch.arange(2000) + 0.5) / 2000
    found = chosen(log_prob_nvk[:1].expand(2000, -1, -1), chance[:, None].expand(-1, 3))
    for v in range(3):
        often = torch.bincount(found[:, v], minlength=3) / 2000
        assert torch.allclose(often, log_prob_nvk[0, v].exp(), atol=2e-3)
    assert not found[:, 2].any()


def test_the_largest_chance_draws_no_padded_choice():
    log_prob_nvk, _ = policy()
    most = torch.full((4, 3), 1 - 2**-24)
    found = chosen(log_prob_nvk, most)
    assert (found[:, 0] < 2).all()
    assert (found[:, 2] == 0).all()


def test_wishes_are_read_from_the_table():
    table_vk, _ = wish_table(flat_agent().wishes)
    assert table_vk.shape == (5, 7)
    assert table_vk[3:, 0].tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"belief": 0}, "belief is 0; it must be a whole number from 1"),
        ({"wishes": ((1.0,),)}, "wishes are given for 1 actions; there are 5"),
        ({"wishes": ((1.0,), (2.0,), (0.0,), (0.0,), (0.0,))}, r"the wishes for left are \(2.0,\)"),
    ],
)
def test_bad_agents(wrong, message):
    with pytest.raises(BadInput, match=message):
        AgentConfig(**wrong)
