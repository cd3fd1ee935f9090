"""Where a token stands: rotary positions (the fast default) and Transformer-XL's relative ones (Gopher's).

Legend: b batch, h heads, q query positions, k key positions, r relative distances, e key size.
"""

import torch
from torch import Tensor


def rotary_tables(length: int, key_size: int, base: float = 10_000.0) -> tuple[Tensor, Tensor]:
    """Cosine and sine, each [length, key_size / 2], of position × frequency (Su et al. 2021, §3.2.2)."""
    frequency_e = base ** (-torch.arange(0, key_size, 2, dtype=torch.float64) / key_size)
    angle_qe = torch.arange(length, dtype=torch.float64)[:, None] * frequency_e
    return angle_qe.cos().float(), angle_qe.sin().float()


def rotate(x_bhqe: Tensor, cos_qe: Tensor, sin_qe: Tensor) -> Tensor:
    """Turn each pair (first half, second half) of the key dimensions by its position's angle."""
    a, b = x_bhqe.chunk(2, dim=-1)
    return torch.cat((a * cos_qe - b * sin_qe, b * cos_qe + a * sin_qe), dim=-1)


def sinusoids(length: int, width: int, base: float = 10_000.0) -> Tensor:
    """Sinusoids of the distances length − 1 … 0, [length, width] (Dai et al. 2019, §3.3: R, not trained)."""
    half = width // 2
    frequency = base ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.arange(length - 1, -1, -1, dtype=torch.float64)[:, None] * frequency
    return torch.cat((angle.sin(), angle.cos()), dim=1).float()


def shift_distances(score_bhqr: Tensor) -> Tensor:
    """Re-index scores from distances to keys.

    Input column r of query q is the score at distance T − 1 − r; output column k is the score at distance
    q − k for k ≤ q (the columns k > q hold values that the causal mask removes). Dai et al. 2019, App. B.
    """
    b, h, q, r = score_bhqr.shape
    padded = torch.nn.functional.pad(score_bhqr, (1, 0))
    return padded.reshape(b, h, r + 1, q)[:, :, 1:].reshape(b, h, q, r)
