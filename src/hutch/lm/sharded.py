"""One model in several processes, each with its part of every weight, gradient and moment."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from hutch.lm.groups import LossModule, LossOf
from hutch.lm.model import Transformer
from hutch.lm.norms import RMSNorm
from hutch.lm.processes import Processes
from hutch.lm.train_config import Precision, TrainConfig
from hutch.lm.trainable import Trainable
from hutch.runs.errors import BadInput


class Sharded(Processes):
    """FSDP2 (Zhao et al. 2023, arXiv:2304.11277, by parameter): each block's weights are gathered when it is needed,
    and its gradients are summed into the parts.

    In bfloat16 the matrices of blocks travel in bfloat16, half the bytes: the model would cast them before each product
    in any case. Gains, the embedding, the loss and sums of gradients stay in float32. So the results are those of one
    process but for the order of sums.

    Every process makes the whole model before it keeps its part, so the model must fit the memory of one; moments
    and gradients need not. Tested on CPUs with gloo.
    """

    def wrap(self, model: Trainable, config: TrainConfig) -> LossOf:
        """Shards the model in place: its parameters are new objects, which the optimizer must be given. Raises BadInput
        for other models than transformers."""
        if not isinstance(model, Transformer):
            raise BadInput("only a language model without retrieval can be sharded: train this one replicated")
        # Without a mesh, FSDP takes a GPU that it sees, and moves a model in CPU memory there.
        mesh = init_device_mesh(model.embedding.weight.device.type, (self.world,))
        module = LossModule(model)
        for block in model.blocks:
            if config.compiled:
                block.compile(dynamic=False)
            if config.precision == "bfloat16":
                # As a unit of their own, gains keep their type. They are small: gathered once, they stay.
                norms = [part for part in block.children() if isinstance(part, RMSNorm)]
                fully_shard(list[nn.Module](norms), mesh=mesh, reshard_after_forward=False)
            fully_shard(block, mesh=mesh, mp_policy=_policy(config.precision))
        self._root = fully_shard(module, mesh=mesh)
        return module

    @contextmanager
    def last(self, is_last: bool) -> Iterator[None]:
        self._root.set_requires_gradient_sync(is_last)
        yield

    def whole_weights(self, model: Transformer) -> dict[str, Tensor]:
        weights = {}
        for name, part in model.state_dict().items():
            whole = part.full_tensor() if isinstance(part, DTensor) else part
            if self.rank == 0:
                weights[name] = whole.cpu()
        return weights


def _policy(precision: Precision) -> MixedPrecisionPolicy:
    if precision == "float32":
        return MixedPrecisionPolicy()
    return MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32, cast_forward_inputs=False)
