"""What groups of several processes have in common: who they are, sums, checkpoints."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from hutch.lm.checkpoint_folders import CheckpointFolder, remove_unfinished
from hutch.lm.checkpoints import CheckpointFile, save_weights
from hutch.lm.groups import CHECKPOINT_FILE, CHECKPOINT_FOLDER, LossOf, Store
from hutch.lm.model import Transformer
from hutch.lm.newest_checkpoint import NewestCheckpoint
from hutch.lm.train_config import TrainConfig
from hutch.lm.trainable import Trainable


class Processes(ABC):
    """All processes of torch.distributed's default group, which must be initialised.

    Their default group must have gloo for CPU tensors: sums of single numbers go there, which spares a GPU the wait.
    """

    def __init__(self) -> None:
        """Every process of the group must come here: it makes a second group, for checkpoints."""
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        # Checkpoints are written by a thread; its messages must not mix with those of training.
        group = dist.new_group(backend="gloo")
        assert isinstance(group, dist.ProcessGroup)  # this process is in it
        self.for_checkpoints = group

    @abstractmethod
    def wrap(self, model: Trainable, config: TrainConfig) -> LossOf: ...

    @abstractmethod
    def last(self, is_last: bool) -> AbstractContextManager[None]: ...

    @abstractmethod
    def whole_weights(self, model: Transformer) -> dict[str, Tensor]:
        """The state dict with whole tensors, in the first process; every process must call it."""

    def total(self, value: float) -> float:
        return _all_reduced(value, dist.ReduceOp.SUM)

    def any(self, flag: bool) -> bool:
        return _all_reduced(float(flag), dist.ReduceOp.MAX) > 0

    def clip(self, model: Trainable, norm: float) -> None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), norm)

    def store(self, folder: Path, owner: str) -> Store:
        path = folder / CHECKPOINT_FOLDER
        if self.rank == 0:
            remove_unfinished(path)
        return NewestCheckpoint(
            own=CheckpointFolder(path, owner, self.for_checkpoints),
            other=CheckpointFile(folder / CHECKPOINT_FILE, owner),
            agreed=_of_the_first,
        )

    def write(self, model: Transformer, path: Path) -> None:
        """Write the trained weights as one file; it is there when any process returns."""
        weights = self.whole_weights(model)
        if self.rank == 0:
            whole = Transformer(model.config)
            whole.load_state_dict(weights)
            save_weights(path, whole)
        self.any(False)


def _all_reduced(value: float, how: dist.ReduceOp.RedOpType) -> float:
    number = torch.tensor(value, dtype=torch.float64)
    dist.all_reduce(number, how)
    return number.item()


def _of_the_first(value: int) -> int:
    number = torch.tensor(value)
    dist.broadcast(number, 0)
    return int(number)
