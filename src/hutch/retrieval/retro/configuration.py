"""The shape of a RETRO model: a decoder, an encoder of neighbours, and the layers that read what it encodes.

Borgeaud et al. 2021 (arXiv:2112.04426), §2 and Table 10. Layers are counted from 1, as in the paper.
"""

import json
from dataclasses import dataclass

from hutch.lm.family import heads_of
from hutch.lm.model import ModelConfig
from hutch.runs.errors import BadInput

PUBLISHED_ENCODER_WIDTH = 896
"""Every published size has an encoder of this width (§2.3)."""

SHALLOW = 9
"""Decoders with fewer layers have no three cross-attentions under the published rule."""


@dataclass(frozen=True, kw_only=True)
class RetroConfig:
    """Everything that sets the sizes of a RETRO model."""

    decoder: ModelConfig
    """The decoder, of which every block can do without retrieval."""
    encoder_width: int
    """Residual width d' of the encoder."""
    encoder_heads: int
    """Attention heads of the encoder."""
    encoder_key_size: int
    """Width of one of them."""
    encoder_feed_forward: int
    """Width of the encoder's feed-forward layers."""
    cross_layers: tuple[int, ...]
    """P: the decoder's layers with chunked cross-attention; what enters the first of them conditions the encoder."""
    encoder_layers: int = 2
    """Blocks of the encoder."""
    encoder_cross_layers: tuple[int, ...] = (1,)
    """The encoder's layers that read the chunk whose neighbours are encoded; none: no conditioning."""
    chunk: int = 64
    """Tokens m of a chunk."""
    neighbour_tokens: int = 128
    """The most tokens r of a neighbour and its continuation."""
    shared_embedding: bool = False
    """Whether neighbours are embedded by the decoder's embedding; costs 0.001 bits per byte in the paper."""

    def __post_init__(self) -> None:
        sizes = {name: value for name, value in vars(self).items() if type(value) is int}
        for name, value in sizes.items():
            if value < 1:
                raise BadInput(f"a RETRO model's {name} must be at least 1, not {value}")
        if self.encoder_width % 2 or self.encoder_key_size % 2:
            raise BadInput(
                f"encoder_width {self.encoder_width} and encoder_key_size {self.encoder_key_size} must be even: "
                "positions come in pairs"
            )
        if self.decoder.context % self.chunk:
            raise BadInput(f"the decoder's context {self.decoder.context} is no multiple of the chunk, {self.chunk}")
        if not self.cross_layers:
            raise BadInput("cross_layers is empty: a model without cross-attention has nothing to retrieve for")
        _refuse_layers("cross_layers", self.cross_layers, self.decoder.layers)
        _refuse_layers("encoder_cross_layers", self.encoder_cross_layers, self.encoder_layers)

    @property
    def encoder_attention_width(self) -> int:
        """All heads of the encoder together."""
        return self.encoder_heads * self.encoder_key_size


def published_cross_layers(layers: int) -> tuple[int, ...]:
    """The paper's P: every third layer from 6, from 9 in decoders of more than 15 layers (Table 10).

    Raises BadInput for fewer than 6 layers, of which the paper has none.
    """
    if layers < 6:
        raise BadInput(f"the published rule begins at layer 6 and the decoder has {layers}: name its cross_layers")
    return tuple(range(6 if layers <= 15 else 9, layers + 1, 3))


def shallow_cross_layers(layers: int) -> tuple[int, ...]:
    """Every third layer counted back from the last, without the first: (3, 6) of 6 layers.

    For decoders below the published sizes; which layers they are hardly matters (§4.3: 0.822 to 0.831 bits per byte).
    """
    return tuple(range(layers, min(1, layers - 1), -3))[::-1]


def retro_of(
    decoder: ModelConfig, *, encoder_width: int | None = None, cross_layers: tuple[int, ...] | None = None
) -> RetroConfig:
    """The RETRO model around a decoder: an encoder of half its width, at most the published 896, and the published
    cross-attention layers where the decoder is deep enough for three of them."""
    width = encoder_width or min(PUBLISHED_ENCODER_WIDTH, 2 * max(1, decoder.width // 4))
    heads = heads_of(width)
    rule = shallow_cross_layers if decoder.layers < SHALLOW else published_cross_layers
    return RetroConfig(
        decoder=decoder,
        encoder_width=width,
        encoder_heads=heads,
        encoder_key_size=2 * max(1, width // heads // 2),
        encoder_feed_forward=4 * width,
        cross_layers=cross_layers or rule(decoder.layers),
    )


def read_config(text: str) -> RetroConfig:
    """The configuration that `hutch.runs.canonical_json` wrote. Raises ValueError, KeyError or TypeError for others."""
    fields = json.loads(text)
    fields["decoder"] = ModelConfig(**fields["decoder"])
    for name in ("cross_layers", "encoder_cross_layers"):
        fields[name] = tuple(fields[name])
    return RetroConfig(**fields)


def _refuse_layers(name: str, chosen: tuple[int, ...], layers: int) -> None:
    if list(chosen) != sorted(set(chosen)):
        raise BadInput(f"{name} must rise, each layer once, not {chosen}")
    outside = [layer for layer in chosen if not 1 <= layer <= layers]
    if outside:
        raise BadInput(f"{name} names layer {outside[0]}; the layers are 1 to {layers}")
