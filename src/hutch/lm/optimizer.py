"""AdamW with the width rule that lets one learning rate serve a whole family.

Under Adam, a weight matrix's update has entries of size one whatever the gradient's, so its effect on the output
grows with the fan-in; dividing the matrices' rate by the width keeps that effect, and with it the best learning
rate, the same across widths (Yang et al. 2022, Tensor Programs V, Table 8). Embeddings and gains have no fan-in
and keep one rate.
"""

from typing import Any

import torch

from hutch.lm.model import Transformer

BASE_WIDTH = 64
"""The width at which a matrix's learning rate is the one that the configuration names."""


def parameter_groups(model: Transformer, embedding_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    """Three groups, each with `rate_factor`, the multiple of the scheduled learning rate that it runs at.

    Decay is on matrices alone: decayed embeddings would shrink the logits, decayed gains the whole stream. AdamW
    multiplies decay by the rate, so the width factor is taken out of it again.
    """
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embedding" not in n]
    vectors = [p for p in model.parameters() if p.ndim != 2]
    width_factor = BASE_WIDTH / model.config.width
    return [
        {"params": matrices, "rate_factor": width_factor, "weight_decay": weight_decay / width_factor},
        {"params": [model.embedding.weight], "rate_factor": embedding_rate, "weight_decay": 0.0},
        {"params": vectors, "rate_factor": 1.0, "weight_decay": 0.0},
    ]


def build_optimizer(
    model: Transformer, *, betas: tuple[float, float], embedding_rate: float, weight_decay: float
) -> torch.optim.AdamW:
    """AdamW over the three groups; the rate itself is set at each step with `set_rate`."""
    groups = parameter_groups(model, embedding_rate, weight_decay)
    return torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=1e-10, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group: `rate` times the group's factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate_factor"]
