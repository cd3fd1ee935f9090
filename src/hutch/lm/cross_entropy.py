"""Cross-entropy that never holds the logits of a whole batch.

Legend: n tokens, d width, v vocabulary.

For a vocabulary of 32,000 the float32 logits of 2,048 tokens are 262 MB, and their gradient as much again. Here a few
rows at a time are multiplied out, turned into their share of the loss and of the gradients, and forgotten.
"""

from typing import Any

import torch
from torch import Tensor

WHOLE_BYTES = 64 << 20
"""Logits up to so large are held whole: in one piece they are a few per cent faster (docs/log.md)."""
_CHUNK_BYTES = 16 << 20


def rows_at_once(rows: int, vocabulary: int) -> int | None:
    """How many rows of logits to hold, or None for all of them."""
    if rows * vocabulary * 4 <= WHOLE_BYTES:
        return None
    return max(1, _CHUNK_BYTES // (4 * vocabulary))


def chunked_cross_entropy(hidden_nd: Tensor, weight_vd: Tensor, targets_n: Tensor, rows: int) -> Tensor:
    """Mean over n of −ln softmax(hidden·weightᵀ)[target], nats, in float32, `rows` rows of logits at a time.

    Products are made in the dtype of autocast, else in that of `hidden_nd`; softmax, loss and the sums over chunks
    are float32.
    """
    if torch.is_autocast_enabled(hidden_nd.device.type):
        dtype = torch.get_autocast_dtype(hidden_nd.device.type)
        hidden_nd, weight_vd = hidden_nd.to(dtype), weight_vd.to(dtype)
    return _ChunkedCrossEntropy.apply(hidden_nd, weight_vd, targets_n, rows)


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Gradients are made in the forward pass, while a chunk's logits are there."""

    @staticmethod
    def forward(ctx: Any, hidden_nd: Tensor, weight_vd: Tensor, targets_n: Tensor, rows: int) -> Tensor:
        count = len(hidden_nd)
        wants = any(ctx.needs_input_grad[:2])
        d_hidden = torch.empty_like(hidden_nd) if wants else None
        d_weight = torch.zeros_like(weight_vd, dtype=torch.float32) if wants else None
        total = torch.zeros((), dtype=torch.float32, device=hidden_nd.device)
        for start in range(0, count, rows):
            piece = slice(start, start + rows)
            x_rd, target_r = hidden_nd[piece], targets_n[piece]
            logits_rv = (x_rd @ weight_vd.T).float()
            norm_r1 = logits_rv.logsumexp(-1, keepdim=True)
            total += (norm_r1.squeeze(1) - logits_rv.gather(1, target_r[:, None]).squeeze(1)).sum()
            if d_hidden is None or d_weight is None:
                continue
            # d loss / d logits = (softmax − one-hot) / n, made in place.
            slope_rv = logits_rv.sub_(norm_r1).exp_().div_(count)
            slope_rv[torch.arange(len(target_r), device=target_r.device), target_r] -= 1 / count
            slope_rv = slope_rv.to(x_rd.dtype)
            d_hidden[piece] = slope_rv @ weight_vd
            d_weight += slope_rv.T @ x_rd
        ctx.save_for_backward(d_hidden, d_weight)
        return total / count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (scale,) = gradients
        d_hidden, d_weight = ctx.saved_tensors
        return d_hidden * scale.to(d_hidden.dtype), (d_weight * scale).to(d_hidden.dtype), None, None
