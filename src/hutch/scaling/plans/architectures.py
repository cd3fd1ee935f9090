"""A concrete transformer for a number of parameters: layers, width, heads, with exact counts.

The rule keeps to the published families (Hoffmann et al. 2022, Table A9 and Table 4; Rae et al. 2021, Table 1):

- Widths are multiples of 64 from 512 on, with heads of 128 where they divide a width of at least 1,024 and of 64
  elsewhere: the grid of Table A9, with the steps of 64 between its steps of 128. Below the published sizes the steps
  are 8 (from 128) and 4, with as many heads as leave each an even size of at least 32, or 16 below 128.
- Width per layer near the trend through those shapes, aspect = k·N^e by log–log least squares, and 64 where the
  trend lies lower, as in the smallest of them. At least two layers.
- Feed-forward 4·d.

Kaplan et al. 2020 (§3.2, Figure 5) find the loss to depend little on the aspect at equal parameters, so a shape may
leave the trend a little to meet the size.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from hutch.runs.errors import BadInput
from hutch.scaling.columns import positive_number
from hutch.scaling.flops import Convention, Positions, parameters, parameters_non_embedding, training_flops_per_token
from hutch.scaling.laws import PowerLaw, fit_power_law
from hutch.scaling.shapes import CHINCHILLA, CHINCHILLA_TABLE_A9, GOPHER_FAMILY, Shape

Count = Literal["all", "non-embedding"]

SMALLEST_WIDTH = 16
SMALLEST_ASPECT = 64
MINIMUM_LAYERS = 2
SIZE_TOLERANCE = 0.01
"""A shape this near to the size asked for counts as having it."""
ASPECT_FACTOR = 2.0
"""A shape whose width per layer is this near to the trend counts as following it."""
OFF_GRID = 0.1
"""What a width of 1,024 or more that 128 does not divide costs, in ln aspect."""
CONVENTIONS: tuple[Convention, ...] = ("literal", "table-a4", "executed")


@dataclass(frozen=True, kw_only=True)
class ShapeChoice:
    """A shape with its exact counts."""

    shape: Shape
    positions: Positions
    parameters: int
    """Embedding included, norms and biases left out."""
    parameters_non_embedding: int
    size_error: float
    """Size over the size asked for, in the count of the law, minus 1."""
    aspect: float
    """Width per layer."""
    aspect_trend: float
    flops_per_token: dict[str, int]
    """Training FLOP per token under each of `CONVENTIONS`."""
    rule: str = "width per layer near the trend through Chinchilla's Table A9, Chinchilla and Gopher's family"


@cache
def aspect_law() -> PowerLaw:
    """Width per layer as a power law of parameters, through the 57 published shapes: about 5.8·N^0.124."""
    shapes = [*CHINCHILLA_TABLE_A9.values(), CHINCHILLA, *GOPHER_FAMILY.values()]
    return fit_power_law([parameters(s) for s in shapes], [s.width / s.layers for s in shapes])


def aspect_trend(size: float) -> float:
    """Width per layer that the rule aims at for `size` parameters."""
    return max(float(SMALLEST_ASPECT), aspect_law()(size))


def choose_shape(
    size: float,
    *,
    vocabulary: int = 32_000,
    context: int = 2048,
    positions: Positions = "rotary",
    count: Count = "all",
) -> ShapeChoice:
    """The cheapest shape within 1 % of `size` and a factor of 2 of the trend in aspect; where there is none, the
    cheapest of all. A shape costs |ln(aspect / trend)| + 20·|size error|, and 0.1 where 128 does not divide its width.

    `count` says whether `size` is all parameters or Kaplan's, without the embedding. `BadInput` where the embedding
    alone, or two layers of the narrowest width, are more than half again as large as `size`.
    """
    size = positive_number("parameters", size)
    trend = aspect_trend(size)
    found = _candidates(size, vocabulary, context, positions, count)
    best = min(found, key=lambda shape: _cost(shape, _size(shape, positions, count) / size - 1, trend))
    error = _size(best, positions, count) / size - 1
    if error > 0.5:
        raise BadInput(_too_small(size, vocabulary, _size(best, positions, count)))
    return ShapeChoice(
        shape=best,
        positions=positions,
        parameters=parameters(best, positions),
        parameters_non_embedding=parameters_non_embedding(best, positions),
        size_error=error,
        aspect=best.width / best.layers,
        aspect_trend=trend,
        flops_per_token={name: training_flops_per_token(best, name, positions) for name in CONVENTIONS},
    )


def _candidates(size: float, vocabulary: int, context: int, positions: Positions, count: Count) -> Iterator[Shape]:
    """At each width the two depths on either side of the size."""
    for width in _widths(size):
        heads = _heads(width)
        bare = Shape(
            layers=1,
            width=width,
            heads=heads,
            key_size=width // heads,
            feed_forward=4 * width,
            vocabulary=vocabulary,
            context=context,
        )
        embedding = vocabulary * width if count == "all" else 0
        depth = (size - embedding) / parameters_non_embedding(bare, positions)
        for layers in {max(MINIMUM_LAYERS, math.floor(depth)), max(MINIMUM_LAYERS, math.ceil(depth))}:
            yield Shape(**{**vars(bare), "layers": layers})


def _widths(size: float) -> Iterator[int]:
    """The grid, up to where two layers alone are larger than `size`, or the aspect is over thrice the trend.

    Around a width of 8,192 and more only from half the width on the trend; the steps grow with widths beyond
    65,536, so that an absurd size does not take for ever.
    """
    on_trend = (size * aspect_trend(size) / 12) ** (1 / 3)
    largest = min(math.sqrt(size / (12 * MINIMUM_LAYERS)), 1.5 * on_trend)
    step = 64 * max(1, int(on_trend // 65_536))
    width = SMALLEST_WIDTH if on_trend < 8192 else int(on_trend / 2) // step * step
    yield width
    while width <= largest:
        width += next((small for limit, small in ((128, 4), (512, 8)) if width < limit), step)
        yield width


def _heads(width: int) -> int:
    """Heads of 128 or 64 from a width of 512; below, as many as leave each an even size of at least 32 or 16."""
    if width >= 512:
        return width // (128 if width >= 1024 and width % 128 == 0 else 64)
    smallest = 32 if width >= 128 else 16
    return max((h for h in range(1, width // smallest + 1) if width % (2 * h) == 0), default=1)


def _size(shape: Shape, positions: Positions, count: Count) -> int:
    return parameters(shape, positions) if count == "all" else parameters_non_embedding(shape, positions)


def _cost(shape: Shape, error: float, trend: float) -> tuple[bool, float]:
    """(misses the size or the trend, cost): tuples compare in this order."""
    bend = abs(math.log(shape.width / shape.layers / trend))
    misses = abs(error) > SIZE_TOLERANCE or bend > math.log(ASPECT_FACTOR)
    off_grid = OFF_GRID if shape.width >= 1024 and shape.width % 128 else 0.0
    return misses, bend + 20 * abs(error) + off_grid


def _too_small(size: float, vocabulary: int, least: float) -> str:
    return (
        f"no transformer with a vocabulary of {vocabulary:,} has as few as {size:,.0f} parameters: the smallest shape "
        f"here has {least:,.0f}; give a smaller vocabulary"
    )
