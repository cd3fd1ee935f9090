"""Who trains a model together: one process, or several. The training loop is the same for all."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from hutch.lm.checkpoint_folders import CheckpointFolder
from hutch.lm.checkpoints import CheckpointFile, save_weights
from hutch.lm.model import Transformer
from hutch.lm.newest_checkpoint import NewestCheckpoint
from hutch.lm.optimizer import Optimizer
from hutch.lm.train_config import TrainConfig
from hutch.lm.trainable import Trainable

CHECKPOINT_FILE, CHECKPOINT_FOLDER = "checkpoint.safetensors", "checkpoint"
"""Where the state of a run is kept in its folder: by one process in a file, by several in a folder."""

LossOf = Callable[..., Tensor]
"""(inputs_bt, targets_bt, ...) to the mean loss, nats per token."""


class Store(Protocol):
    """Where a run's state is kept."""

    @property
    def path(self) -> Path:
        """The file or folder of the newest checkpoint."""
        ...

    def steps(self) -> int:
        """Steps behind the newest checkpoint of this very configuration; 0 where there is none."""
        ...

    def load(self, model: Trainable, optimizer: Optimizer) -> tuple[np.ndarray, float]:
        """Restore the last checkpoint of this very configuration in place; its losses so far, one a step, and the
        seconds they took. Nothing where there is none."""
        ...

    def save(self, model: Trainable, optimizer: Optimizer, losses: np.ndarray, seconds: float) -> None:
        """Keep everything that the next step depends on, whole or not at all."""
        ...

    def close(self) -> None:
        """Wait for what is still being written."""
        ...

    def exists(self) -> bool:
        """Whether there is a checkpoint."""
        ...


class LossModule(nn.Module):
    """A model whose forward pass is its loss: what compilers and wrappers take."""

    def __init__(self, model: Trainable) -> None:
        super().__init__()
        self.model = model

    def forward(self, *batch: Tensor) -> Tensor:
        return self.model.loss(*batch)


class Group(Protocol):
    """The processes that train one model."""

    rank: int
    world: int

    def wrap(self, model: Trainable, config: TrainConfig) -> LossOf:
        """The model's loss over this process's rows, with gradients shared on the way back. The model may be changed
        in place: the optimizer is built afterwards."""
        ...

    def last(self, is_last: bool) -> AbstractContextManager[None]:
        """Around a forward and backward pass: gradients are shared in the last of a step only."""
        ...

    def total(self, value: float) -> float:
        """The sum of every process's `value`."""
        ...

    def any(self, flag: bool) -> bool:
        """Whether any process says so: all act on it in the same step."""
        ...

    def clip(self, model: Trainable, norm: float) -> None:
        """Scale the gradients so that their global norm is at most `norm`."""
        ...

    def store(self, folder: Path, owner: str) -> Store:
        """Where the state of the configuration `owner` is kept in `folder`."""
        ...

    def write(self, model: Transformer, path: Path) -> None:
        """Write the trained weights as one file."""
        ...


class Alone:
    """One process."""

    rank, world = 0, 1

    def wrap(self, model: Trainable, config: TrainConfig) -> LossOf:
        module = LossModule(model)
        return torch.compile(module, dynamic=False) if config.compiled else module

    @contextmanager
    def last(self, is_last: bool) -> Iterator[None]:
        yield

    def total(self, value: float) -> float:
        return value

    def any(self, flag: bool) -> bool:
        return flag

    def clip(self, model: Trainable, norm: float) -> None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), norm)

    def store(self, folder: Path, owner: str) -> Store:
        return NewestCheckpoint(
            own=CheckpointFile(folder / CHECKPOINT_FILE, owner),
            other=CheckpointFolder(folder / CHECKPOINT_FOLDER, owner),
        )

    def write(self, model: Transformer, path: Path) -> None:
        save_weights(path, model)
