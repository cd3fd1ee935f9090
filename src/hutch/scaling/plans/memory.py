"""Memory of a training run: what each parameter takes, and what a sequence's activations take.

States: Rajbhandari et al. 2020 (ZeRO, arXiv:1910.02054, §3.1). Activations: Korthikanti et al. 2022
(arXiv:2205.05198, §4), without tensor, sequence or pipeline parallelism.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from hutch.runs.errors import BadInput
from hutch.scaling.devices import Device
from hutch.scaling.flops import Recomputation, training_operations
from hutch.scaling.shapes import Shape

Precision = Literal["mixed", "float32"]

BYTES_PER_PARAMETER: dict[Precision, dict[str, int]] = {
    "mixed": {"weights": 2, "gradients": 2, "optimizer": 12},
    "float32": {"weights": 4, "gradients": 4, "optimizer": 8},
}
"""With Adam: mixed precision keeps weights and gradients at 16 bits and, for the optimizer, the weights and both
moments at 32; float32 keeps all four at 32. 16 bytes either way."""


@dataclass(frozen=True, kw_only=True)
class Activations:
    """Bytes that the forward pass of one sequence leaves for the backward pass."""

    stored: int
    """Everything kept: ℓ·s·h·(34 + 5·a·s/h) at 16 bits."""
    without_scores: int
    """No s×s matrix kept, as with flash attention or selective recomputation: ℓ·34·s·h at 16 bits."""
    recomputed: int
    """Only each layer's input kept and the layer recomputed (full recomputation), with the layer at work beside them:
    ℓ·2·s·h plus one layer without scores."""
    recomputation: float
    """Executed FLOP with full recomputation over those without, about 4/3."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes, and how many devices hold the states when they are split evenly among them."""

    precision: Precision
    bytes_per_parameter: dict[str, int]
    weights: float
    gradients: float
    optimizer: float
    states: float
    activations_per_sequence: Activations | None
    activations_reason: str | None
    """Why there are no activations."""
    device_memory: int
    devices_for_states: int
    """Activations, buffers and the device's own needs come on top."""
    source: str = (
        "states: Rajbhandari et al. 2020 (arXiv:1910.02054, §3.1); activations: Korthikanti et al. 2022 "
        "(arXiv:2205.05198, §4), one sequence, no model parallelism"
    )


def memory_of(
    parameters: float, shape: Shape | None, device: Device, *, precision: Precision = "mixed", why: str | None = None
) -> Memory:
    """Memory of training `parameters` parameters, `shape` being their transformer, or None for the reason `why`."""
    if precision not in get_args(Precision):
        raise BadInput(f"precision is {precision!r}; one of {', '.join(get_args(Precision))} is needed")
    parts = BYTES_PER_PARAMETER[precision]
    bytes_of = {name: parameters * size for name, size in parts.items()}
    states = sum(bytes_of.values())
    return Memory(
        precision=precision,
        bytes_per_parameter=parts,
        weights=bytes_of["weights"],
        gradients=bytes_of["gradients"],
        optimizer=bytes_of["optimizer"],
        states=states,
        activations_per_sequence=None if shape is None else activations_of(shape, precision),
        activations_reason=why if shape is None else None,
        device_memory=device.memory_bytes,
        devices_for_states=max(1, math.ceil(states / device.memory_bytes)),
    )


def activations_of(shape: Shape, precision: Precision = "mixed") -> Activations:
    """Korthikanti et al. 2022, eq. 1 and §4.3, for one sequence; s context, h attention width, a heads, v vocabulary.

    Of the 34·s·h bytes of a layer 2·s·h are one-byte dropout masks, and of the 5·a·s² one is; at 32 bits only the
    rest doubles. The ends of the network add the embedding's mask and 4·s·h·(1 + v/h), logits at 32 bits.
    """
    wide = 2 if precision == "float32" else 1
    s, h, v = shape.context, shape.width, shape.vocabulary
    layer = (32 * wide + 2) * s * h
    scores = (4 * wide + 1) * shape.heads * s * s
    ends = s * h + 4 * wide * s * h + 4 * s * v
    return Activations(
        stored=shape.layers * (layer + scores) + ends,
        without_scores=shape.layers * layer + ends,
        recomputed=shape.layers * 2 * wide * s * h + layer + ends,
        recomputation=_executed(shape, "full") / _executed(shape, "none"),
    )


def _executed(shape: Shape, recomputation: Recomputation) -> int:
    """FLOP to train on one sequence, as the hardware runs them."""
    return sum(training_operations(shape, "executed", "rotary", recomputation=recomputation).values())
