"""Chunked cross-attention: how a decoder reads the neighbours of the chunk before, and no token sees too much.

Legend: b batch, t time, d width, u chunk, m place in a chunk, k neighbours, r tokens of one, c all k·r of them, h
heads, e key size.

Borgeaud et al. 2021, §2.4 and Listing 1. Chunks u = 1 … l of m tokens; RET(C_u), found for chunk u, may change what
is predicted after the chunk's last token and no sooner. So the last token of C_u and the first m − 1 of C_{u+1},
0-based positions u·m − 1 … u·m + m − 2, attend to E_u, the encoded neighbours of C_u; the first m − 1 tokens of a text
attend to nothing.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hutch.lm.model import RMSNorm
from hutch.retrieval.retro.biased_attention import biased_attention, padding_logits
from hutch.retrieval.retro.configuration import RetroConfig
from hutch.retrieval.retro.relative_logits import RelativeLogits


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """What an encoder made of the neighbours of chunks."""

    states_bukrd: Tensor
    """E, of the encoder's width."""
    real_bukr: Tensor
    """Which tokens are there: padding and missing neighbours are not."""


@dataclass(frozen=True, kw_only=True)
class ChunkMemory:
    """One layer's keys and values of the neighbours of chunks."""

    keys_buche: Tensor
    values_buche: Tensor
    padding_buc: Tensor
    """What padding adds to the logits."""
    empty_bu: Tensor
    """Which chunks have no neighbour at all."""


def attending_chunks(x_bt: Tensor, chunk: int) -> Tensor:
    """H⁺, [b, u, m, ...] of [b, t, ...]: positions u·m − 1 … u·m + m − 2 for each of the t // m whole chunks
    u = 1, 2, …, with zeros behind the last position of the text."""
    whole = x_bt.shape[1] // chunk
    attending_bt = x_bt[:, chunk - 1 : (whole + 1) * chunk - 1]
    missing = whole * chunk - attending_bt.shape[1]
    filled_bt = torch.cat((attending_bt, attending_bt.new_zeros(x_bt.shape[0], missing, *x_bt.shape[2:])), dim=1)
    return filled_bt.unflatten(1, (whole, chunk))


def at_positions(y_bumd: Tensor, t: int) -> Tensor:
    """The inverse of `attending_chunks`: [b, t, d], zero at positions 0 … m − 2."""
    chunk = y_bumd.shape[2]
    return F.pad(y_bumd.flatten(1, 2)[:, : t - chunk + 1], (0, 0, chunk - 1, 0))


def chunked_cross_attention(q_bumhe: Tensor, memory: ChunkMemory, bias_hmc: Tensor) -> Tensor:
    """What each attending position reads, [b, u, m, h·e]: one softmax over all tokens of all neighbours of its chunk,
    and exactly zero where it has none. `bias_hmc` is added to the logits."""
    q_nmhe, keys_nche, values_nche, padding_nc = (
        part.flatten(0, 1) for part in (q_bumhe, memory.keys_buche, memory.values_buche, memory.padding_buc)
    )
    read = biased_attention(q_nmhe, keys_nche, values_nche, bias_hmc, padding_nc)
    read_bumd = read.flatten(2).unflatten(0, q_bumhe.shape[:2])
    return read_bumd.masked_fill(memory.empty_bu[:, :, None, None], 0.0)


class ChunkedCrossAttention(nn.Module):
    """One layer's cross-attention; what it gives is added to the decoder's residual stream."""

    def __init__(self, config: RetroConfig) -> None:
        super().__init__()
        decoder = config.decoder
        self.chunk, self.heads, self.key_size = config.chunk, decoder.heads, decoder.key_size
        self.norm = RMSNorm(decoder.width)
        self.query = nn.Linear(decoder.width, decoder.attention_width, bias=False)
        self.key_value = nn.Linear(config.encoder_width, 2 * decoder.attention_width, bias=False)
        self.output = nn.Linear(decoder.attention_width, decoder.width, bias=False)
        # d(i, i') = i − i' + m − 1: the last token of a chunk stands on the last of its neighbour's chunk (§B.1.2).
        self.position = RelativeLogits(
            queries=config.chunk,
            keys=config.neighbour_tokens,
            offset=config.chunk - 1,
            width=decoder.width,
            heads=decoder.heads,
        )

    def forward(self, x_btd: Tensor, encoded: Encoded) -> Tensor:
        """The update of x, [b, t, d], from the encoded neighbours of each of its t // m whole chunks."""
        q_bumhe = attending_chunks(self.queries(x_btd), self.chunk)
        read_bumd = chunked_cross_attention(q_bumhe, self.remember(encoded), self.bias(encoded))
        return at_positions(self.output(read_bumd), x_btd.shape[1]).to(x_btd.dtype)

    def queries(self, x_btd: Tensor) -> Tensor:
        """[b, t, h, e], in the type of the weights, which may be wider than the decoder's."""
        return self.query(self.norm(x_btd.to(self.norm.gain.dtype))).unflatten(-1, (self.heads, self.key_size))

    def remember(self, encoded: Encoded) -> ChunkMemory:
        """This layer's keys and values of the encoded neighbours."""
        both = self.key_value(encoded.states_bukrd.flatten(2, 3)).unflatten(-1, (2, self.heads, self.key_size))
        keys, values = both.unbind(-3)
        return ChunkMemory(
            keys_buche=keys,
            values_buche=values,
            padding_buc=padding_logits(encoded.real_bukr.flatten(2), keys.dtype),
            empty_bu=~encoded.real_bukr.flatten(2).any(-1),
        )

    def bias(self, encoded: Encoded) -> Tensor:
        """Logits of the distances, [h, m, c], the same for each neighbour."""
        _, _, neighbours, tokens, _ = encoded.states_bukrd.shape
        return self.position(tokens).repeat(1, 1, neighbours)
