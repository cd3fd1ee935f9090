"""A small RETRO model with livelier weights than a fresh one, and texts with neighbours for it."""

import torch

from hutch.lm import ModelConfig
from hutch.retrieval.retro import RetroConfig, build_retro

CHUNK, TOKENS, VOCABULARY = 4, 7, 50


def decoder_config(**changes):
    sizes = {"layers": 4, "width": 16, "heads": 2, "key_size": 6, "feed_forward": 24, "vocabulary": VOCABULARY}
    return ModelConfig(**({**sizes, "context": 24} | changes))


def retro_config(**changes):
    sizes = {
        "decoder": decoder_config(),
        "encoder_width": 12,
        "encoder_heads": 3,
        "encoder_key_size": 4,
        "encoder_feed_forward": 20,
        "cross_layers": (2, 4),
        "chunk": CHUNK,
        "neighbour_tokens": TOKENS,
    }
    return RetroConfig(**(sizes | changes))


def lively(model, seed=0):
    """The same with gains away from 1 and logits that differ."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter += 0.3 * torch.randn(parameter.shape, generator=random)
            elif parameter.requires_grad:
                parameter *= 1.5
    return model


def tiny_retro(seed=0, **changes):
    return lively(build_retro(retro_config(**changes), seed))


def texts(rows, t, *, k=2, seed=0, padded=True):
    """Token ids [rows, t], and neighbours [rows, t // CHUNK, k, TOKENS] some of them cut short or missing."""
    random = torch.Generator().manual_seed(seed)
    ids = torch.randint(VOCABULARY, (rows, t), generator=random)
    neighbours = torch.randint(VOCABULARY, (rows, t // CHUNK, k, TOKENS), generator=random)
    lengths = torch.randint(TOKENS + 1, neighbours.shape[:3], generator=random)
    if padded:
        neighbours[torch.arange(TOKENS) >= lengths[..., None]] = -1
    return ids, neighbours
