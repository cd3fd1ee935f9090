"""Cross-entropy that never holds the logits of a whole batch.

Legend: n tokens, d width, v vocabulary, r rows at once.

For a vocabulary of 32,000 the float32 logits of 2,048 tokens are 262 MB, and their gradient as much again. Here a few
rows at a time are multiplied out, turned in place into their share of the loss and of the gradients while they are in
the processor's cache, and forgotten.
"""

from typing import Any

import torch
from torch import Tensor

CPU_LOGITS, GPU_LOGITS = 1 << 20, 1 << 26
"""Logits at once. On a CPU, what the last cache holds: twice or half as many are a few per cent slower, all at once
up to a quarter (docs/log.md)."""
FEWEST_ROWS, MOST_ROWS = 64, 512
"""On a CPU: thinner products waste its vector units."""


def rows_at_once(vocabulary: int, device_type: str = "cpu") -> int:
    """How many rows of logits to hold."""
    if device_type != "cpu":
        return max(1, GPU_LOGITS // vocabulary)
    return min(MOST_ROWS, max(FEWEST_ROWS, CPU_LOGITS // vocabulary))


def chunked_cross_entropy(hidden_nd: Tensor, weight_vd: Tensor, targets_n: Tensor, rows: int) -> Tensor:
    """Mean over n of −ln softmax(hidden·weightᵀ)[target], nats, in float32, `rows` rows of logits at a time.

    Products are made in the dtype of `hidden_nd`; softmax, loss and the sums over chunks are float32.
    """
    return _ChunkedCrossEntropy.apply(hidden_nd, weight_vd, targets_n, rows)


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Gradients are made in the forward pass, while a chunk's logits are there; of a frozen weight, none."""

    @staticmethod
    def forward(ctx: Any, hidden_nd: Tensor, weight_vd: Tensor, targets_n: Tensor, rows: int) -> Tensor:
        wants_hidden, wants_weight = ctx.needs_input_grad[:2]
        product_vd = weight_vd.to(hidden_nd.dtype)
        d_hidden = torch.empty_like(hidden_nd) if wants_hidden else None
        d_weight = torch.zeros_like(weight_vd, dtype=torch.float32) if wants_weight else None
        total = torch.zeros((), dtype=torch.float32, device=hidden_nd.device)
        for start in range(0, len(hidden_nd), rows):
            here = slice(start, start + rows)
            x_rd, target_r1 = hidden_nd[here], targets_n[here, None]
            logits_rv = (x_rd @ product_vd.T).float()
            total += _turned_into_slopes(logits_rv, target_r1)
            slope_rv = logits_rv.to(x_rd.dtype)
            if d_hidden is not None:
                torch.mm(slope_rv, product_vd, out=d_hidden[here])
            if d_weight is None:
                continue
            if x_rd.dtype == torch.float32:
                d_weight.addmm_(slope_rv.T, x_rd)
            else:
                d_weight += slope_rv.T @ x_rd
        ctx.save_for_backward(d_hidden, d_weight)
        ctx.count, ctx.weight_dtype = len(hidden_nd), weight_vd.dtype
        return total / len(hidden_nd)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        scale = gradients[0] / ctx.count
        d_hidden, d_weight = ctx.saved_tensors
        of_hidden = None if d_hidden is None else d_hidden * scale.to(d_hidden.dtype)
        of_weight = None if d_weight is None else (d_weight * scale).to(ctx.weight_dtype)
        return of_hidden, of_weight, None, None


def _turned_into_slopes(logits_rv: Tensor, target_r1: Tensor) -> Tensor:
    """The summed loss of some rows; their logits become its gradient, softmax − one-hot, in place."""
    wanted_r1 = logits_rv.gather(1, target_r1)
    highest_r1 = logits_rv.amax(1, keepdim=True)
    torch.softmax(logits_rv, 1, out=logits_rv)
    # ln Σ exp(logits), from the largest logit's probability: unlike a target's it is never 0.
    norm_r1 = highest_r1 - logits_rv.amax(1, keepdim=True).log()
    logits_rv.scatter_add_(1, target_r1, torch.full_like(wanted_r1, -1.0))
    return (norm_r1 - wanted_r1).sum()
