"""Tokens from a model, one at a time, for one prompt or many."""

from collections.abc import Callable, Sequence

import torch

from hutch.lm.language_model import Sampling
from hutch.lm.model import Transformer
from hutch.lm.reading import Reading
from hutch.lm.token_choice import choose_tokens
from hutch.runs.errors import BadInput


@torch.inference_mode()
def continue_prompts(
    model: Transformer,
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    *,
    seeds: Sequence[int],
    end: int | None = None,
    on_token: Callable[[int, int], bool] = lambda prompt, token: False,
) -> list[list[int]]:
    """The new ids after each prompt (ids, at least one), read side by side, each drawn with its own seed: a prompt's
    continuation is the same whatever prompts stand beside it (products of other sizes round otherwise, which turns a
    choice only where two tokens are as good as equal).

    A continuation ends after `sampling.tokens` ids, after the id `end`, or when `on_token(index of the prompt, id)`
    is true. What counts as seen for the rules against repetition is the whole prompt and what was written, `end`
    apart. `sampling.stop` and `sampling.seed` are the caller's business. Past its context the model sees the latest
    half of it and what was written since (`hutch.lm.reading`).
    """
    if not all(prompts):
        raise BadInput("a prompt needs at least one token")
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    seen = [[token for token in prompt if token != end] for prompt in prompts]
    written: list[list[int]] = [[] for _ in prompts]
    reading, going = Reading(model, prompts, sampling.tokens), list(range(len(prompts)))
    for count in range(sampling.tokens):
        if count:
            reading.feed([written[prompt][-1] for prompt in going])
        tokens = choose_tokens(reading.logits_bv, [seen[i] for i in going], sampling, [generators[i] for i in going])
        for prompt, token in zip(going, tokens, strict=True):
            written[prompt].append(token)
            seen[prompt].append(token)
        # Every token is told, also one that ends its text.
        open_rows = [
            row
            for row, (i, token) in enumerate(zip(going, tokens, strict=True))
            if not (on_token(i, token) or token == end)
        ]
        if not open_rows:
            break
        if len(open_rows) < len(going):
            reading.keep(open_rows)
            going = [going[row] for row in open_rows]
    return written


def sample_tokens(
    model: Transformer,
    prompt: list[int],
    *,
    tokens: int,
    seed: int,
    temperature: float = 0.8,
    top_k: int | None = 50,
    stop: int | None = None,
) -> list[int]:
    """Continue `prompt` (token ids, at least one) by at most `tokens` ids, and stop after the id `stop`.

    Ids are drawn from softmax(logits / temperature) over the `top_k` most likely; temperature 0 takes the most
    likely. The same seed gives the same ids.
    """
    sampling = Sampling(tokens=tokens, temperature=temperature, top_k=top_k)
    return continue_prompts(model, [prompt], sampling, seeds=[seed], end=stop)[0]
