"""Reading while retrieving against reading the whole text at once."""

import numpy as np
import pytest
import torch

from hutch.lm import ModelConfig
from hutch.retrieval.retro import RetroConfig, build_retro
from hutch.retrieval.training.retro_reading import RetroReading
from tests.retrieval.database.small import CHUNK, TOKENIZER, VALUE, build, documents, write_shard
from tests.retrieval.retro.tiny import lively

DECODER = ModelConfig(
    layers=2, width=16, heads=2, key_size=8, feed_forward=32, vocabulary=TOKENIZER.vocabulary, context=4 * CHUNK
)
RETRO = RetroConfig(
    decoder=DECODER,
    encoder_width=16,
    encoder_heads=2,
    encoder_key_size=8,
    encoder_feed_forward=32,
    cross_layers=(1, 2),
    chunk=CHUNK,
    neighbour_tokens=VALUE,
)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reading")
    return build(folder / "database", write_shard(folder / "shard", documents(40)))


@pytest.fixture(scope="module")
def model():
    return lively(build_retro(RETRO, 0)).eval()


def at_once(model, database, text, k=2):
    """The logits after the last token, of the whole text."""
    ids = torch.tensor([text])
    whole = len(text) // CHUNK
    if not whole or not k:
        return model(ids)[:, -1]
    chunks = np.array(text[: whole * CHUNK]).reshape(whole, CHUNK)
    return model(ids, torch.from_numpy(database.values(database.search(chunks, k).ids))[None])[:, -1]


@pytest.mark.parametrize("start", [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_each_token_is_expected_as_in_the_whole_text(model, database, start):
    text = np.random.default_rng(start).integers(200, size=4 * CHUNK).tolist()
    with torch.no_grad():
        reading = RetroReading(model, database, text[:start], neighbours=2, room=len(text))
        for end in range(start, len(text) + 1):
            torch.testing.assert_close(reading.logits_1v, at_once(model, database, text[:end]), rtol=1e-4, atol=1e-5)
            if end < len(text):
                reading.feed(text[end])


def test_each_chunk_is_looked_up_once_when_it_ends(model, database):
    told = []
    text = np.random.default_rng(0).integers(200, size=3 * CHUNK + 2).tolist()
    with torch.no_grad():
        reading = RetroReading(
            model,
            database,
            text[:CHUNK],
            neighbours=2,
            room=len(text),
            on_neighbours=lambda chunk, ids: told.append((chunk.tolist(), ids.tolist())),
        )
        for place, token in enumerate(text[CHUNK:], start=CHUNK + 1):
            reading.feed(token)
            assert len(told) == place // CHUNK
    expected = [text[i * CHUNK : (i + 1) * CHUNK] for i in range(3)]
    assert [chunk for chunk, _ in told] == expected
    assert [ids for _, ids in told] == database.search(np.array(expected), 2).ids.tolist()


def test_past_its_context_a_model_sees_its_latest_half_from_a_chunk_s_start(model, database):
    text = np.random.default_rng(2).integers(200, size=6 * CHUNK + 3).tolist()
    with torch.no_grad():
        reading = RetroReading(model, database, text, neighbours=2, room=4 * CHUNK)
        assert reading.start % CHUNK == 0
        assert CHUNK < len(text) - reading.start <= 2 * CHUNK
        torch.testing.assert_close(
            reading.logits_1v, at_once(model, database, text[reading.start :]), rtol=1e-4, atol=1e-5
        )
        for token in text[: 3 * CHUNK]:
            reading.feed(token)
        assert len(reading.text) - reading.start <= DECODER.context
        torch.testing.assert_close(
            reading.logits_1v, at_once(model, database, reading.text[reading.start :]), rtol=1e-4, atol=1e-5
        )


def test_without_neighbours_nothing_is_looked_up(model, database):
    text = np.random.default_rng(3).integers(200, size=2 * CHUNK).tolist()
    with torch.no_grad():
        reading = RetroReading(model, database, text, neighbours=0, room=4)
    assert not reading.found
    torch.testing.assert_close(reading.logits_1v, at_once(model, database, text, k=0), rtol=1e-4, atol=1e-5)
