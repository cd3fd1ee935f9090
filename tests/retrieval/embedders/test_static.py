"""Static word vectors: learned from the chunks themselves, the same for the same seed."""

import numpy as np
import pytest

from hutch.retrieval.embedders import StaticConfig, StaticEmbedder
from hutch.runs.errors import BadInput
from hutch.text import Tokenizer

TOPICS = ["sun moon star planet orbit comet", "bread butter flour oven yeast salt", "court judge law jury trial appeal"]


def example(chunks=300):
    """Chunks that each speak of one of three topics, and the topic of each."""
    random = np.random.default_rng(0)
    topics = random.integers(3, size=chunks)
    texts = [" ".join(random.choice(TOPICS[topic].split(), 12)) for topic in topics]
    tokenizer = Tokenizer.train(texts, 300)
    rows = [tokenizer.encode(text)[:40] for text in texts]
    tokens = np.full((chunks, 40), -1)
    for row, ids in zip(tokens, rows, strict=True):
        row[: len(ids)] = ids
    return tokens, topics, tokenizer


def test_chunks_of_one_topic_lie_together():
    tokens, topics, tokenizer = example()
    embedder = StaticEmbedder.learn(tokens, tokenizer, StaticConfig(dimensions=8))
    vectors = embedder.embed(tokens, tokenizer)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -1)
    same = topics[:, None] == topics[None]
    assert (topics[likeness.argmax(1)] == topics).mean() > 0.9
    assert likeness[same].mean() > likeness[~same].mean() + 0.2
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_equal_seeds_give_equal_vectors_and_an_empty_row_none():
    tokens, _, tokenizer = example()
    first, second = (StaticEmbedder.learn(tokens, tokenizer, StaticConfig(dimensions=8)) for _ in range(2))
    assert first.digest == second.digest
    assert not first.embed(np.full((1, 40), -1), tokenizer).any()


def test_tokens_of_another_tokenizer_are_refused():
    tokens, _, tokenizer = example()
    embedder = StaticEmbedder.learn(tokens, tokenizer, StaticConfig(dimensions=8))
    other = Tokenizer.train(["something else is said here"] * 9, 262)
    with pytest.raises(BadInput) as caught:
        embedder.embed(tokens, other)
    assert tokenizer.digest in str(caught.value)
