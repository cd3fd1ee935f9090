"""The agent: an encoder, a memory, and three heads on it.

Legend: t steps, n episodes, d numbers of an observation, h belief, v actions, k choices, b other avatars, x metres
forward, left and up.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from hutch.culture.actions import chosen, log_prob_of, wish_table
from hutch.culture.agent_config import AgentConfig
from hutch.culture.memory import LSTM, Belief, Present, no_belief
from hutch.culture.observation_layout import observation_layout
from hutch.culture.world_config import WorldConfig
from hutch.runs.seeds import seed_of

NEAR = 5.0
"""Metres that the avatar sensor is brought to 1 at: shares of `ray_range` are small beside flags, and learned late
(ours)."""
RELUCTANCE = 3.0
"""How far below the others the logits of jumping and crouching begin: an agent that hops learns to walk late (ours)."""


class Outputs(NamedTuple):
    """What the heads say at each step."""

    log_prob_tnvk: Tensor
    """Of each choice."""
    value_tn: Tensor
    """Expected discounted return."""
    others_tnbx: Tensor
    """Where the other avatars are, as shares of `ray_range` (attention loss)."""
    belief_tnh: Tensor


class Agent(nn.Module):
    """Sees an observation a step and chooses a wish for each action.

    Policy and value read the encoder beside the belief: following is a reflex, and learned late through gates. The
    attention loss's guess reads the belief alone, for that is what it is to shape.
    """

    def __init__(self, config: AgentConfig, world: WorldConfig, seed: int = 0) -> None:
        """Fresh weights that follow from `seed`."""
        super().__init__()
        self.config, self.world = config, world
        self.others = world.avatars - 1
        self.table_vk, self.mask_vk = wish_table(config.wishes)
        layout = observation_layout(world)
        self.gain_d = torch.ones(layout.width)
        self.gain_d[layout.blocks["avatars"]] = world.ray_range / NEAR
        self.encoder = nn.Linear(layout.width, config.encoder)
        self.memory = (LSTM if config.memory else Present)(config.encoder, config.belief)
        self.heads = nn.Linear(config.encoder + config.belief, self.table_vk.numel() + 1)
        self.guess = nn.Linear(config.belief, 3 * self.others)
        self._draw(torch.Generator().manual_seed(seed_of(seed, "agent")))

    def _draw(self, generator: torch.Generator) -> None:
        """Orthogonal, the policy's near 0 (Andrychowicz et al. 2020, arXiv:2006.05990, section 3.2)."""
        choices = self.table_vk.numel()
        nn.init.orthogonal_(self.encoder.weight, 2**0.5, generator=generator)
        nn.init.zeros_(self.encoder.bias)
        self.memory.draw(generator)
        nn.init.orthogonal_(self.heads.weight, generator=generator)
        nn.init.zeros_(self.heads.bias)
        nn.init.orthogonal_(self.guess.weight, generator=generator)
        nn.init.zeros_(self.guess.bias)
        with torch.no_grad():
            self.heads.weight[:choices] *= 0.01
            reluctant_vk = self.heads.bias[:choices].view_as(self.table_vk)
            reluctant_vk[3:] = -RELUCTANCE * (self.table_vk[3:] > 0).float()
            # Ahead and nearly straight: who turns on the spot meets nothing to learn from.
            reluctant_vk[:3] = torch.tensor([1.0, -1.0, -RELUCTANCE])[:, None] * self.table_vk[:3].abs()

    def blank(self, episodes: int) -> Belief:
        """What it knows before the first step."""
        return no_belief(episodes, self.config.belief)

    def forward(
        self, observation_tnd: Tensor, before: Belief, starts_tn: Tensor | None = None
    ) -> tuple[Outputs, Belief]:
        """What it says at each step of sequences, and what it knows after the last. Where `starts_tn` is True an
        episode starts."""
        weight_ed = self.encoder.weight * self.gain_d
        encoded_tne = torch.relu(nn.functional.linear(observation_tnd, weight_ed, self.encoder.bias))
        belief_tnh, after = self.memory(encoded_tne, before, starts_tn)
        v, k = self.table_vk.shape
        logits, value = self.heads(torch.cat([encoded_tne, belief_tnh], -1)).split([v * k, 1], -1)
        steps, episodes = observation_tnd.shape[:2]
        log_prob_tnvk = (logits.view(steps, episodes, v, k) + self.mask_vk).log_softmax(-1)
        others_tnbx = self.guess(belief_tnh).view(steps, episodes, self.others, 3)
        return Outputs(log_prob_tnvk, value.squeeze(-1), others_tnbx, belief_tnh), after

    def act(
        self, observation_nd: Tensor, before: Belief, chance_nv: Tensor | None = None, starts_n: Tensor | None = None
    ) -> "Act":
        """One step, without gradients. `chance_nv`: uniform numbers in [0, 1) that draw the choices; None: the most
        probable ones."""
        with torch.no_grad():
            starts = None if starts_n is None else starts_n[None]
            outputs, after = self(observation_nd[None], before, starts)
            log_prob_nvk = outputs.log_prob_tnvk[0]
            choice_nv = log_prob_nvk.argmax(-1) if chance_nv is None else chosen(log_prob_nvk, chance_nv)
            wish_nv = self.table_vk.expand_as(log_prob_nvk).gather(-1, choice_nv[..., None])[..., 0]
            return Act(choice_nv, wish_nv, log_prob_of(log_prob_nvk, choice_nv), outputs.value_tn[0], after, outputs)


class Act(NamedTuple):
    """What an agent did in a step."""

    choice_nv: Tensor
    wish_nv: Tensor
    log_prob_n: Tensor
    value_n: Tensor
    belief: Belief
    """Give it to the next step."""
    outputs: Outputs
