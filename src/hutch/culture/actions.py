"""A policy over wishes: for each action an independent choice among a few (`AgentConfig.wishes`).

Legend: ... any shape, v actions, k choices (padded to the most of any action).
"""

import torch
from torch import Tensor

NEVER = -1e4
"""Logit of a choice that is none: its probability is 0 in float32 and its gradient, too."""


def wish_table(wishes: tuple[tuple[float, ...], ...]) -> tuple[Tensor, Tensor]:
    """The wishes, float32 [v, k], 0 where there is no k-th; and what is added to logits, 0 or `NEVER`."""
    most = max(len(of_one) for of_one in wishes)
    table_vk = torch.tensor([[*of_one, *[0.0] * (most - len(of_one))] for of_one in wishes])
    mask_vk = torch.tensor([[0.0] * len(of_one) + [NEVER] * (most - len(of_one)) for of_one in wishes])
    return table_vk, mask_vk


def chosen(log_prob_vk: Tensor, chance_v: Tensor) -> Tensor:
    """The choices, int64 [..., v], that uniform numbers [..., v] in [0, 1) draw: the inverse of the distribution."""
    reached = log_prob_vk.exp().cumsum(-1)
    # Rounding may leave the last sum below 1: what is drawn beyond it is the most probable choice, never a padded one.
    found = (reached <= chance_v.unsqueeze(-1)).sum(-1)
    return torch.where(found < log_prob_vk.shape[-1], found, log_prob_vk.argmax(-1))


def log_prob_of(log_prob_vk: Tensor, choice_v: Tensor) -> Tensor:
    """Log probability of all choices together, [...]."""
    return log_prob_vk.gather(-1, choice_v.unsqueeze(-1)).squeeze(-1).sum(-1)


def entropy_of(log_prob_vk: Tensor) -> Tensor:
    """Entropy of all choices together, nats, [...]."""
    return -(log_prob_vk.exp() * log_prob_vk).sum((-1, -2))
