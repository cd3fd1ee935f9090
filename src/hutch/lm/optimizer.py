"""The optimizers, with the width rule that lets one learning rate serve a whole family.

Under Adam, a weight matrix's update has entries of size one whatever the gradient's, so its effect on the output
grows with the fan-in; dividing the matrices' rate by the width keeps that effect, and with it the best learning
rate, the same across widths (Yang et al. 2022, Tensor Programs V, Table 8). Embeddings and gains have no fan-in
and keep one rate.

Muon (Jordan et al. 2024) replaces a matrix's momentum by the nearest orthogonal matrix. Scaled by 0.2·√max(in, out)
(Liu et al. 2025, arXiv:2502.16982, §2.2), its update has the root mean square of AdamW's, so AdamW's rate and the
same rule serve.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from hutch.lm.train_config import TrainConfig
from hutch.lm.trainable import Trainable, trained_parameters
from hutch.runs.errors import BadInput

BASE_WIDTH = 64
"""The width at which a matrix's learning rate is the one that the configuration names."""


class Optimizer:
    """One or more torch optimizers that step together, each group at its multiple of the scheduled rate."""

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts

    def groups(self) -> Iterator[dict[str, Any]]:
        """All groups; each has `rate_factor`."""
        for part in self.parts:
            yield from part.param_groups

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of every group: `rate` times the group's factor."""
        for group in self.groups():
            group["lr"] = rate * group["rate_factor"]

    def step(self) -> None:
        """Update the weights from their gradients."""
        for part in self.parts:
            part.step()

    def zero_grad(self) -> None:
        """Drop the gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def state_of(self, parameter: torch.Tensor) -> dict[str, Any]:
        """The state of one parameter, to read or to fill."""
        for part in self.parts:
            if any(parameter is other for group in part.param_groups for other in group["params"]):
                return part.state[parameter]
        raise KeyError("no optimizer holds this parameter")


def parameter_groups(
    model: Trainable, embedding_rate: float, weight_decay: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Groups of what is trained: matrices, a group for each width; embeddings and gains. Each has `rate_factor`, the
    multiple of the scheduled learning rate that it runs at.

    Decay is on matrices alone: decayed embeddings would shrink the logits, decayed gains the whole stream. AdamW
    multiplies decay by the rate, so the width factor is taken out of it again.
    """
    trained = trained_parameters(model)
    embeddings = {name: p for name, p in trained.items() if p.ndim == 2 and "embedding" in name}
    by_width: dict[int, list[Tensor]] = {}
    for name, parameter in trained.items():
        if parameter.ndim == 2 and name not in embeddings:
            by_width.setdefault(model.width_of(name), []).append(parameter)
    factors = {width: BASE_WIDTH / width for width in by_width}
    vectors = [p for p in trained.values() if p.ndim != 2]
    matrices = [
        {"params": of_width, "rate_factor": factors[width], "weight_decay": weight_decay / factors[width]}
        for width, of_width in by_width.items()
    ]
    others = [
        {"params": list(embeddings.values()), "rate_factor": embedding_rate, "weight_decay": 0.0},
        {"params": vectors, "rate_factor": 1.0, "weight_decay": 0.0},
    ]
    return matrices, [group for group in others if group["params"]]


def build_optimizer(model: Trainable, config: TrainConfig) -> Optimizer:
    """The configuration's optimizer over the groups; the rate itself is set at each step."""
    matrices, others = parameter_groups(model, config.embedding_rate, config.weight_decay)
    if config.algorithm == "adamw":
        return Optimizer([_adamw([*matrices, *others], config)])
    return Optimizer([_muon(matrices), _adamw(others, config)])


def _adamw(groups: list[dict[str, Any]], config: TrainConfig) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=0.0, betas=config.betas, eps=1e-10, fused=True)


def _muon(matrices: list[dict[str, Any]]) -> torch.optim.Optimizer:
    if not hasattr(torch.optim, "Muon"):
        raise BadInput(f"algorithm muon needs torch 2.9 or later; this is {torch.__version__}")
    return torch.optim.Muon(matrices, lr=0.0, momentum=0.95, nesterov=True, adjust_lr_fn="match_rms_adamw")
