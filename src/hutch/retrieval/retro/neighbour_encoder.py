"""The encoder of neighbours: a bidirectional transformer that also reads the chunk for which they were found.

Legend: b batch, u chunk, m tokens of a chunk, k neighbours, r tokens of one, g the b·u chunks of a batch, n their b·u·k
neighbours, c the k·r tokens of a chunk's neighbours, d width, h heads, e key size.

Borgeaud et al. 2021, §2.3: E_u^j = Enc(RET(C_u)^j, H_u). All distances are logits of `RelativeLogits`. A chunk's
activations are projected to keys and values once; all its neighbours' tokens are its queries, in one row.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from hutch.lm.model import RMSNorm
from hutch.retrieval.retro.biased_attention import biased_attention, padding_logits
from hutch.retrieval.retro.chunked_cross_attention import Encoded
from hutch.retrieval.retro.configuration import RetroConfig
from hutch.retrieval.retro.relative_logits import RelativeLogits

LookUp = Callable[[Tensor], Tensor]
"""Token ids to the decoder's embeddings."""


class NeighbourSelfAttention(nn.Module):
    """Attention among the tokens of each neighbour, in both directions."""

    def __init__(self, config: RetroConfig) -> None:
        super().__init__()
        self.heads, self.key_size = config.encoder_heads, config.encoder_key_size
        self.qkv = nn.Linear(config.encoder_width, 3 * config.encoder_attention_width, bias=False)
        self.output = nn.Linear(config.encoder_attention_width, config.encoder_width, bias=False)
        self.position = RelativeLogits(
            queries=config.neighbour_tokens,
            keys=config.neighbour_tokens,
            offset=0,
            width=config.encoder_width,
            heads=config.encoder_heads,
        )

    def forward(self, x_nrd: Tensor, padding_nr: Tensor) -> Tensor:
        n, r, _ = x_nrd.shape
        q, k, v = self.qkv(x_nrd).view(n, r, 3, self.heads, self.key_size).unbind(2)
        return self.output(biased_attention(q, k, v, self.position(r)[:, :r], padding_nr).flatten(2))


class ChunkReading(nn.Module):
    """Cross-attention from the tokens of all neighbours of a chunk to the chunk's activations."""

    def __init__(self, config: RetroConfig) -> None:
        super().__init__()
        self.heads, self.key_size = config.encoder_heads, config.encoder_key_size
        self.chunk_norm = RMSNorm(config.decoder.width)
        self.query = nn.Linear(config.encoder_width, config.encoder_attention_width, bias=False)
        self.key_value = nn.Linear(config.decoder.width, 2 * config.encoder_attention_width, bias=False)
        self.output = nn.Linear(config.encoder_attention_width, config.encoder_width, bias=False)
        # d(i', i) = i' − i (§B.1.2); the same table serves all k neighbours.
        self.position = RelativeLogits(
            queries=config.neighbour_tokens,
            keys=config.chunk,
            offset=0,
            width=config.encoder_width,
            heads=config.encoder_heads,
        )

    def forward(self, x_nrd: Tensor, chunk_gmd: Tensor) -> Tensor:
        n, r, _ = x_nrd.shape
        g, m, _ = chunk_gmd.shape
        q_gche = self.query(x_nrd).view(g, n // g * r, self.heads, self.key_size)
        both = self.key_value(self.chunk_norm(chunk_gmd)).unflatten(-1, (2, self.heads, self.key_size))
        keys, values = both.unbind(-3)
        bias_hcm = self.position(m)[:, :r].repeat(1, n // g, 1)
        return self.output(biased_attention(q_gche, keys, values, bias_hcm).reshape(n, r, -1))


class EncoderBlock(nn.Module):
    """Self-attention, in some layers cross-attention to the chunk, feed-forward; each added to what enters it."""

    def __init__(self, config: RetroConfig, layer: int) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.encoder_width)
        self.attention = NeighbourSelfAttention(config)
        reads = layer in config.encoder_cross_layers
        self.reading_norm = RMSNorm(config.encoder_width) if reads else None
        self.reading = ChunkReading(config) if reads else None
        self.feed_norm = RMSNorm(config.encoder_width)
        self.up = nn.Linear(config.encoder_width, config.encoder_feed_forward, bias=False)
        self.down = nn.Linear(config.encoder_feed_forward, config.encoder_width, bias=False)

    def forward(self, x_nrd: Tensor, padding_nr: Tensor, chunk_gmd: Tensor) -> Tensor:
        x_nrd = x_nrd + self.attention(self.attention_norm(x_nrd), padding_nr)
        if self.reading is not None and self.reading_norm is not None:
            x_nrd = x_nrd + self.reading(self.reading_norm(x_nrd), chunk_gmd)
        return x_nrd + self.down(F.gelu(self.up(self.feed_norm(x_nrd)), approximate="tanh"))


class NeighbourEncoder(nn.Module):
    """Neighbours' tokens and the activations of their chunks to E."""

    def __init__(self, config: RetroConfig) -> None:
        super().__init__()
        self.embedding = (
            None if config.shared_embedding else nn.Embedding(config.decoder.vocabulary, config.encoder_width)
        )
        self.shared_norm = RMSNorm(config.decoder.width) if config.shared_embedding else None
        self.project = (
            nn.Linear(config.decoder.width, config.encoder_width, bias=False) if config.shared_embedding else None
        )
        self.blocks = nn.ModuleList(EncoderBlock(config, layer + 1) for layer in range(config.encoder_layers))
        self.norm = RMSNorm(config.encoder_width)

    def forward(self, ids_bukr: Tensor, chunk_bumd: Tensor, look_up: LookUp) -> Encoded:
        """Encode the neighbours of each chunk, −1 for what is missing. `look_up` is the decoder's embedding, for models
        that share it."""
        real_bukr = ids_bukr >= 0
        x_nrd = self._embed(ids_bukr.clamp(min=0).flatten(0, 2), look_up)
        padding_nr = padding_logits(real_bukr.flatten(0, 2), x_nrd.dtype)
        chunk_gmd = chunk_bumd.flatten(0, 1).to(x_nrd.dtype)
        for block in self.blocks:
            x_nrd = block(x_nrd, padding_nr, chunk_gmd)
        return Encoded(states_bukrd=self.norm(x_nrd).view(*ids_bukr.shape, -1), real_bukr=real_bukr)

    def _embed(self, ids_nr: Tensor, look_up: LookUp) -> Tensor:
        if self.embedding is not None:
            return self.embedding(ids_nr)
        assert self.shared_norm is not None
        assert self.project is not None
        # Embeddings of imported models may be far smaller than what the blocks add to them.
        return self.project(self.shared_norm(look_up(ids_nr).to(self.norm.gain.dtype)))
