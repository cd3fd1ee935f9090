"""What the distance of two tokens adds to their attention logit.

Legend: h heads, q queries, c keys, n distances, d width of the cosine vector.

A linear map of sines and cosines of the distance, one number for each head (Borgeaud et al. 2021, §B.1.2). It depends
on no token, so one table serves all chunks, and all neighbours of a chunk: their order cannot matter.
"""

import torch
from torch import Tensor, nn


def sinusoids_of(distance_n: Tensor, width: int, base: float = 10_000.0) -> Tensor:
    """Sines, then cosines, of signed distances, [n, width] (Dai et al. 2019, §3.3)."""
    half = width // 2
    frequency = base ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = distance_n.double()[:, None] * frequency
    return torch.cat((angle.sin(), angle.cos()), dim=1).float()


def windows(table_hn: Tensor, queries: int, keys: int) -> Tensor:
    """Column queries − 1 − q + c of the table as [h, queries, keys], for queries q and keys c from 0."""
    return table_hn[:, : queries + keys - 1].unfold(1, keys, 1).flip(1)


class RelativeLogits(nn.Module):
    """Logits of the distances q − c + offset of queries q and keys c, both from 0."""

    def __init__(self, *, queries: int, keys: int, offset: int, width: int, heads: int) -> None:
        """For at most `keys` keys; `width` is that of the cosine vector."""
        super().__init__()
        self.queries = queries
        self.map = nn.Linear(width, heads, bias=False)
        farthest_first_n = queries - 1 + offset - torch.arange(queries + keys - 1)
        self.register_buffer("cosines", sinusoids_of(farthest_first_n, width), persistent=False)

    def forward(self, keys: int) -> Tensor:
        """[h, queries, keys]."""
        return windows(self.map(self.cosines[: self.queries + keys - 1]).T, self.queries, keys)
