"""Root mean square normalisation, with a gradient of its own where torch's is many small operations."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-6


class RMSNorm(nn.Module):
    """x / rms(x) · gain over the last dimension (Zhang and Sennrich 2019, eq. 4), computed in float32, of x's type."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        # Compilers fuse torch's own operations, and GPUs have one kernel for them.
        if torch.compiler.is_compiling() or x.device.type != "cpu":
            return F.rms_norm(x.float(), (x.shape[-1],), self.gain, eps=EPSILON).to(x.dtype)
        return _RMSNorm.apply(x, self.gain)


class _RMSNorm(torch.autograd.Function):
    """With n = x / rms(x), y = n · gain and g the gradient of y: dx = (g·gain − n · mean(g·gain·n)) / rms(x)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor) -> Tensor:
        wide = x.float()
        # A root mean square by way of the Euclidean length: one pass over x.
        length = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
        inverse = length.square_().div_(x.shape[-1]).add_(EPSILON).rsqrt_()
        normal = wide * inverse
        ctx.save_for_backward(normal, inverse, gain)
        return (normal * gain).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        (gradient,) = gradients
        normal, inverse, gain = ctx.saved_tensors
        wide = gradient.float()
        d_gain = (wide * normal).flatten(0, -2).sum(0)
        scaled = wide * gain
        along = torch.linalg.vecdot(scaled, normal).unsqueeze(-1).div_(-normal.shape[-1])
        return torch.addcmul(scaled, normal, along).mul_(inverse).to(gradient.dtype), d_gain
