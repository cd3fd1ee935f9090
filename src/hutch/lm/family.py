"""A family: models that differ in size alone. The shapes, and the rule for sizes below the published ones.

From 44M up the shapes are Gopher's Table 1 and Chinchilla's Table A9 (`hutch.scaling.shapes`). Below, the rule keeps
what their two smallest have in common: 64 units of width a layer (512 × 8, 768 × 12), never fewer than two layers,
feed-forward 4 d, and narrower heads for narrower models.
"""

import dataclasses

from hutch.lm.model import ModelConfig
from hutch.scaling import Shape
from hutch.scaling.flops import Positions

ASPECT = 64
"""Width per layer."""

SMALLEST_WIDTH = 12
"""Narrower models spend nearly all their time in the softmax over the vocabulary."""


def widths(largest: int = 1024) -> list[int]:
    """The rule's widths: steps of 4 up to 32, of 8 to 96, of 16 to 256, of 32 to 512, of 64 above."""
    found, width = [], SMALLEST_WIDTH
    while width <= largest:
        found.append(width)
        width += next((step for limit, step in ((32, 4), (96, 8), (256, 16), (512, 32)) if width < limit), 64)
    return found


def heads_of(width: int) -> int:
    """As many heads as leave each an even key size of at least 64 (from width 768), 32 (from 128) or 16."""
    smallest = 64 if width >= 768 else 32 if width >= 128 else 16
    fitting = [h for h in range(1, width // smallest + 1) if width % (2 * h) == 0]
    return max(fitting, default=1)


def model_of_width(width: int, *, vocabulary: int, context: int, positions: Positions = "rotary") -> ModelConfig:
    """The rule's model of this width."""
    heads = heads_of(width)
    return ModelConfig(
        layers=max(2, round(width / ASPECT)),
        width=width,
        heads=heads,
        key_size=width // heads,
        feed_forward=4 * width,
        vocabulary=vocabulary,
        context=context,
        positions=positions,
    )


def model_of_shape(shape: Shape, *, positions: Positions = "relative") -> ModelConfig:
    """A published shape (`hutch.scaling`: GOPHER_FAMILY, CHINCHILLA_TABLE_A9) as a model."""
    return ModelConfig(**dataclasses.asdict(shape), positions=positions)


def shape_of(model: ModelConfig) -> Shape:
    """The same shape in the words of `hutch.scaling`, which counts its parameters and FLOPs."""
    sizes: dict[str, int] = {field.name: getattr(model, field.name) for field in dataclasses.fields(Shape)}
    return Shape(**sizes)


def family_members(
    *, vocabulary: int, context: int, positions: Positions = "rotary", largest: int = 4096
) -> list[ModelConfig]:
    """The rule's models up to the width `largest`, smallest first."""
    return [
        model_of_width(width, vocabulary=vocabulary, context=context, positions=positions) for width in widths(largest)
    ]
