"""What an agent is made of, in one frozen configuration."""

from dataclasses import dataclass

from hutch.culture.world_config import ACTIONS
from hutch.runs.errors import BadInput

STEERING = ((0.0, 0.5, 1.0), (0.0,), (-1.0, -0.4, -0.15, 0.0, 0.15, 0.4, 1.0), (-1.0, 1.0), (-1.0, 1.0))
"""Wishes to choose from for each of `ACTIONS`. None sideways: who can turn needs no such wish, and every choice more is
noise in what the others learn from."""


@dataclass(frozen=True, kw_only=True)
class AgentConfig:
    """Encoder → memory ("belief") → policy, value and the attention loss's guess (Bhoopchand et al. 2023, Methods:
    agent; sizes ours)."""

    encoder: int = 128
    """Width of the encoder: one layer over LIDAR, avatar rays, the avatar sensor, own motion, the previous action and
    reward."""
    belief: int = 128
    """Width of the memory."""
    memory: bool = True
    """M: an LSTM (Hochreiter and Schmidhuber 1997); off, a layer of the same width that knows the present alone."""
    wishes: tuple[tuple[float, ...], ...] = STEERING
    """What the policy chooses from, for each of `ACTIONS`, independently: bins learn faster on policy than a Gaussian
    (Tang and Agrawal 2020, arXiv:1901.10500). A single wish takes an action from the policy."""

    def __post_init__(self) -> None:
        for name in ("encoder", "belief"):
            if not 1 <= getattr(self, name) <= 8192:
                raise BadInput(f"{name} is {getattr(self, name)}; it must be a whole number from 1 to 8192")
        if len(self.wishes) != len(ACTIONS):
            raise BadInput(f"wishes are given for {len(self.wishes)} actions; there are {len(ACTIONS)}")
        for action, wishes in zip(ACTIONS, self.wishes, strict=True):
            if not wishes or not all(-1 <= wish <= 1 for wish in wishes):
                raise BadInput(f"the wishes for {action} are {wishes}; they must be numbers from −1 to 1, at least one")


def flat_agent() -> AgentConfig:
    """For worlds without hurdles and bars: it neither jumps nor crouches."""
    return AgentConfig(wishes=((0.0, 1.0), *STEERING[1:3], (-1.0,), (-1.0,)))
