"""Parameters and FLOPs of a transformer, exact, in Python integers, under named conventions.

Hoffmann et al. 2022 (arXiv:2203.15556), Appendix F. A multiply–add is 2 FLOP; training is 3 × forward.
Kaplan et al. 2020 (arXiv:2001.08361) count otherwise, in functions that bear the name.
Legend: S context, V vocabulary, d width, k key size, h heads, f feed-forward, ℓ layers.
"""

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Literal, get_args

from hutch.runs.errors import BadInput
from hutch.scaling.columns import positive_number
from hutch.scaling.shapes import Shape

Positions = Literal["relative", "rotary"]
Convention = Literal["literal", "table-a4", "executed"]
Recomputation = Literal["none", "selective", "full"]

TRAINING_PER_FORWARD = 3
"""The backward pass counts as twice the forward pass."""

_ATTENTION_CORE = ("attention_logits", "softmax", "attention_values")
_OUTSIDE_LAYERS = ("input_embedding", "output_logits")
_PROJECTIONS = ("query_key_value", "attention_output", "feed_forward", "position_projection")
_NAMES = (*_ATTENTION_CORE, *_OUTSIDE_LAYERS, *_PROJECTIONS)


def parameters(shape: Shape, positions: Positions = "relative") -> int:
    """N = V·d + ℓ·(m·d·k·h + 2·d·f), tied embedding, without norms and biases.

    m is 5 with relative positions (Q, K, V, output and the projection of the position encoding: the count
    behind Table A9, within 0.8 %) and 4 with rotary ones.
    """
    return shape.vocabulary * shape.width + parameters_non_embedding(shape, positions)


def parameters_non_embedding(shape: Shape, positions: Positions = "relative") -> int:
    """ℓ·(m·d·k·h + 2·d·f): Kaplan's N (arXiv:2001.08361, §2.1), which leaves the embedding out."""
    matrices = 4 + _position_projections(positions)
    attention = matrices * shape.width * shape.attention_width
    return shape.layers * (attention + 2 * shape.width * shape.feed_forward)


def forward_operations(shape: Shape, convention: Convention, positions: Positions = "relative") -> dict[str, int]:
    """FLOP of the forward pass of one sequence of S tokens, by operation, summed over layers.

    "literal": every row of Appendix F, the input embedding as a V×d product.
    "table-a4": layers only; the one convention that reproduces Table A4.
    "executed": what the hardware runs: output logits yes, the input embedding (a look-up) no, and with
    relative positions the projection of the position encoding, once a sequence. The extra Q·R product of
    relative attention is not counted, nor are norms, rotations and the saving of a causal mask.
    """
    if convention not in get_args(Convention):
        raise BadInput(f"convention is {convention!r}; one of {', '.join(get_args(Convention))} is needed")
    projections = _position_projections(positions)
    s, d, v, kh = shape.context, shape.width, shape.vocabulary, shape.attention_width
    layer = {
        "query_key_value": 2 * 3 * s * d * kh,
        "attention_logits": 2 * s * s * kh,
        "softmax": 3 * shape.heads * s * s,
        "attention_values": 2 * s * s * kh,
        "attention_output": 2 * s * kh * d,
        "feed_forward": 2 * s * 2 * d * shape.feed_forward,
    }
    if convention == "executed" and projections:
        layer["position_projection"] = 2 * s * d * kh * projections
    operations = {name: shape.layers * flop for name, flop in layer.items()}
    if convention == "literal":
        operations["input_embedding"] = 2 * s * v * d
    if convention != "table-a4":
        operations["output_logits"] = 2 * s * d * v
    return operations


def training_operations(
    shape: Shape,
    convention: Convention,
    positions: Positions = "relative",
    *,
    recomputation: Recomputation = "none",
    extra: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """FLOP to train on one sequence, by operation: `forward_operations` times 3, or 4 where it runs again.

    `recomputation` of activations in the backward pass (Korthikanti et al. 2022, arXiv:2205.05198): "full" runs
    the layers again, "selective" only logits, softmax and weighted values of attention, which hold S² numbers.
    `extra` adds operations of one's own, such as a retrieval encoder and cross-attention: FLOP of the forward pass
    of one sequence, by name. They count as parts of the layers.
    """
    again = _recomputed(recomputation)
    forward = forward_operations(shape, convention, positions) | _extra(extra)
    return {name: (TRAINING_PER_FORWARD + again(name)) * flop for name, flop in forward.items()}


def training_flops_per_token(
    shape: Shape,
    convention: Convention,
    positions: Positions = "relative",
    *,
    recomputation: Recomputation = "none",
    extra: Mapping[str, int] | None = None,
) -> int:
    """Training FLOP per token: exact, as every term of Appendix F is a multiple of S; `extra` may round down."""
    operations = training_operations(shape, convention, positions, recomputation=recomputation, extra=extra)
    return sum(operations.values()) // shape.context


def training_flops(
    shape: Shape,
    tokens: int | float,
    convention: Convention,
    positions: Positions = "relative",
    *,
    recomputation: Recomputation = "none",
    extra: Mapping[str, int] | None = None,
) -> int | float:
    """Training FLOP for `tokens` tokens: an int of any size if `tokens` is one, else a float."""
    per_token = training_flops_per_token(shape, convention, positions, recomputation=recomputation, extra=extra)
    return per_token * _exact("tokens", tokens)


def kaplan_forward_flops_per_token(shape: Shape) -> int:
    """2·N + 2·ℓ·S·k·h, N without embeddings (Kaplan et al. 2020, Table 1): one S²-product of attention, not two."""
    context_dependent = 2 * shape.layers * shape.context * shape.attention_width
    return 2 * parameters_non_embedding(shape, "rotary") + context_dependent


def kaplan_training_flops(shape: Shape, tokens: int | float, *, attention: bool = False) -> int | float:
    """Kaplan's C = 6·N·D, N without embeddings; with `attention`, 3 times the finer forward count."""
    per_token = 2 * parameters_non_embedding(shape, "rotary")
    if attention:
        per_token = kaplan_forward_flops_per_token(shape)
    return TRAINING_PER_FORWARD * per_token * _exact("tokens", tokens)


def flops_6nd(parameters: int | float, tokens: int | float) -> int | float:
    """C ≈ 6·N·D: an exact int for two ints (no 64-bit overflow), else a float."""
    return 6 * _exact("parameters", parameters) * _exact("tokens", tokens)


def _position_projections(positions: Positions) -> int:
    if positions not in get_args(Positions):
        raise BadInput(f"positions is {positions!r}; one of {', '.join(get_args(Positions))} is needed")
    return 1 if positions == "relative" else 0


def _recomputed(recomputation: Recomputation) -> Callable[[str], bool]:
    """Whether an operation, by name, runs again in the backward pass."""
    if recomputation == "full":
        return lambda name: name not in _OUTSIDE_LAYERS
    if recomputation == "selective":
        return lambda name: name in _ATTENTION_CORE
    if recomputation != "none":
        raise BadInput(f"recomputation is {recomputation!r}; one of {', '.join(get_args(Recomputation))} is needed")
    return lambda name: False


def _extra(extra: Mapping[str, int] | None) -> dict[str, int]:
    """Whole numbers from 0 as Python's own, under names that the transformer does not use."""
    for name, flop in (extra or {}).items():
        if name in _NAMES:
            raise BadInput(f"extra operation {name!r} is one that the transformer has; give it another name")
        if isinstance(flop, bool) or not isinstance(flop, Integral) or flop < 0:
            raise BadInput(f"extra operation {name!r} is {flop!r}; a whole number of FLOP from 0 is needed")
    return {name: int(flop) for name, flop in (extra or {}).items()}


def _exact(name: str, value: int | float) -> int | float:
    """NumPy integers become Python's, which do not overflow."""
    number = positive_number(name, value)
    return number if isinstance(value, float) else int(value)
