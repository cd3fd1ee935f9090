"""From logits to the next token: rules that change the logits, a distribution, a draw.

Legend: b rows, v vocabulary.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from hutch.lm.language_model import Sampling
from hutch.runs.errors import HutchError

COLDEST = 1e-6
"""Below this temperature the most likely token is taken: float32 cannot hold logits divided by less."""


def choose_tokens(
    logits_bv: Tensor, seen: Sequence[Sequence[int]], sampling: Sampling, generators: Sequence[torch.Generator]
) -> list[int]:
    """One token for each row, drawn with the row's own generator.

    `seen` holds the tokens of each row's text so far: what repetition is measured against. Raises HutchError for
    logits that are not numbers.
    """
    logits_bv = logits_bv.float().cpu()
    if logits_bv.isnan().any():
        raise HutchError("the model's logits are not numbers: its weights are damaged, or its training diverged")
    if sampling.repetition_penalty != 1:
        logits_bv = penalise_seen(logits_bv, seen, sampling.repetition_penalty)
    if sampling.no_repeat_ngram is not None:
        logits_bv = forbid_repeats(logits_bv, seen, sampling.no_repeat_ngram)
    if sampling.temperature < COLDEST:
        return logits_bv.argmax(-1).tolist()
    probability_bv = distribution(logits_bv, sampling.temperature, sampling.top_k, sampling.top_p)
    return [
        int(torch.multinomial(probability_v, 1, generator=generator))
        for probability_v, generator in zip(probability_bv, generators, strict=True)
    ]


def penalise_seen(logits_bv: Tensor, seen: Sequence[Sequence[int]], penalty: float) -> Tensor:
    """Divide the logits of tokens that were seen by `penalty`, or multiply them where they are negative.

    Keskar et al. 2019 (arXiv:1909.05858), §4.1, divides all; for negative logits that would be a reward.
    """
    logits_bv = logits_bv.clone()
    for row, ids in enumerate(seen):
        known = sorted(set(ids))
        logits_n = logits_bv[row, known]
        logits_bv[row, known] = torch.where(logits_n > 0, logits_n / penalty, logits_n * penalty)
    return logits_bv


def forbid_repeats(logits_bv: Tensor, seen: Sequence[Sequence[int]], n: int) -> Tensor:
    """Rule out every token that would complete a sequence of `n` tokens which the row's text holds already.

    A row in which that would rule out all tokens stays as it is.
    """
    logits_bv = logits_bv.clone()
    for row, ids in enumerate(seen):
        forbidden = followers(ids, n)
        if len(forbidden) < logits_bv.shape[1]:
            logits_bv[row, sorted(forbidden)] = float("-inf")
    return logits_bv


def followers(ids: Sequence[int], n: int) -> set[int]:
    """The tokens that came, earlier in `ids`, after the n − 1 tokens that `ids` now ends with."""
    before = list(ids[len(ids) - n + 1 :]) if len(ids) >= n - 1 else None
    return {ids[i + n - 1] for i in range(len(ids) - n + 1) if list(ids[i : i + n - 1]) == before}


def distribution(logits_bv: Tensor, temperature: float, top_k: int | None, top_p: float | None) -> Tensor:
    """softmax(logits / temperature) over the `top_k` most likely tokens and of these the nucleus, [b, v]."""
    if top_k is not None:
        logits_bv = keep_top_k(logits_bv, top_k)
    logits_bv = logits_bv / temperature
    if top_p is not None:
        logits_bv = keep_top_p(logits_bv, top_p)
    return logits_bv.softmax(-1)


def keep_top_k(logits_bv: Tensor, k: int) -> Tensor:
    """−∞ for all but the k largest logits of each row; those equal to the k-th stay too."""
    if k >= logits_bv.shape[-1]:
        return logits_bv
    kth_b1 = logits_bv.topk(k).values[:, -1:]
    return logits_bv.masked_fill(logits_bv < kth_b1, float("-inf"))


def keep_top_p(logits_bv: Tensor, p: float) -> Tensor:
    """−∞ outside the nucleus: the fewest most likely tokens whose probabilities reach p together, at least one
    (Holtzman et al. 2020, arXiv:1904.09751, §3.1, eq. 2). Of equally likely tokens the lower id goes first."""
    if p >= 1:
        return logits_bv
    sorted_bv, order_bv = logits_bv.sort(dim=-1, descending=True, stable=True)
    together_bv = sorted_bv.softmax(-1).cumsum(-1)
    before_bv = torch.nn.functional.pad(together_bv[:, :-1], (1, 0))
    outside_bv = torch.zeros_like(logits_bv, dtype=torch.bool).scatter(-1, order_bv, before_bv >= p)
    return logits_bv.masked_fill(outside_bv, float("-inf"))
