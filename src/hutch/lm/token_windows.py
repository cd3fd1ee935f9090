"""How a text is cut into what a model reads and which tokens of it are scored, and the scores.

The conventions are those of lm-evaluation-harness (`_encode_pair`, `get_rolling_token_windows` with a context of one
token), so figures can be compared.

Legend: b windows, t time, n scored tokens of all windows, d width, v vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hutch.lm.model import Transformer

TOKENS_AT_ONCE = 4096
LOGITS_AT_ONCE = 2**24
"""64 MB of float32."""


@dataclass(frozen=True)
class Window:
    """One pass of a model: after `inputs`, and after those before them, `targets` are expected."""

    inputs: list[int]
    targets: list[int]
    """What comes after the last len(targets) inputs; not more than there are inputs."""


def encode_pair(encode: Callable[[str], list[int]], context: str, continuation: str) -> tuple[list[int], list[int]]:
    """The ids of (context, continuation) as they are in the whole text.

    Spaces at the end of the context go with the continuation: tokens hold the space before a word, not after it. The
    whole is encoded and cut behind as many tokens as the context has alone. Where nothing would be left after the cut,
    since the two melt into fewer tokens, each is encoded by itself.
    """
    words = context.rstrip()
    continuation = context[len(words) :] + continuation
    before, whole = encode(words), encode(words + continuation)
    after = whole[len(before) :]
    return (before, after) if after else (before, encode(continuation))


def windows_of_continuation(before: Sequence[int], after: Sequence[int], context: int) -> list[Window]:
    """Windows in which every id of `after` is predicted once; `before` holds at least one.

    One window with as much of `before` as there is room for; where `after` is longer than the context, the last of
    `before` and then steps of the whole context, the last window moved back to be full.
    """
    if len(after) <= context:
        return [Window([*before, *after][-(context + 1) : -1], list(after))] if after else []
    ids = [before[-1], *after]
    ends = [*range(context, len(after), context), len(after)]
    return [
        Window(ids[end - context : end], ids[start + 1 : end + 1]) for start, end in zip([0, *ends], ends, strict=False)
    ]


@torch.inference_mode()
def score_windows(model: Transformer, windows: Sequence[Window]) -> list[tuple[float, bool]]:
    """For each window the log-likelihood of its targets in nats, and whether each was the most likely token.

    Windows of like lengths are read together; log-softmax in float32, sums in float64.
    """
    scores: list[tuple[float, bool]] = [(0.0, True)] * len(windows)
    for batch in _batches(windows):
        for place, score in zip(batch, _score(model, [windows[place] for place in batch]), strict=True):
            scores[place] = score
    return scores


def _batches(windows: Sequence[Window]) -> Iterator[list[int]]:
    """Places of windows to be read together: longest first, so that too little memory shows at once."""
    batch: list[int] = []
    for place in sorted(range(len(windows)), key=lambda place: -len(windows[place].inputs)):
        if batch and (len(batch) + 1) * len(windows[batch[0]].inputs) > TOKENS_AT_ONCE:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _score(model: Transformer, windows: Sequence[Window]) -> Iterator[tuple[float, bool]]:
    device, longest = model.embedding.weight.device, max(len(window.inputs) for window in windows)
    ids_bt = torch.zeros(len(windows), longest, dtype=torch.long)
    scored_bt = torch.zeros(len(windows), longest, dtype=torch.bool)
    for row, window in enumerate(windows):
        end = len(window.inputs)
        ids_bt[row, :end] = torch.tensor(window.inputs)
        scored_bt[row, end - len(window.targets) : end] = True
    # Padding comes after the text, where no causal model looks.
    x_nd = model.hidden(ids_bt.to(device))[scored_bt.to(device)]
    targets_n = torch.tensor([target for window in windows for target in window.targets], device=device)
    counts = [len(window.targets) for window in windows]
    nats_n, greedy_n = _score_tokens(model, x_nd, targets_n)
    for nats, greedy in zip(nats_n.split(counts), greedy_n.split(counts), strict=True):
        yield float(nats.sum()), bool(greedy.all())


def _score_tokens(model: Transformer, x_nd: Tensor, targets_n: Tensor) -> tuple[Tensor, Tensor]:
    """Log-likelihood, float64, and whether it is the most likely, of each target."""
    at_once = max(1, LOGITS_AT_ONCE // model.config.vocabulary)
    nats, greedy = [], []
    for part_nd, part_n in zip(x_nd.split(at_once), targets_n.split(at_once), strict=True):
        logits_nv = model.logits(part_nd).float()
        nats.append(0 - F.cross_entropy(logits_nv, part_n, reduction="none").double())
        greedy.append(logits_nv.argmax(-1) == part_n)
    return torch.cat(nats), torch.cat(greedy)
