"""Advantages and losses against slow and hand-made ones."""

import math

import pytest
import torch

from hutch.culture.agent import Outputs
from hutch.culture.ppo import Batch, PPOConfig, advantages, attention_loss, ppo_loss
from hutch.runs import BadInput


def slow_advantages(reward, value, end, last, discount, trace):
    """The sum of discounted surprises up to the end of the episode, as equation 16 is written."""
    steps, count = reward.shape
    result = torch.zeros_like(reward)
    for n in range(count):
        for t in range(steps):
            weight = 1.0
            for s in range(t, steps):
                following = value[s + 1, n] if s + 1 < steps else last[n]
                following = 0.0 if end[s, n] else following
                result[t, n] += weight * (reward[s, n] + discount * following - value[s, n])
                weight *= discount * trace
                if end[s, n]:
                    break
    return result


def test_advantages_with_episodes_that_end_inside():
    generator = torch.Generator().manual_seed(0)
    reward, value = torch.randn(2, 8, 3, generator=generator)
    end = torch.zeros(8, 3, dtype=torch.bool)
    end[2, 0] = end[7, 1] = end[0, 2] = end[4, 2] = True
    last = torch.randn(3, generator=generator)
    found = advantages(reward, value, end, last, 0.9, 0.8)
    assert torch.allclose(found, slow_advantages(reward, value, end, last, 0.9, 0.8), atol=1e-5)


def test_advantages_by_hand():
    reward, value = torch.tensor([[1.0], [0.0]]), torch.tensor([[0.5], [2.0]])
    never = torch.zeros(2, 1, dtype=torch.bool)
    # δ₁ = 0 + ½·4 − 2 = 0, δ₀ = 1 + ½·2 − ½ = 1.5
    found = advantages(reward, value, never, torch.tensor([4.0]), 0.5, 1.0)
    assert found.tolist() == [[1.5], [0.0]]
    # The episode ends with the last reward: δ₁ = −2, A₀ = 1.5 + ½·(−2)
    ended = torch.tensor([[False], [True]])
    assert advantages(reward, value, ended, torch.tensor([4.0]), 0.5, 1.0).tolist() == [[0.5], [-2.0]]


def hand_made():
    """One step of two episodes; two actions, of which the second has a single choice."""
    now = torch.tensor([[[0.5, 0.5], [1.0, 0.0]], [[0.8, 0.2], [1.0, 0.0]]])
    log_prob = torch.where(now > 0, now.clamp(min=1e-30).log(), torch.tensor(-1e4))[None]
    outputs = Outputs(log_prob, torch.tensor([[1.0, 3.0]]), torch.zeros(1, 2, 1, 3), torch.zeros(1, 2, 4))
    batch = Batch(
        observation_tnd=torch.zeros(1, 2, 1),
        choice_tnv=torch.tensor([[[1, 0], [0, 0]]]),
        log_prob_tn=torch.tensor([[math.log(0.25), math.log(0.8)]]),
        advantage_tn=torch.tensor([[2.0, -1.0]]),
        return_tn=torch.tensor([[2.0, 1.0]]),
        others_tnbx=torch.tensor([[[[2.0, 4.0, 0.0]], [[9.0, 9.0, 9.0]]]]),
        present_tnb=torch.tensor([[[1.0], [0.0]]]),
    )
    return outputs, batch


def test_the_loss_by_hand():
    config = PPOConfig(clip=0.2, entropy=0.1, value=0.5)
    loss = ppo_loss(*hand_made(), config, attention=3.0, reach=2.0)
    # Ratios 2 and 1: the first is cut to 1.2. −(1.2·2 + 1·(−1)) / 2
    assert loss.policy_loss.item() == pytest.approx(-0.7)
    assert loss.value_loss.item() == pytest.approx(0.5 * (1 + 4) / 2)
    entropy = (math.log(2) - 0.8 * math.log(0.8) - 0.2 * math.log(0.2)) / 2
    assert loss.entropy.item() == pytest.approx(entropy)
    # Only the avatar that is there: (1 + 2 + 0) / 3
    assert loss.attention_loss.item() == pytest.approx(1.0)
    assert loss.total.item() == pytest.approx(-0.7 + 0.5 * 1.25 - 0.1 * entropy + 3.0)
    assert loss.clipfrac.item() == 0.5
    assert loss.old_approx_kl.item() == pytest.approx(-math.log(2) / 2)
    assert loss.approx_kl.item() == pytest.approx((2 - 1 - math.log(2)) / 2)


def test_a_bad_choice_that_became_likelier_is_not_spared():
    outputs, batch = hand_made()
    batch = batch._replace(advantage_tn=-batch.advantage_tn)
    # Ratio 2 with advantage −2 is not cut: −(−4 + 1) / 2
    assert ppo_loss(outputs, batch, PPOConfig(), 0.0, 1.0).policy_loss.item() == pytest.approx(1.5)


def test_nobody_there_nothing_to_guess():
    assert attention_loss(torch.ones(2, 3, 1, 3), torch.zeros(2, 3, 1, 3), torch.zeros(2, 3, 1)).item() == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"discount": 1.5}, "discount is 1.5; it must lie between 0 and 1"),
        ({"clip": 0.0}, "clip is 0.0; it must be above 0"),
        ({"entropy": -1.0}, "weight of entropy is -1.0"),
        ({"rate": float("nan")}, "rate is nan"),
        ({"epochs": 0}, "epochs is 0; it must be at least 1"),
    ],
)
def test_bad_numbers(wrong, message):
    with pytest.raises(BadInput, match=message):
        PPOConfig(**wrong)
