"""The Gopher family's transformer: decoder only, RMSNorm, GELU feed-forward of 4 d, one tied embedding.

Legend: b batch, t time, c columns of a cache, d width, h heads, e key size, r distances, v vocabulary, f feed-forward
width.

Gopher (Rae et al. 2021, §3.1) uses Transformer-XL's relative positions; rotary ones are the default here since
they cost a fifth less on a CPU. Widths follow the maximal-update rule (Yang et al. 2022, Tensor Programs V): embedding
entries start at one scale for all widths, hidden matrices at 1/√fan-in, and logits are divided by the width, so
that one learning rate serves the family (see `hutch.lm.optimizer`).
"""

import math
from dataclasses import dataclass
from typing import get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hutch.lm.cross_entropy import chunked_cross_entropy, rows_at_once
from hutch.lm.kv_cache import KeyValueCache, Memory
from hutch.lm.norms import RMSNorm
from hutch.lm.positions import rotary_table, rotate, shift_distances, sinusoids
from hutch.runs.errors import BadInput
from hutch.scaling.flops import Positions

LOGIT_SCALE = 8.0
"""Logits are h·Eᵀ·LOGIT_SCALE / d."""

EMBEDDING_STD = 0.3
"""Standard deviation of an embedding's entries at the start; from 0.1 to 1 it hardly matters (docs/log.md)."""


MOST_COMPILED_LOGITS = 1 << 24
SHORT_CONTEXT = 512
"""Up to so many keys, a compiler's own attention in bfloat16 is faster on a CPU than torch's (docs/log.md)."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of one member of the family."""

    layers: int
    """Transformer blocks."""
    width: int
    """Residual width d."""
    heads: int
    """Attention heads."""
    key_size: int
    """Width of one head's queries, keys and values; heads × key size need not be the width (Table A9 has such rows)."""
    feed_forward: int
    """Width of the feed-forward layer; 4 d in every published member."""
    vocabulary: int
    """Token ids, 0 … vocabulary − 1."""
    context: int
    """Tokens that the model is trained to see at once."""
    positions: Positions = "rotary"
    """"rotary", or "relative" for Gopher's Transformer-XL encoding."""

    def __post_init__(self) -> None:
        sizes = {name: value for name, value in vars(self).items() if name != "positions"}
        for name, value in sizes.items():
            if value < 1:
                raise BadInput(f"a model's {name} must be at least 1, not {value}")
        if self.width % 2 or self.key_size % 2:
            raise BadInput(f"width {self.width} and key size {self.key_size} must be even: positions come in pairs")
        if self.positions not in get_args(Positions):
            raise BadInput(f"positions must be one of {', '.join(get_args(Positions))}, not {self.positions!r}")

    @property
    def attention_width(self) -> int:
        """All heads together."""
        return self.heads * self.key_size


class Linear(nn.Linear):
    """A product without bias, in the type of its input: weights may be wider than what they work on."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight.to(input.dtype))


class RotaryAttention(nn.Module):
    """Causal multi-head attention with rotary positions."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads, self.key_size = config.heads, config.key_size
        self.qkv = Linear(config.width, 3 * config.attention_width)
        self.output = Linear(config.attention_width, config.width)
        self.register_buffer("turns", rotary_table(config.context, config.key_size), persistent=False)

    def forward(self, x_btd: Tensor, memory: Memory | None = None) -> Tensor:
        b, t, _ = x_btd.shape
        qkv_bt3he = self.qkv(x_btd).view(b, t, 3, self.heads, self.key_size)
        turns = self.turns[:t] if memory is None else memory.at_places(self.turns)
        qk_bt2he = rotate(qkv_bt3he[:, :, :2], turns[..., None, None, :, :])
        (q, k), v = qk_bt2he.permute(2, 0, 3, 1, 4), qkv_bt3he[:, :, 2].transpose(1, 2)
        if memory is None:
            y_bhte = causal_attention(q, k, v)
        else:
            keys, values = memory.extend(k, v)
            y_bhte = F.scaled_dot_product_attention(q, keys, values, memory.visible_b1tc)
        return self.output(y_bhte.transpose(1, 2).flatten(2))


class RelativeAttention(nn.Module):
    """Causal multi-head attention with Transformer-XL's positions (Dai et al. 2019, §3.3): the score of query q
    and key k is (q + u)·k + (q + v)·W_r R_{q−k}, with u, v learned for each head."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads, self.key_size = config.heads, config.key_size
        self.qkv = Linear(config.width, 3 * config.attention_width)
        self.position = Linear(config.width, config.attention_width)
        self.output = Linear(config.attention_width, config.width)
        self.content_bias = nn.Parameter(torch.zeros(config.heads, 1, config.key_size))
        self.position_bias = nn.Parameter(torch.zeros(config.heads, 1, config.key_size))

    def forward(self, x_btd: Tensor, memory: Memory | None = None) -> Tensor:
        b, t, d = x_btd.shape
        q, k, v = self.qkv(x_btd).view(b, t, 3, self.heads, self.key_size).permute(2, 0, 3, 1, 4)
        if memory is not None:
            return self._attend(q, k, v, memory)
        # Distances are made afresh from t, so that evaluation may run longer than training did.
        r_hre = self.position(sinusoids(t, d).to(x_btd)).view(t, self.heads, self.key_size).transpose(0, 1)
        by_content = (q + self.content_bias.to(q.dtype)) @ k.transpose(-1, -2)
        by_position = shift_distances((q + self.position_bias.to(q.dtype)) @ r_hre.transpose(-1, -2))
        future = torch.ones(t, t, dtype=torch.bool, device=x_btd.device).triu(1)
        score = ((by_content + by_position) / math.sqrt(self.key_size)).masked_fill(future, float("-inf"))
        y_bhte = score.float().softmax(-1).to(v.dtype) @ v
        return self.output(y_bhte.transpose(1, 2).flatten(2))

    def _attend(self, q_bhte: Tensor, k_bhte: Tensor, v_bhte: Tensor, memory: Memory) -> Tensor:
        """The same with the keys of a memory."""
        keys, values = memory.extend(k_bhte, v_bhte)
        r_hre = memory.once("distances", self._keys_of_distances)[:, : memory.columns].to(q_bhte.dtype)
        by_content = (q_bhte + self.content_bias.to(q_bhte.dtype)) @ keys.transpose(-1, -2)
        by_distance = (q_bhte + self.position_bias.to(q_bhte.dtype)) @ r_hre.transpose(-1, -2)
        columns_c = torch.arange(memory.columns, device=keys.device)
        distance_b1tc = (memory.places_bt[:, None, :, None] - columns_c).clamp(min=0)
        score = by_content + by_distance.gather(-1, distance_b1tc.expand_as(by_distance))
        score = score / math.sqrt(self.key_size)
        if memory.visible_b1tc is not None:
            score = score.masked_fill(~memory.visible_b1tc, float("-inf"))
        y_bhte = score.float().softmax(-1).to(values.dtype) @ values
        return self.output(y_bhte.transpose(1, 2).flatten(2))

    def _keys_of_distances(self, columns: int) -> Tensor:
        """W_r R of the distances 0 … columns − 1, [h, r, e]."""
        weight = self.position.weight
        nearest_first = sinusoids(columns, weight.shape[1]).flip(0).to(weight)
        return self.position(nearest_first).view(columns, self.heads, self.key_size).transpose(0, 1)


def causal_attention(q_bhte: Tensor, k_bhte: Tensor, v_bhte: Tensor) -> Tensor:
    """softmax(q·kᵀ / √e)·v over the keys that are not later than the query."""
    t, half = q_bhte.shape[2], q_bhte.dtype == torch.bfloat16
    if not (torch.compiler.is_compiling() and half and t <= SHORT_CONTEXT and q_bhte.device.type == "cpu"):
        return F.scaled_dot_product_attention(q_bhte, k_bhte, v_bhte, is_causal=True)
    score = (q_bhte @ k_bhte.transpose(-1, -2)).float() / math.sqrt(q_bhte.shape[-1])
    future = torch.ones(t, t, dtype=torch.bool, device=q_bhte.device).triu(1)
    return score.masked_fill(future, float("-inf")).softmax(-1).to(v_bhte.dtype) @ v_bhte


def gelu(x: Tensor) -> Tensor:
    """The Gaussian error linear unit in its tanh form (Hendrycks and Gimpel 2016, §2). Compiled, the same function is
    faster as x·σ(2·√(2/π)·(x + 0.044715·x³)): processors have vectors of exponentials and none of tanh."""
    if not torch.compiler.is_compiling():
        return F.gelu(x, approximate="tanh")
    wide = x.float()
    return (wide * torch.sigmoid(2 * math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3))).to(x.dtype)


class Block(nn.Module):
    """x + attention(norm(x)), then x + feed-forward(norm(x))."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.width)
        self.attention = (RotaryAttention if config.positions == "rotary" else RelativeAttention)(config)
        self.feed_norm = RMSNorm(config.width)
        self.up = Linear(config.width, config.feed_forward)
        self.down = Linear(config.feed_forward, config.width)

    def forward(self, x_btd: Tensor, memory: Memory | None = None) -> Tensor:
        return self.feed(self.attend(x_btd, memory))

    def attend(self, x_btd: Tensor, memory: Memory | None = None) -> Tensor:
        """The first half: x + attention(norm(x))."""
        return x_btd + self.attention(self.attention_norm(x_btd), memory)

    def feed(self, x_btd: Tensor) -> Tensor:
        """The second half: x + feed-forward(norm(x))."""
        return x_btd + self.down(gelu(self.up(self.feed_norm(x_btd))))


class Transformer(nn.Module):
    """A member of the family: token ids [b, t] to logits [b, t, v]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width)
        self.compute_dtype = torch.float32
        """What activations are and products are made in. Weights, norms, softmax and loss stay in float32."""

    def forward(self, ids_bt: Tensor) -> Tensor:
        return self.logits(self.hidden(ids_bt))

    def hidden(self, ids_bt: Tensor, cache: KeyValueCache | None = None) -> Tensor:
        """What the last block leaves, [b, t, d]. With a cache, `ids_bt` go on from the tokens that it holds and are
        written behind them; the caller then adds to its lengths what was no padding."""
        x_btd = self.embedding(ids_bt).to(self.compute_dtype)
        memories = [None] * len(self.blocks) if cache is None else cache.memories(ids_bt.shape[1])
        for block, memory in zip(self.blocks, memories, strict=True):
            x_btd = block(x_btd, memory)
        return x_btd

    def logits(self, x_btd: Tensor) -> Tensor:
        """The logits of what comes after each of `x_btd`, [..., v]."""
        scaled = self._scaled(x_btd)
        return F.linear(scaled, self.embedding.weight.to(scaled.dtype))

    def width_of(self, parameter_name: str) -> int:
        """The optimizer's rule takes one width for all matrices."""
        return self.config.width

    def _scaled(self, x_btd: Tensor) -> Tensor:
        """What the embedding is multiplied with."""
        return self.norm(x_btd) * (LOGIT_SCALE / self.config.width)

    def new_cache(self, rows: int, columns: int) -> KeyValueCache:
        """An empty cache for `rows` texts of up to `columns` tokens."""
        config = self.config
        return KeyValueCache(
            layers=config.layers,
            rows=rows,
            columns=columns,
            heads=config.heads,
            key_size=config.key_size,
            like=self.embedding.weight.new_empty(0, dtype=self.compute_dtype),
        )

    def loss(self, ids_bt: Tensor, targets_bt: Tensor, reduction: str = "mean") -> Tensor:
        """Cross-entropy in nats per token, in float32; "none" gives a flat [b·t] vector. For a mean, the logits are
        never held whole (`hutch.lm.cross_entropy`)."""
        targets_n, vocabulary = targets_bt.flatten(), self.config.vocabulary
        # What is compiled runs faster with logits in one piece, where memory allows it.
        whole = torch.compiler.is_compiling() and len(targets_n) * vocabulary <= MOST_COMPILED_LOGITS
        if reduction != "mean" or whole:
            return F.cross_entropy(self(ids_bt).flatten(0, 1).float(), targets_n, reduction=reduction)
        scaled_nd = self._scaled(self.hidden(ids_bt)).flatten(0, 1)
        rows = rows_at_once(vocabulary, scaled_nd.device.type)
        return chunked_cross_entropy(scaled_nd, self.embedding.weight, targets_n, rows)

    def parameter_count(self) -> int:
        """Trainable parameters, the tied embedding once."""
        return sum(p.numel() for p in self.parameters())


def initialise(model: Transformer, seed: int) -> None:
    """Fill the weights from `seed` alone.

    Embeddings N(0, EMBEDDING_STD²), matrices N(0, 1/fan-in), and the two of a block that write to the residual
    stream divided by √(2·layers), so that its variance does not grow with depth.
    """
    generator = torch.Generator().manual_seed(seed)
    depth = math.sqrt(2 * model.config.layers)
    with torch.no_grad():
        model.embedding.weight.normal_(std=EMBEDDING_STD, generator=generator)
        for name, weight in model.named_parameters():
            if weight.ndim == 2 and "embedding" not in name:
                writes = name.endswith(("attention.output.weight", "down.weight"))
                std = 1 / math.sqrt(weight.shape[1]) / (depth if writes else 1)
                weight.normal_(std=std, generator=generator)


def build_model(config: ModelConfig, seed: int) -> Transformer:
    """A freshly initialised model on the CPU in float32."""
    model = Transformer(config)
    initialise(model, seed)
    return model
