"""Everything that a run's weights depend on."""

from dataclasses import dataclass
from typing import Literal, get_args

from hutch.lm.model import ModelConfig
from hutch.lm.schedules import Schedule
from hutch.runs.errors import BadInput

Precision = Literal["float32", "bfloat16"]
Algorithm = Literal["adamw", "muon"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything that a run's weights depend on; its hash is the run's name. (A run that diverged keeps its name and
    is tried again at another rate, which its result records.)"""

    model: ModelConfig
    """The shape."""
    tokens: int
    """Training tokens, repeats included; rounded to whole steps."""
    sequences: int
    """Sequences of the model's context in a batch, over all processes."""
    peak_rate: float
    """Learning rate of the matrices of a model of the base width (`hutch.lm.optimizer`)."""
    embedding_rate: float
    """Learning rate of the embedding as a multiple of `peak_rate`; the same for all widths."""
    schedule: Schedule = "cosine"
    """How the rate falls."""
    warmup: float = 0.05
    """Share of the steps with a rising rate."""
    cooldown: float = 0.2
    """Share of the steps with a falling rate, under "wsd"."""
    algorithm: Algorithm = "adamw"
    """"adamw", or "muon" on the matrices and AdamW on the rest (`hutch.lm.optimizer`)."""
    weight_decay: float = 0.1
    """AdamW's, on matrices."""
    betas: tuple[float, float] = (0.9, 0.95)
    """AdamW's."""
    clip: float = 1.0
    """Largest global gradient norm (Gopher's, Rae et al. 2021)."""
    precision: Precision = "float32"
    """"float32", or "bfloat16" for activations and products in bfloat16 with float32 weights, moments, norms, softmax
    and losses (Gopher's and Chinchilla's recipe, Rae et al. 2021, App. C, Hoffmann et al. 2022, §4.1)."""
    micro_sequences: int | None = None
    """Sequences in one forward pass of one process; None for all of its batch. Fewer need less memory."""
    recompute: bool = False
    """Recompute each block's activations in the backward pass: a third more FLOPs, memory of one block."""
    compiled: bool = False
    """Through torch.compile, whose sums are rounded otherwise."""
    seed: int = 0
    """Initial weights and order of the data. A family shares it: the same tokens in the same order."""
    corpus: str = ""
    """Digest of the token shards."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise BadInput(f"{self.tokens} tokens are less than one batch of {self.batch_tokens}")
        for name, kind in (("precision", Precision), ("schedule", Schedule), ("algorithm", Algorithm)):
            value = getattr(self, name)
            if value not in get_args(kind):
                raise BadInput(f"{name} must be one of {', '.join(get_args(kind))}, not {value!r}")
        for name in ("warmup", "cooldown"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(f"{name} is {getattr(self, name)}; a share from 0 to 1 is needed")
        if self.micro_sequences is not None and self.micro_sequences < 1:
            raise BadInput(f"micro_sequences is {self.micro_sequences}; at least 1 is needed")

    @property
    def batch_tokens(self) -> int:
        """Tokens in one step."""
        return self.sequences * self.model.context

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return round(self.tokens / self.batch_tokens)

    @property
    def warmup_steps(self) -> int:
        """Steps with a rising rate, at least 1."""
        return max(1, round(self.warmup * self.steps))

    @property
    def cooldown_steps(self) -> int:
        """Steps with a falling rate under "wsd", at least 1."""
        return max(1, round(self.cooldown * self.steps))
