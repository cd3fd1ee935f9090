"""The count against the products that torch makes."""

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hutch.lm import build_model, shape_of
from hutch.retrieval.retro import (
    OwnDecoder,
    build_retro,
    retro_of,
    retro_operations,
    retro_training_flops_per_token,
    retrofit,
    retrofit_training_flops_per_token,
)
from hutch.runs import BadInput
from hutch.scaling import training_flops_per_token

from .tiny import CHUNK, TOKENS, decoder_config, retro_config, texts


def counted(model, ids, neighbours):
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        model(ids, neighbours)
    return counter.get_total_flops()


def softmaxes(config, k):
    """3 FLOP a logit, which torch does not count."""
    s, tokens = config.decoder.context, config.decoder.context // CHUNK * k * TOKENS
    cross = len(config.cross_layers) * config.decoder.heads * CHUNK * tokens
    within = config.encoder_layers * config.encoder_heads * tokens * TOKENS
    reading = len(config.encoder_cross_layers) * config.encoder_heads * tokens * CHUNK
    assert s % CHUNK == 0
    return 3 * (cross + within + reading)


def maps(config):
    """Distances to logits, once a pass whatever the batch; left out of the count."""
    cross = len(config.cross_layers) * (CHUNK + TOKENS - 1) * config.decoder.width * config.decoder.heads
    within = config.encoder_layers * (2 * TOKENS - 1) * config.encoder_width * config.encoder_heads
    reading = len(config.encoder_cross_layers) * (TOKENS + CHUNK - 1) * config.encoder_width * config.encoder_heads
    return 2 * (cross + within + reading)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("changes", [{}, {"shared_embedding": True}, {"encoder_cross_layers": (1, 2)}])
def test_what_retrieval_adds_is_what_torch_counts(k, changes):
    config = retro_config(**changes)
    ids, neighbours = texts(2, config.decoder.context, k=k)
    model = build_retro(config, 0)
    added = counted(model, ids, neighbours) - counted(model, ids, None)
    products = sum(retro_operations(config, k).values()) - softmaxes(config, k)
    assert added == len(ids) * products + maps(config)


def test_training_is_three_times_forward_and_without_neighbours_the_decoders():
    config = retro_config()
    decoder = config.decoder
    plain = training_flops_per_token(shape_of(decoder), "executed", decoder.positions)
    assert retro_training_flops_per_token(config, 0) == plain
    added = 3 * sum(retro_operations(config, 2).values()) // decoder.context
    assert retro_training_flops_per_token(config, 2) - plain in (added, added + 1)


@pytest.mark.parametrize("layers", [(2,), (1, 3), (4,)])
def test_a_frozen_decoder_costs_what_torch_counts(layers):
    config = retro_config(
        decoder=decoder_config(width=64, heads=4, key_size=16, feed_forward=256, vocabulary=500), cross_layers=layers
    )
    decoder = config.decoder
    ids, neighbours = texts(2, decoder.context, k=2)
    model = retrofit(OwnDecoder(build_model(decoder, 0)), config, 0)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        F.cross_entropy(model(ids, neighbours).flatten(0, 1), ids.flatten()).backward()
    counted = counter.get_total_flops() / ids.numel()
    assert retrofit_training_flops_per_token(config, 2) == pytest.approx(counted, rel=0.05)
    assert retrofit_training_flops_per_token(config, 2) < retro_training_flops_per_token(config, 2)


def test_published_shares():
    """Forward multiply-adds of body and read-out at d = 384, 12 layers, encoder 128: a sixth more; of the maps left
    out, next to nothing."""
    decoder = decoder_config(
        layers=12, width=384, heads=12, key_size=32, feed_forward=1536, vocabulary=8192, context=512
    )
    config = retro_of(decoder, encoder_width=128)
    share = retro_training_flops_per_token(config, 2) / retro_training_flops_per_token(config, 0)
    assert config.cross_layers == (6, 9, 12)
    assert 1.1 < share < 1.25


def test_fewer_than_no_neighbours_are_refused():
    with pytest.raises(BadInput, match="neighbours is -1"):
        retro_operations(retro_config(), -1)
