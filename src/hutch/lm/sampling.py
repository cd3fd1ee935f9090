"""Text from a model, one token at a time."""

import torch

from hutch.lm.model import Transformer


@torch.no_grad()
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
    likely. The model sees its last `context` tokens. The same seed gives the same ids.
    """
    generator = torch.Generator().manual_seed(seed)
    ids = list(prompt)
    for _ in range(tokens):
        window = torch.tensor([ids[-model.config.context :]])
        logits_v = model(window)[0, -1].float()
        ids.append(_draw(logits_v, temperature, top_k, generator))
        if ids[-1] == stop:
            break
    return ids[len(prompt) :]


def _draw(logits_v: torch.Tensor, temperature: float, top_k: int | None, generator: torch.Generator) -> int:
    if temperature == 0:
        return int(logits_v.argmax())
    if top_k is not None and top_k < len(logits_v):
        logits_v = logits_v.masked_fill(logits_v < logits_v.topk(top_k).values[-1], float("-inf"))
    return int(torch.multinomial((logits_v / temperature).softmax(-1), 1, generator=generator))
