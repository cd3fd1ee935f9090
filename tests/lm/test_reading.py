"""A cache against reading everything anew at each step."""

import pytest
import torch

from hutch.lm.model import ModelConfig, build_model
from hutch.lm.reading import Reading

BOTH = pytest.mark.parametrize("positions", ["rotary", "relative"])


def tiny(positions, context=12):
    config = ModelConfig(
        layers=2,
        width=16,
        heads=2,
        key_size=6,
        feed_forward=40,
        vocabulary=50,
        context=context,
        positions=positions,
    )
    model = build_model(config, 0)
    for name, weight in model.named_parameters():
        if name.endswith("_bias"):
            torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(1))
    return model


def texts_of(*lengths):
    generator = torch.Generator().manual_seed(2)
    return [torch.randint(50, (length,), generator=generator).tolist() for length in lengths]


@torch.no_grad()
def expected(model, window):
    return model(torch.tensor([window]))[0, -1]


@torch.no_grad()
@BOTH
@pytest.mark.parametrize("context", [1, 2, 7, 12])
def test_logits_are_those_of_the_window_alone(positions, context):
    """Rows of different lengths, one longer than the context, far past the context: each against its own window, which
    is cut to its latest half when one more token has no room."""
    model = tiny(positions, context)
    texts, new = texts_of(3, 5, 1, 20), texts_of(30, 30, 30, 30)
    reading = Reading(model, texts, room=30)
    windows = [text[-context:] for text in texts]
    for step in range(30):
        for row, window in enumerate(windows):
            torch.testing.assert_close(reading.logits_bv[row], expected(model, window), atol=1e-5, rtol=1e-5)
        tokens = [new[row][step] for row in range(4)]
        reading.feed(tokens)
        for window, token in zip(windows, tokens, strict=True):
            if len(window) == context:
                del window[: context - context // 2]
            window.append(token)


@torch.no_grad()
@BOTH
def test_rows_that_are_kept_go_on_as_before(positions):
    model = tiny(positions)
    texts = texts_of(3, 5, 9)
    all_rows, some = Reading(model, texts, room=20), Reading(model, texts, room=20)
    some.keep([2, 0])
    for token in range(20):
        all_rows.feed([token, token + 1, token + 2])
        some.feed([token + 2, token])
        torch.testing.assert_close(some.logits_bv, all_rows.logits_bv[[2, 0]], atol=1e-5, rtol=1e-5)


@torch.no_grad()
@BOTH
def test_a_cache_takes_several_tokens_at_a_time(positions):
    """A prompt in three pieces gives the hidden states of the whole."""
    model, (text,) = tiny(positions), texts_of(12)
    cache, parts = model.new_cache(1, 12), []
    for piece in (text[:5], text[5:6], text[6:]):
        parts.append(model.hidden(torch.tensor([piece]), cache))
        cache.lengths[0] += len(piece)
    torch.testing.assert_close(torch.cat(parts, 1), model.hidden(torch.tensor([text])), atol=1e-5, rtol=1e-5)


def test_memory_is_no_larger_than_the_text_can_grow():
    model = tiny("rotary", context=100)
    assert Reading(model, texts_of(3, 5), room=4).cache.columns == 9
    assert Reading(model, texts_of(3, 5), room=400).cache.columns == 100
