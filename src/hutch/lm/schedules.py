"""Learning rate over a run: linear warm-up, then a cosine down to a tenth of the peak."""

import math


def cosine(step: int, steps: int, warmup: int, floor: float = 0.1) -> float:
    """The factor on the peak learning rate at `step` (0-based) of `steps`.

    The cosine's length is the run's own length: a cycle more than a quarter too long clearly costs loss
    (Hoffmann et al. 2022, App. B). The floor of a tenth is theirs too (§3.1).
    """
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
