"""Where a token stands: rotary positions (the fast default) and Transformer-XL's relative ones (Gopher's).

Legend: b batch, h heads, q query positions, k key positions, r relative distances, e key size.
"""

import torch
from torch import Tensor


def rotary_table(length: int, key_size: int, base: float = 10_000.0) -> Tensor:
    """Cosine and sine of position × frequency, [length, key_size / 2, 2] (Su et al. 2021, §3.2.2)."""
    frequency_e = base ** (-torch.arange(0, key_size, 2, dtype=torch.float64) / key_size)
    angle_qe = torch.arange(length, dtype=torch.float64)[:, None] * frequency_e
    return torch.stack((angle_qe.cos(), angle_qe.sin()), dim=-1).float()


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Turn each pair of neighbouring key dimensions of x [..., e] by its position's angle; `table` [..., e / 2, 2]
    broadcasts against x. Computed in float32.

    As one product of complex numbers it takes half the time of its four real ones (docs/log.md); a compiler fuses the
    real ones and does not know complex numbers.
    """
    pairs = x.float().unflatten(-1, (-1, 2))
    if not torch.compiler.is_compiling():
        turned = torch.view_as_real(torch.view_as_complex(pairs) * torch.view_as_complex(table))
        return turned.flatten(-2).to(x.dtype)
    (a, b), (cos, sin) = pairs.unbind(-1), table.unbind(-1)
    return torch.stack((a * cos - b * sin, b * cos + a * sin), dim=-1).flatten(-2).to(x.dtype)


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
