"""The learning rate over a run: linear warm-up, then one of three shapes. All are factors on the peak rate."""

import math
from typing import Literal

Schedule = Literal["cosine", "wsd", "constant"]
"""cosine: down to a tenth over the run's own length. wsd: warm-up, stable, then a decay to nothing over the last part
(Hu et al. 2024, arXiv:2404.06395; Hägele et al. 2024, arXiv:2405.18392: one long run serves many lengths, each branched
off the stable part). constant: no decay, for such a trunk."""


def factor(schedule: Schedule, step: int, steps: int, warmup: int, cooldown: int) -> float:
    """The factor on the peak learning rate at `step` (0-based) of `steps`; `cooldown` is wsd's decay in steps."""
    if step < warmup:
        return (step + 1) / warmup
    if schedule == "cosine":
        return cosine(step, steps, warmup)
    if schedule == "constant" or step < steps - cooldown:
        return 1.0
    return cooled(step - (steps - cooldown), cooldown)


def cosine(step: int, steps: int, warmup: int, floor: float = 0.1) -> float:
    """Warm-up, then a cosine down to `floor`.

    The cosine's length is the run's own length: a cycle more than a quarter too long clearly costs loss
    (Hoffmann et al. 2022, App. B). The floor of a tenth is theirs too (§3.1).
    """
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def cooled(step: int, cooldown: int) -> float:
    """1 − √(progress) through the cooldown: the decay that Hägele et al. 2024 (§3.2) found best."""
    return 1 - math.sqrt((step + 1) / cooldown)
