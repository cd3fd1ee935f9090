"""What a plan is asked for."""

from dataclasses import dataclass
from typing import get_args

from hutch.runs.errors import BadInput
from hutch.scaling.columns import positive_number
from hutch.scaling.flops import Positions
from hutch.scaling.plans.memory import Precision
from hutch.scaling.plans.targets import TARGETS, Target, the_target


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What is asked: exactly one of the six targets, and what to plan with."""

    flops: float | None = None
    """Training FLOP in the law's own count, 6·N·D but for a fit of a table that counts otherwise."""
    gpu_hours: float | None = None
    """Hours of one device, all devices together."""
    dollars: float | None = None
    tokens: float | None = None
    """Tokens at hand: the budget at which they are the optimal number."""
    parameters: float | None = None
    """Size of the model: the budget at which it is optimal."""
    loss: float | None = None
    """Loss to reach, nats per token."""
    law: str | None = None
    """A key of `hutch.scaling.published.LAWS`, or a file written by `hutch fit --save`; `law_choice.DEFAULT_LAW`
    where None."""
    loss_law: str | None = None
    """A key of `loss_laws.KEYS` or the file of a parametric fit; None for the one that goes with the law."""
    device: str | None = None
    """A key of `hutch.scaling.devices.DEVICES`; an H100 where None."""
    devices: int | None = None
    mfu: tuple[float, float] | None = None
    """Share of the peak that is put to use, as the ends of a range; 0.4 where None."""
    price: float | None = None
    """Dollars for an hour of one device; the device's default where None."""
    precision: Precision = "mixed"
    vocabulary: int = 32_000
    context: int = 2048
    positions: Positions = "rotary"
    inference_tokens: float | None = None
    """Tokens to be served over the model's life."""
    unique_tokens: float | None = None
    """Unique tokens at hand, where they are limited."""

    def target(self) -> tuple[Target, float]:
        """The one target and its value; `BadInput` for none, several, or a number that makes no sense."""
        for name in ("inference_tokens", "unique_tokens"):
            if getattr(self, name) is not None:
                positive_number(name, getattr(self, name))
        for name in ("vocabulary", "context"):
            if positive_number(name, getattr(self, name)) != int(getattr(self, name)):
                raise BadInput(f"{name} is {getattr(self, name)}; a whole number from 1 is needed")
        if self.positions not in get_args(Positions):
            raise BadInput(f"positions is {self.positions!r}; one of {', '.join(get_args(Positions))} is needed")
        return the_target({name: getattr(self, name) for name in TARGETS})
