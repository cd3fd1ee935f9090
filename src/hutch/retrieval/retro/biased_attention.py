"""Attention whose logits have a part that depends on places alone, shared by all of a batch.

Legend: n sets of queries and keys, q queries, c keys, h heads, e key size.

Written out as products and a softmax: with a bias that is learned, `scaled_dot_product_attention` does the same on a
CPU, without working in place.
"""

import math

import torch
from torch import Tensor


def padding_logits(real: Tensor, dtype: torch.dtype) -> Tensor:
    """0 for real tokens, and for padding a logit so low that its weight is exactly 0 beside any real token.

    Finite, so that where all is padding the weights are no NaN; what they weigh is then dropped by the caller.
    """
    return torch.where(real, 0.0, torch.finfo(dtype).min / 2).to(dtype)


def biased_attention(
    q_nqhe: Tensor, k_nche: Tensor, v_nche: Tensor, bias_hqc: Tensor, padding_nc: Tensor | None = None
) -> Tensor:
    """softmax(q·k / √e + bias + padding)·v, [n, q, h, e]."""
    scaled_nhqe = (q_nqhe * (1 / math.sqrt(q_nqhe.shape[-1]))).transpose(1, 2)
    # In place, for each of these is the largest tensor of the model; neither needs what was there before.
    logits_nhqc = scaled_nhqe @ k_nche.permute(0, 2, 3, 1)
    logits_nhqc += bias_hqc
    if padding_nc is not None:
        logits_nhqc += padding_nc[:, None, None]
    weights_nhqc = logits_nhqc.float().softmax(-1).to(v_nche.dtype)
    return (weights_nhqc @ v_nche.transpose(1, 2)).transpose(1, 2)
