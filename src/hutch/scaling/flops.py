"""Parameters and FLOPs of a transformer, exact, in Python integers, under named conventions.

Hoffmann et al. 2022 (arXiv:2203.15556), Appendix F. A multiply–add is 2 FLOP; training is 3 × forward.
Legend: S context, V vocabulary, d width, k key size, h heads, f feed-forward, ℓ layers.
"""

from typing import Literal, get_args

from hutch.runs.errors import BadInput
from hutch.scaling.columns import positive_number
from hutch.scaling.shapes import Shape

Positions = Literal["relative", "rotary"]
Convention = Literal["literal", "table-a4", "executed"]

TRAINING_PER_FORWARD = 3
"""The backward pass counts as twice the forward pass."""


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


def training_operations(shape: Shape, convention: Convention, positions: Positions = "relative") -> dict[str, int]:
    """`forward_operations` times 3: FLOP to train on one sequence, by operation."""
    forward = forward_operations(shape, convention, positions)
    return {name: TRAINING_PER_FORWARD * flop for name, flop in forward.items()}


def training_flops_per_token(shape: Shape, convention: Convention, positions: Positions = "relative") -> int:
    """Training FLOP per token: exact, as every term of Appendix F is a multiple of S."""
    return sum(training_operations(shape, convention, positions).values()) // shape.context


def training_flops(
    shape: Shape, tokens: int | float, convention: Convention, positions: Positions = "relative"
) -> int | float:
    """Training FLOP for `tokens` tokens: an int of any size if `tokens` is one, else a float."""
    return training_flops_per_token(shape, convention, positions) * _exact("tokens", tokens)


def flops_6nd(parameters: int | float, tokens: int | float) -> int | float:
    """C ≈ 6·N·D: an exact int for two ints (no 64-bit overflow), else a float."""
    return 6 * _exact("parameters", parameters) * _exact("tokens", tokens)


def _position_projections(positions: Positions) -> int:
    if positions not in get_args(Positions):
        raise BadInput(f"positions is {positions!r}; one of {', '.join(get_args(Positions))} is needed")
    return 1 if positions == "relative" else 0


def _exact(name: str, value: int | float) -> int | float:
    """NumPy integers become Python's, which do not overflow."""
    number = positive_number(name, value)
    return number if isinstance(value, float) else int(value)
