"""Batches as a pure function of (seed, step): there is no loader state to save, and resume is exact.

Shapes: b sequences of a batch, t positions of the context.
"""

import numpy as np

from hutch.runs.errors import BadInput
from hutch.runs.seeds import generator


class Batches:
    """Windows of a token file in a seeded order, each once an epoch.

    The tokens are a ring. An epoch cuts it, from a random place on, into `windows` pieces of `context`
    tokens and visits them in a random order; the next epoch cuts elsewhere. The sequences of all epochs
    form one endless list, and batch `step` is the slice [step · sequences, (step + 1) · sequences) of it:
    nothing is dropped at the end of an epoch, and neither the length of a run nor the model's size has a
    part in the order, so that a family sees the same tokens in the same order. Left out of an epoch are
    only the fewer than `context` tokens by which the ring is longer than its windows.

    Windows start at multiples of `grain` tokens, so that what is known of pieces of that length (the
    neighbours of a chunk) is known of a window's pieces.
    """

    def __init__(self, tokens: np.ndarray, context: int, sequences: int, seed: int, grain: int = 1):
        """`tokens`: integers [n], n > context, e.g. `shard.tokens` (it is not copied); an incomplete grain at their
        end is left out."""
        if context < 1 or sequences < 1:
            raise BadInput(f"context is {context} and sequences is {sequences}; both must be at least 1")
        if context % grain:
            raise BadInput(f"context is {context}; it must be a multiple of the {grain} tokens that windows start at")
        if len(tokens) // grain * grain <= context:
            raise BadInput(f"{len(tokens)} tokens are too few for a context of {context}; give more text")
        self.tokens = tokens[: len(tokens) // grain * grain]
        self.grain = grain
        self.context = context
        self.sequences = sequences
        self.seed = seed
        self.windows = len(self.tokens) // context
        """Windows an epoch."""
        self._order: tuple[int, np.ndarray] = (-1, np.empty(0, dtype=np.int64))

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """(inputs_bt, targets_bt) of step 0, 1, ...: int64 [sequences, context]; targets are one ahead."""
        if step < 0:
            raise BadInput(f"step is {step}; steps count from 0")
        first = step * self.sequences
        windows_bt = np.empty((self.sequences, self.context + 1), dtype=np.int64)
        for row in range(self.sequences):
            windows_bt[row] = self._read(self.start(first + row))
        return windows_bt[:, :-1], windows_bt[:, 1:]

    def start(self, index: int) -> int:
        """Where in the ring the `index`-th sequence of the endless list starts."""
        epoch, position = divmod(index, self.windows)
        return int(self._epoch_starts(epoch)[position])

    def _epoch_starts(self, epoch: int) -> np.ndarray:
        """Starts of the windows of an epoch in the order of visits, int64 [windows]; the last one is kept."""
        if self._order[0] != epoch:
            random = generator("batches", self.seed, epoch)
            phase = self.grain * int(random.integers(len(self.tokens) // self.grain))
            starts = (phase + np.arange(self.windows, dtype=np.int64) * self.context) % len(self.tokens)
            random.shuffle(starts)
            self._order = (epoch, starts)
        return self._order[1]

    def _read(self, start: int) -> np.ndarray:
        """`context` + 1 tokens from `start` on, past the end from the beginning again."""
        window = self.tokens[start : start + self.context + 1]
        short = self.context + 1 - len(window)
        return np.concatenate([window, self.tokens[:short]]) if short else window
