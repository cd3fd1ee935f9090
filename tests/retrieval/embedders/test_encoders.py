"""Embedders that are neural networks: MiniLM's files, and a model of one's own."""

import numpy as np
import pytest

from hutch.lm import build_model, model_of_width
from hutch.retrieval.embedders import HiddenStateEmbedder, TransformerEmbedder, open_embedder
from hutch.retrieval.embedders.transformer import minilm_folder
from hutch.runs.errors import BadInput
from hutch.text import Tokenizer

TEXTS = ["The cat sleeps on the mat.", "A kitten naps on a rug.", "Interest rates rose by half a point."]


def example():
    tokenizer = Tokenizer.train(TEXTS * 5, 270)
    rows = [tokenizer.encode(text) for text in TEXTS]
    tokens = np.full((3, 64), -1)
    for row, ids in zip(tokens, rows, strict=True):
        row[: len(ids)] = ids
    return tokens, tokenizer


def test_minilm_finds_the_text_of_like_meaning():
    pytest.importorskip("transformers")
    try:
        folder = minilm_folder()
    except BadInput as error:
        pytest.skip(str(error))
    tokens, tokenizer = example()
    embedder = TransformerEmbedder(folder)
    vectors = embedder.embed(tokens, tokenizer)
    assert vectors.shape == (3, 384)
    assert vectors[0] @ vectors[1] > 0.4
    assert vectors[0] @ vectors[2] < 0.2


def test_hidden_states_do_not_see_padding_and_come_back_from_disk(tmp_path):
    tokens, tokenizer = example()
    model = build_model(model_of_width(16, vocabulary=tokenizer.vocabulary, context=64), 0)
    embedder = HiddenStateEmbedder(model, layer=1)
    vectors = embedder.embed(tokens, tokenizer)
    length = int((tokens[0] >= 0).sum())
    np.testing.assert_allclose(embedder.embed(tokens[:1, :length], tokenizer), vectors[:1], atol=1e-6)
    again = open_embedder(tmp_path, embedder.save(tmp_path))
    assert again.digest == embedder.digest
    assert np.array_equal(again.embed(tokens, tokenizer), vectors)


def test_a_tokenizer_of_another_size_is_refused():
    tokens, tokenizer = example()
    embedder = HiddenStateEmbedder(build_model(model_of_width(16, vocabulary=999, context=64), 0))
    with pytest.raises(BadInput) as caught:
        embedder.embed(tokens, tokenizer)
    assert "999" in str(caught.value)
