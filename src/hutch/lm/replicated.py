"""One model in several processes, each with all of the weights and its share of every batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from hutch.lm.groups import LossModule, LossOf
from hutch.lm.model import Transformer
from hutch.lm.processes import Processes
from hutch.lm.train_config import TrainConfig
from hutch.lm.trainable import Trainable

NAMES = ("forward_sync_buffers", "broadcast_buffers")
KEEP_BUFFERS: dict[str, Any] = {next(n for n in NAMES if n in signature(DistributedDataParallel).parameters): False}
"""In torch's word, new or old: send no buffers around before each pass. The tables of positions are alike anyway."""


class Replicated(Processes):
    """DistributedDataParallel: gradients are averaged over the processes while the backward pass still runs, in its
    last micro-batch alone. The weights, the optimizer's moments and the gradients are whole in each process.

    Tested on CPUs with gloo; on GPUs each process needs its own, the current device.
    """

    def wrap(self, model: Trainable, config: TrainConfig) -> LossOf:
        module = LossModule(model)
        if config.compiled:
            module.compile(dynamic=False)
        device = next(model.parameters()).device
        self._replica = DistributedDataParallel(
            module,
            device_ids=None if device.type == "cpu" else [device],
            gradient_as_bucket_view=True,
            **KEEP_BUFFERS,
        )
        return self._replica

    @contextmanager
    def last(self, is_last: bool) -> Iterator[None]:
        if is_last:
            yield
            return
        with self._replica.no_sync():
            yield

    def whole_weights(self, model: Transformer) -> dict[str, Tensor]:
        return model.state_dict() if self.rank == 0 else {}
