"""What retrieval costs in training: the encoder, once for all layers, and each layer's chunked cross-attention.

Legend, of one sequence: s tokens, l chunks, n encoded tokens l·k·r, d and d' widths of decoder and encoder, a and a'
their attention widths, f' the encoder's feed-forward width.

A multiply–add is 2 FLOP and a softmax 3 a logit, as in Hoffmann et al. 2022, Appendix F. Left out: norms, rotations,
look-ups, adding biases, and the maps of distances to logits, (m + r − 1) · 2·d·h for each of them and each
batch, not sequence: 0.01 % of a small model's step.
"""

from hutch.lm.family import shape_of
from hutch.retrieval.retro.configuration import RetroConfig
from hutch.runs.errors import BadInput
from hutch.scaling.flops import TRAINING_PER_FORWARD, forward_operations, training_flops_per_token

READ_OUT, ATTENTION = "output_logits", ("attention_logits", "softmax", "attention_values")


def retro_operations(config: RetroConfig, neighbours: int) -> dict[str, int]:
    """FLOP that k `neighbours` a chunk add to the forward pass of one sequence of the full context, by operation."""
    if neighbours < 0:
        raise BadInput(f"neighbours is {neighbours}; a whole number from 0 is needed")
    if neighbours == 0:
        return {}
    tokens = config.decoder.context // config.chunk * neighbours * config.neighbour_tokens
    return {**_encoder(config, tokens), **_cross_attention(config, tokens)}


def retro_training_flops_per_token(config: RetroConfig, neighbours: int) -> int:
    """Training FLOP per token of the decoder's text, k `neighbours` a chunk: 3 × forward, rounded down. For a model
    that trains whole."""
    decoder = config.decoder
    extra = retro_operations(config, neighbours)
    return training_flops_per_token(shape_of(decoder), "executed", decoder.positions, extra=extra)


def retrofit_training_flops_per_token(config: RetroConfig, neighbours: int) -> int:
    """The same where the decoder is frozen (§4.4): of the read-out and of what lies above the first layer that reads
    neighbours, gradients of activations alone, below it none at all; what is added is trained whole."""
    decoder = config.decoder
    forward = forward_operations(shape_of(decoder), "executed", decoder.positions)
    above = decoder.layers - config.cross_layers[0]
    # Both factors of an attention's products are activations: two gradients each.
    layers = {name: flop * (2 if name in ATTENTION else 1) for name, flop in forward.items() if name != READ_OUT}
    back = forward[READ_OUT] + (above * sum(layers.values()) + forward["feed_forward"]) // decoder.layers
    added = TRAINING_PER_FORWARD * sum(retro_operations(config, neighbours).values())
    return (sum(forward.values()) + back + added) // decoder.context


def _encoder(config: RetroConfig, tokens: int) -> dict[str, int]:
    d, a, f = config.encoder_width, config.encoder_attention_width, config.encoder_feed_forward
    layers, readers = config.encoder_layers, len(config.encoder_cross_layers)
    logits_self = tokens * config.neighbour_tokens
    logits_chunk = tokens * config.chunk
    shared = 2 * tokens * config.decoder.width * d if config.shared_embedding else 0
    return {
        "encoder_embedding": shared,
        "encoder_self_attention": layers * (2 * tokens * d * 4 * a + _core(logits_self, a, config.encoder_heads)),
        "encoder_cross_attention": readers
        * (
            2 * tokens * d * 2 * a
            + 2 * config.decoder.context * config.decoder.width * 2 * a
            + _core(logits_chunk, a, config.encoder_heads)
        ),
        "encoder_feed_forward": layers * 2 * tokens * 2 * d * f,
    }


def _cross_attention(config: RetroConfig, tokens: int) -> dict[str, int]:
    decoder, layers = config.decoder, len(config.cross_layers)
    s, d, a = decoder.context, decoder.width, decoder.attention_width
    return {
        "cross_query_output": layers * 2 * s * d * 2 * a,
        "cross_key_value": layers * 2 * tokens * config.encoder_width * 2 * a,
        "cross_attention": layers * _core(config.chunk * tokens, a, decoder.heads),
    }


def _core(logits: int, attention_width: int, heads: int) -> int:
    """Logits, softmax and weighted values, of `logits` pairs a head."""
    return 4 * logits * attention_width + 3 * heads * logits
