"""The log-likelihoods of windows of tokens under a model of transformers.

Legend: b rows, t time, n scored tokens of one window, v vocabulary.
"""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from hutch.lm.exchange.opening import embeddings
from hutch.lm.token_windows import Window

TOKENS_AT_ONCE = 4096
LOGITS_AT_ONCE = 2**26
"""256 MB of float32."""
PADDING = 0.2
"""The largest share of padding in a batch."""


@dataclass(frozen=True)
class Row:
    """What windows of equal inputs have in common: of a question's answers that are one token long, all."""

    inputs: tuple[int, ...]
    first: int
    """The earliest place of `inputs` after which one of the windows has a target."""
    windows: list[int]
    """Which windows."""


@torch.inference_mode()
def score_imported(model: Any, windows: Sequence[Window]) -> list[tuple[float, bool]]:
    """For each window the log-likelihood of its targets in nats, and whether each was the most likely token.

    Windows of like lengths are read together, those of equal inputs once. Log-softmax in float32, sums in float64.
    Where the model's class can, logits are computed only from the first place at which a batch has a target.
    """
    partial = "logits_to_keep" in inspect.signature(model.forward).parameters
    scores: list[tuple[float, bool]] = [(0.0, True)] * len(windows)
    for batch in batches(rows_of(windows), embeddings(model)):
        first = min(row.first for row in batch)
        for row, logits_tv in zip(batch, _logits(model, batch, first, partial), strict=True):
            for place in row.windows:
                targets, end = windows[place].targets, len(row.inputs) - first
                scores[place] = _score(logits_tv[end - len(targets) : end].float(), targets)
    return scores


def rows_of(windows: Sequence[Window]) -> list[Row]:
    """Longest first, so that too little memory shows at once."""
    same: dict[tuple[int, ...], list[int]] = {}
    for place, window in enumerate(windows):
        same.setdefault(tuple(window.inputs), []).append(place)
    rows = [
        Row(inputs, len(inputs) - max(len(windows[place].targets) for place in places), places)
        for inputs, places in same.items()
    ]
    return sorted(rows, key=lambda row: -len(row.inputs))


def batches(rows: Sequence[Row], vocabulary: int) -> Iterator[list[Row]]:
    """Rows, sorted by length, to be read together."""
    batch: list[Row] = []
    for row in rows:
        if batch and _too_much([*batch, row], vocabulary):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _too_much(rows: Sequence[Row], vocabulary: int) -> bool:
    longest, first = len(rows[0].inputs), min(row.first for row in rows)
    tokens = longest * len(rows)
    padding = tokens - sum(len(row.inputs) for row in rows)
    logits = (longest - first) * len(rows) * vocabulary
    return tokens > TOKENS_AT_ONCE or logits > LOGITS_AT_ONCE or padding > PADDING * tokens


def _logits(model: Any, rows: Sequence[Row], first: int, partial: bool) -> Tensor:
    """The logits from the place `first` on, [b, t, v]."""
    longest = len(rows[0].inputs)
    # Padding comes after the text, where no causal model looks.
    ids_bt = torch.tensor([[*row.inputs, *[0] * (longest - len(row.inputs))] for row in rows], device=model.device)
    if partial:
        return model(input_ids=ids_bt, use_cache=False, logits_to_keep=longest - first).logits
    return model(input_ids=ids_bt, use_cache=False).logits[:, first:]


def _score(logits_nv: Tensor, targets: Sequence[int]) -> tuple[float, bool]:
    targets_n = torch.tensor(targets, device=logits_nv.device)
    nats = F.cross_entropy(logits_nv, targets_n, reduction="none").double().sum()
    return 0.0 - float(nats), bool((logits_nv.argmax(-1) == targets_n).all())
