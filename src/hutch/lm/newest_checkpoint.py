"""A run goes on from its newest checkpoint, whoever wrote it: one process (a file) or several (a folder)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hutch.lm.optimizer import Optimizer
from hutch.lm.trainable import Trainable

if TYPE_CHECKING:
    from hutch.lm.groups import Store


class NewestCheckpoint:
    """A store that writes one kind of checkpoint and reads two."""

    def __init__(self, own: Store, other: Store, agreed: Callable[[int], int] = lambda value: value) -> None:
        """`own` is written. `agreed` gives every process of a group the first one's value."""
        self.own, self.other, self.agreed = own, other, agreed

    @property
    def path(self) -> Path:
        """The newest checkpoint."""
        return self._newest().path

    def steps(self) -> int:
        """Steps behind the newest checkpoint; 0 where there is none."""
        return max(self.own.steps(), self.other.steps())

    def exists(self) -> bool:
        """Whether there is a checkpoint."""
        return self.own.exists() or self.other.exists()

    def load(self, model: Trainable, optimizer: Optimizer) -> tuple[np.ndarray, float]:
        """Restore the newest checkpoint in place; the losses so far, and the seconds they took."""
        stores = (self.own, self.other)
        return stores[self.agreed(stores.index(self._newest()))].load(model, optimizer)

    def save(self, model: Trainable, optimizer: Optimizer, losses: np.ndarray, seconds: float) -> None:
        """Keep everything that the next step depends on."""
        self.own.save(model, optimizer, losses, seconds)

    def close(self) -> None:
        """Wait for what is still being written."""
        self.own.close()

    def _newest(self) -> Store:
        return self.other if self.other.steps() > self.own.steps() else self.own
