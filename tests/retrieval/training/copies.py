"""A text that only its neighbours foretell: random tokens, of each chunk of which a copy lies in a database, with the
chunk that comes next behind it."""

import numpy as np

from hutch.lm import ModelConfig, TrainConfig
from hutch.retrieval.retro import RetroConfig
from hutch.retrieval.training.retro_train_config import RetroTrainConfig

CHUNK, VOCABULARY, CONTEXT = 4, 32, 16
DECODER = ModelConfig(layers=2, width=32, heads=2, key_size=16, feed_forward=64, vocabulary=VOCABULARY, context=CONTEXT)
RETRO = RetroConfig(
    decoder=DECODER,
    encoder_width=32,
    encoder_heads=2,
    encoder_key_size=16,
    encoder_feed_forward=64,
    cross_layers=(2,),
    chunk=CHUNK,
    neighbour_tokens=2 * CHUNK,
)
TOKENS = np.random.default_rng(0).integers(VOCABULARY, size=4003).astype(np.uint16)
IDS = np.arange(len(TOKENS) // CHUNK)[:, None]
"""The neighbour of each chunk: its own copy."""


def values(ids):
    """The copy and its continuation, −1 behind the end and for the id −1."""
    places = ids[..., None] * CHUNK + np.arange(2 * CHUNK)
    inside = (ids[..., None] >= 0) & (places < len(TOKENS))
    return np.where(inside, TOKENS[np.where(inside, places, 0)].astype(np.int64), -1)


def config(steps, **changes):
    """A run of so many steps."""
    train = TrainConfig(
        model=DECODER,
        tokens=steps * 8 * CONTEXT,
        sequences=8,
        peak_rate=0.01,
        embedding_rate=20.0,
        weight_decay=0.0,
    )
    sizes = {"train": train, "retro": RETRO, "neighbours": 1, "database": "copies", "retriever": "dense"}
    return RetroTrainConfig(**(sizes | changes))
