"""Train one model: the loop, exact resume, and the end of a run that diverges."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.utils.checkpoint import checkpoint

from hutch.lm.checkpoints import FORMAT
from hutch.lm.groups import Alone, Group, LossOf, Store
from hutch.lm.model import Transformer, build_model
from hutch.lm.optimizer import Optimizer, build_optimizer
from hutch.lm.schedules import factor
from hutch.lm.train_config import TrainConfig
from hutch.lm.trainable import Trainable
from hutch.runs.configuration import digest
from hutch.runs.errors import BadInput, HutchError
from hutch.runs.seeds import seed_of
from hutch.text import Batches

PROGRESS_SECONDS = 0.5

Batch = tuple[np.ndarray, ...]
"""Inputs and targets, int64 [sequences, context], and what else a model's loss takes, a row for each sequence."""


class Diverged(HutchError):
    """The loss is no longer a number, or has risen far above where it began."""


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


@dataclass(frozen=True)
class Learner:
    """What a step changes, and with whom."""

    model: Trainable
    loss_of: LossOf
    optimizer: Optimizer
    group: Group
    device: torch.device


def train(
    config: TrainConfig,
    tokens: np.ndarray,
    folder: Path,
    *,
    group: Group | None = None,
    device: str = "cpu",
    grain: int = 1,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    checkpoint_seconds: float = 20.0,
) -> tuple[Transformer, TrainResult]:
    """Train from this configuration's checkpoint in `folder`, if there is one, to the end; write `model.safetensors`.

    `tokens` is the flat (memory-mapped) token file; `group` the processes that train together (this one alone by
    default); `grain` what windows start at multiples of (`Batches`). A run that was killed goes on from its last
    checkpoint and ends with the same bits as one that was not, on one processor type with one thread count. Raises
    `Diverged`, which names the step, the batch and the checkpoint before it.
    """
    batches = Batches(tokens, config.model.context, config.sequences, config.seed, grain)
    group = group or Alone()
    model = model_of(config, device)
    learner = learner_of(config, group, device, model)
    owner = f"{FORMAT}, {digest(config)}" + (f", grain {grain}" if grain > 1 else "")
    store = group.store(Path(folder), owner)
    result = run_steps(learner, batches.batch, config, store, on_progress, checkpoint_seconds)
    model.compute_dtype = torch.float32
    group.write(model, Path(folder) / "model.safetensors")
    return model, result


def run_steps(
    learner: Learner,
    batch_of: Callable[[int], Batch],
    config: TrainConfig,
    store: Store,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    checkpoint_seconds: float = 20.0,
) -> TrainResult:
    """All steps that are not behind the checkpoint in `store`, which is closed at the end. `batch_of(step)` gives the
    arrays of a batch: what the model's loss takes, whole token ids."""
    group = learner.group
    losses = np.zeros(config.steps, np.float32)
    with _closed(store):
        found, before = store.load(learner.model, learner.optimizer)
        first = len(found)
        losses[:first] = found
        started = last_saved = last_told = time.perf_counter()
        for step in range(first, config.steps):
            losses[step] = train_step(learner, _checked(batch_of(step), config, step), config, step)
            _check(losses, step, config, store)
            now = time.perf_counter()
            if now - last_told > PROGRESS_SECONDS:
                rate = (step + 1 - first) * config.batch_tokens / (now - started)
                on_progress(Progress(step + 1, config.steps, float(losses[max(0, step - 19) : step + 1].mean()), rate))
                last_told = now
            if group.any(now - last_saved > checkpoint_seconds):
                store.save(learner.model, learner.optimizer, losses[: step + 1], before + now - started)
                last_saved = now
    return TrainResult(losses, before + time.perf_counter() - started, config.steps - first)


def refuse_idle_processes(world: int, sequences: int) -> None:
    """Each process must have a row of each batch."""
    if world > sequences:
        raise BadInput(
            f"more processes than sequences in a batch: {world} and {sequences}; "
            f"start at most {sequences} processes, or ask for more sequences"
        )


@contextmanager
def _closed(store: Store) -> Iterator[None]:
    """Waits for the store at the end; after an error, which is the one to show, whatever comes of it."""
    try:
        yield
    except BaseException:
        with suppress(HutchError):
            store.close()
        raise
    store.close()


def model_of(config: TrainConfig, device: str = "cpu") -> Transformer:
    """The configuration's model with fresh weights, made to compute as it says."""
    model = build_model(config.model, seed_of(config.seed, "weights")).to(device)
    if config.recompute:
        recompute_blocks(model)
    if config.precision == "bfloat16":
        model.compute_dtype = torch.bfloat16
    return model


def learner_of(
    config: TrainConfig, group: Group | None = None, device: str = "cpu", model: Trainable | None = None
) -> Learner:
    """A model (the configuration's own, fresh, by default), wrapped for `group` (this process alone by default), and
    its optimizer."""
    group = group or Alone()
    refuse_idle_processes(group.world, config.sequences)
    model = model or model_of(config, device)
    loss_of = group.wrap(model, config)
    return Learner(model, loss_of, build_optimizer(model, config), group, torch.device(device))


def recompute_blocks(model: Transformer) -> None:
    """Keep each block's input alone; its activations are computed again on the way back (Chen et al. 2016,
    arXiv:1604.06174)."""
    for block in model.blocks:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)


def train_step(learner: Learner, batch: Batch, config: TrainConfig, step: int) -> float:
    """One step on `batch` (each process takes its rows); returns the loss of the whole batch before it, nats per
    token."""
    group = learner.group
    parts = [torch.from_numpy(part[group.rank :: group.world]).to(learner.device) for part in batch]
    learner.optimizer.zero_grad()
    seen = 0.0
    for rows, share, is_last in _pieces(len(parts[0]), config, group.world):
        with group.last(is_last):
            loss = learner.loss_of(*(part[rows] for part in parts))
            # Shares of the whole batch, times the processes, over which gradients are averaged.
            (loss * (share * group.world)).backward()
        seen += loss.item() * share
    group.clip(learner.model, config.clip)
    scale = factor(config.schedule, step, config.steps, config.warmup_steps, config.cooldown_steps)
    learner.optimizer.set_rate(config.peak_rate * scale)
    learner.optimizer.step()
    return group.total(seen)


def _pieces(own: int, config: TrainConfig, world: int) -> Iterator[tuple[slice, float, bool]]:
    """What goes through a model at once of a process's `own` rows: the rows, their share of the whole batch, and
    whether it is the last.

    All processes make as many pieces as the first, which has the most rows: those of a sharded model wait for each
    other in each. A process whose rows are used up gives its first one, for nothing.
    """
    most = -(-config.sequences // world)
    size = config.micro_sequences or most
    for start in range(0, most, size):
        rows = range(start, start + size)[: max(0, own - start)]
        yield slice(rows.start, rows.stop) if rows else slice(1), len(rows) / config.sequences, start + size >= most


def _checked(batch: Batch, config: TrainConfig, step: int) -> Batch:
    """The batch, if the model knows all of its tokens: what an embedding does with others depends on the device."""
    most = max(part.max() for part in batch)
    if most >= config.model.vocabulary:
        raise BadInput(
            f"batch {step} holds token {most}, and the model's vocabulary ends at {config.model.vocabulary - 1}: "
            "the tokens are another tokenizer's"
        )
    return batch


def _check(losses: np.ndarray, step: int, config: TrainConfig, store: Store) -> None:
    loss, start = float(losses[step]), float(losses[0])
    if np.isfinite(loss) and loss < start + 3:
        return
    kept = f"the last good checkpoint is {store.path}" if store.exists() else "there is no checkpoint yet"
    raise Diverged(
        f"diverged at step {step} of {config.steps}: loss {loss:.3g} (it began at {start:.3g}) on batch {step} of "
        f"seed {config.seed} at peak rate {config.peak_rate:g}; {kept}"
    )
