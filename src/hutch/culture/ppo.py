"""Proximal policy optimisation: advantages and the loss, as pure functions (Schulman et al. 2017, arXiv:1707.06347).

Legend: t steps, n episodes, b other avatars, x metres forward, left and up.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from hutch.culture.actions import entropy_of, log_prob_of
from hutch.culture.agent import Outputs
from hutch.runs.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class PPOConfig:
    """Numbers of the algorithm (ours; the paper trains with MPO)."""

    discount: float = 0.95
    trace: float = 0.95
    """λ of the advantages (Schulman et al. 2016, arXiv:1506.02438)."""
    clip: float = 0.2
    """Ratios of probabilities beyond 1 ± clip earn nothing."""
    entropy: float = 0.005
    """Weight of the entropy."""
    value: float = 0.5
    """Weight of the value's squared error."""
    epochs: int = 3
    """Passes over each batch of episodes."""
    minibatches: int = 3
    """Parts of a batch, whole episodes each, with one step of Adam each."""
    rate: float = 1.5e-3
    """Learning rate at the start."""
    last_rate: float = 0.1
    """Share of it that is left at the end; it falls linearly."""
    largest_gradient: float = 0.5
    """Norm at which gradients are cut."""

    def __post_init__(self) -> None:
        for name in ("discount", "trace", "last_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(f"{name} is {getattr(self, name)}; it must lie between 0 and 1")
        for name in ("clip", "rate", "largest_gradient"):
            if not getattr(self, name) > 0:
                raise BadInput(f"{name} is {getattr(self, name)}; it must be above 0")
        for name in ("entropy", "value"):
            if not getattr(self, name) >= 0:
                raise BadInput(f"the weight of {name} is {getattr(self, name)}; it must be at least 0")
        for name in ("epochs", "minibatches"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is {getattr(self, name)}; it must be at least 1")


def advantages(
    reward_tn: Tensor, value_tn: Tensor, end_tn: Tensor, last_value_n: Tensor, discount: float, trace: float
) -> Tensor:
    """Generalised advantage estimates [t, n] (Schulman et al. 2016, equation 16).

    A_t = δ_t + γλ(1 − end_t) A_{t+1} with δ_t = r_t + γ(1 − end_t) V_{t+1} − V_t. `end_tn` is True where an episode
    truly ended with the reward of step t; `last_value_n` is the value after the last step. An episode that only ran
    out of time did not end: what would have followed is worth that value (Pardo et al. 2018, arXiv:1712.00378).
    """
    goes_on_tn = 1.0 - end_tn.float()
    result_tn = torch.empty_like(reward_tn)
    following_n, value_n = torch.zeros_like(last_value_n), last_value_n
    for t in reversed(range(len(reward_tn))):
        surprise_n = reward_tn[t] + discount * goes_on_tn[t] * value_n - value_tn[t]
        following_n = surprise_n + discount * trace * goes_on_tn[t] * following_n
        result_tn[t], value_n = following_n, value_tn[t]
    return result_tn


class Batch(NamedTuple):
    """Whole episodes to learn from."""

    observation_tnd: Tensor
    choice_tnv: Tensor
    log_prob_tn: Tensor
    """Of the choices when they were made."""
    advantage_tn: Tensor
    return_tn: Tensor
    others_tnbx: Tensor
    """Where the other avatars are, metres."""
    present_tnb: Tensor
    """1 where they are there, else 0."""

    def of(self, episodes: Tensor) -> "Batch":
        """Some of the episodes."""
        return Batch(*(part.index_select(1, episodes) for part in self))


class Loss(NamedTuple):
    """The loss and its parts, scalars; names as CleanRL logs them."""

    total: Tensor
    policy_loss: Tensor
    value_loss: Tensor
    entropy: Tensor
    attention_loss: Tensor
    old_approx_kl: Tensor
    approx_kl: Tensor
    clipfrac: Tensor


def ppo_loss(outputs: Outputs, batch: Batch, config: PPOConfig, attention: float, reach: float) -> Loss:
    """Clipped policy loss + value loss − entropy + attention loss.

    Policy: −mean min(r A, clip(r, 1 ± ε) A), r the ratio of the choices' probabilities now and then. Value: half the
    mean squared error. `attention`: weight of `attention_loss`; `reach`: metres that the agent's guesses are shares of.
    """
    log_ratio_tn = log_prob_of(outputs.log_prob_tnvk, batch.choice_tnv) - batch.log_prob_tn
    ratio_tn = log_ratio_tn.exp()
    clipped_tn = ratio_tn.clamp(1 - config.clip, 1 + config.clip)
    policy = -torch.minimum(ratio_tn * batch.advantage_tn, clipped_tn * batch.advantage_tn).mean()
    value = 0.5 * (outputs.value_tn - batch.return_tn).square().mean()
    entropy = entropy_of(outputs.log_prob_tnvk).mean()
    guess = attention_loss(outputs.others_tnbx, batch.others_tnbx / reach, batch.present_tnb)
    total = policy + config.value * value - config.entropy * entropy + attention * guess
    with torch.no_grad():
        old_kl, kl = (-log_ratio_tn).mean(), (ratio_tn - 1 - log_ratio_tn).mean()
        cut = ((ratio_tn - 1).abs() > config.clip).float().mean()
    return Loss(total, policy, value, entropy, guess, old_kl, kl, cut)


def attention_loss(guess_tnbx: Tensor, others_tnbx: Tensor, present_tnb: Tensor) -> Tensor:
    """Mean absolute error of where the other avatars are guessed to be, over steps and avatars that are there; 0 where
    none is (Bhoopchand et al. 2023, The role of memory, expert demonstrations and attention loss; L1 not verified)."""
    error_tnb = (guess_tnbx - others_tnbx).abs().mean(-1)
    return (error_tnb * present_tnb).sum() / present_tnb.sum().clamp(min=1)
