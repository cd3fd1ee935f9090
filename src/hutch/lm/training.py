"""Train one model: the loop, exact resume, and the end of a run that diverges."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from hutch.lm.checkpoints import checkpoint_owner, load_checkpoint, save_checkpoint, save_weights
from hutch.lm.model import ModelConfig, Transformer, build_model
from hutch.lm.optimizer import build_optimizer, set_rate
from hutch.lm.schedules import cosine
from hutch.runs.configuration import digest
from hutch.runs.errors import BadInput, HutchError
from hutch.runs.seeds import seed_of
from hutch.text import Batches

PROGRESS_SECONDS = 0.5


class Diverged(HutchError):
    """The loss is no longer a number, or has risen far above where it began."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything that a run's weights depend on; its hash is the run's name. (A run that diverged keeps its name and
    is tried again at another rate, which its result records.)"""

    model: ModelConfig
    """The shape."""
    tokens: int
    """Training tokens, repeats included; rounded to whole steps."""
    sequences: int
    """Sequences of the model's context in a batch."""
    peak_rate: float
    """Learning rate of the matrices of a model of the base width (`hutch.lm.optimizer`)."""
    embedding_rate: float
    """Learning rate of the embedding as a multiple of `peak_rate`; the same for all widths."""
    warmup: float = 0.05
    """Share of the steps with a rising rate."""
    weight_decay: float = 0.1
    """AdamW's, on matrices."""
    betas: tuple[float, float] = (0.9, 0.95)
    """AdamW's."""
    clip: float = 1.0
    """Largest global gradient norm (Gopher's, Rae et al. 2021)."""
    precision: str = "float32"
    """"float32", or "bfloat16" for products in bfloat16 with float32 weights, moments and losses."""
    seed: int = 0
    """Initial weights and order of the data. A family shares it: the same tokens in the same order."""
    corpus: str = ""
    """Digest of the token shards."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise BadInput(f"{self.tokens} tokens are less than one batch of {self.batch_tokens}")
        if self.precision not in ("float32", "bfloat16"):
            raise BadInput(f'precision must be "float32" or "bfloat16", not "{self.precision}"')

    @property
    def batch_tokens(self) -> int:
        """Tokens in one step."""
        return self.sequences * self.model.context

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return round(self.tokens / self.batch_tokens)


@dataclass(frozen=True)
class Progress:
    """Where a run stands: given to `on_progress` twice a second."""

    step: int
    steps: int
    loss: float
    tokens_per_second: float


@dataclass(frozen=True)
class TrainResult:
    """What a finished run leaves."""

    losses: np.ndarray
    """[steps] training loss of each batch, nats per token, float32."""
    seconds: float
    """Wall time in training steps, those before a resume included."""
    steps_here: int
    """Steps made by this process; fewer than all after a resume."""


def train(
    config: TrainConfig,
    tokens: np.ndarray,
    folder: Path,
    *,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    checkpoint_seconds: float = 20.0,
) -> tuple[Transformer, TrainResult]:
    """Train from this configuration's checkpoint in `folder`, if there is one, to the end; write `model.safetensors`.

    `tokens` is the flat (memory-mapped) token file. A run that was killed goes on from its last checkpoint and
    ends with the same bits as one that was not, on one processor type with one thread count. Raises `Diverged`,
    which names the step, the batch and the checkpoint before it.
    """
    batches = Batches(tokens, config.model.context, config.sequences, config.seed)
    model = build_model(config.model, seed_of(config.seed, "weights"))
    optimizer = build_optimizer(
        model, betas=config.betas, embedding_rate=config.embedding_rate, weight_decay=config.weight_decay
    )
    checkpoint = Path(folder) / "checkpoint.safetensors"
    losses = np.zeros(config.steps, np.float32)
    owner = digest(config)
    found, before = _resume(checkpoint, owner, model, optimizer)
    first = len(found)
    losses[:first] = found
    started = last_saved = last_told = time.perf_counter()
    for step in range(first, config.steps):
        losses[step] = train_step(model, optimizer, batches.batch(step), config, step)
        _check(losses, step, config, checkpoint)
        now = time.perf_counter()
        if now - last_told > PROGRESS_SECONDS:
            rate = (step + 1 - first) * config.batch_tokens / (now - started)
            on_progress(Progress(step + 1, config.steps, float(losses[max(0, step - 19) : step + 1].mean()), rate))
            last_told = now
        if now - last_saved > checkpoint_seconds:
            seconds = before + now - started
            save_checkpoint(checkpoint, model, optimizer, owner=owner, losses=losses[: step + 1], seconds=seconds)
            last_saved = now
    seconds = before + time.perf_counter() - started
    save_weights(Path(folder) / "model.safetensors", model)
    return model, TrainResult(losses, seconds, config.steps - first)


def train_step(
    model: Transformer,
    optimizer: torch.optim.AdamW,
    batch: tuple[np.ndarray, np.ndarray],
    config: TrainConfig,
    step: int,
) -> float:
    """One step on `batch` (inputs, targets, [sequences, context]); returns the loss before it, nats per token."""
    inputs, targets = (torch.from_numpy(part) for part in batch)
    half = config.precision == "bfloat16"
    with torch.autocast("cpu", torch.bfloat16) if half else nullcontext():
        loss = model.loss(inputs, targets)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip)
    warmup = max(1, round(config.warmup * config.steps))
    set_rate(optimizer, config.peak_rate * cosine(step, config.steps, warmup))
    optimizer.step()
    return loss.item()


def _resume(checkpoint: Path, owner: str, model: Transformer, optimizer: torch.optim.AdamW) -> tuple[np.ndarray, float]:
    """Losses and seconds so far; none where no checkpoint of this very configuration is there."""
    try:
        if checkpoint_owner(checkpoint) != owner:
            return np.zeros(0, np.float32), 0.0
        return load_checkpoint(checkpoint, model, optimizer)
    except Exception as error:
        raise HutchError(f"{checkpoint} cannot be read ({error}): remove it to train this run anew") from error


def _check(losses: np.ndarray, step: int, config: TrainConfig, checkpoint: Path) -> None:
    loss, start = float(losses[step]), float(losses[0])
    if np.isfinite(loss) and loss < start + 3:
        return
    kept = f"the last good checkpoint is {checkpoint}" if checkpoint.exists() else "there is no checkpoint yet"
    raise Diverged(
        f"diverged at step {step} of {config.steps}: loss {loss:.3g} (it began at {start:.3g}) on batch {step} of "
        f"seed {config.seed} at peak rate {config.peak_rate:g}; {kept}"
    )
