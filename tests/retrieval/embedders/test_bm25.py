"""BM25 against its formula, written out token by token."""

import math

import numpy as np
import pytest

from hutch.retrieval.embedders import Bm25, Postings
from hutch.retrieval.embedders.bm25 import K1, B

pytest.importorskip("numba")
VOCABULARY = 30


def example(rows, length, seed):
    random = np.random.default_rng(seed)
    tokens = random.integers(VOCABULARY, size=(rows, length))
    for row, kept in zip(tokens, random.integers(1, length + 1, rows), strict=True):
        row[kept:] = -1
    return tokens


def slow_scores(queries, chunks):
    texts = [[t for t in row if t >= 0] for row in chunks.tolist()]
    mean = sum(map(len, texts)) / len(texts)
    holds = [sum(t in text for text in texts) for t in range(VOCABULARY)]
    idf = [math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for n in holds]

    def score(query, text):
        norm = K1 * (1 - B + B * len(text) / mean)
        return sum(idf[t] * text.count(t) / (text.count(t) + norm) for t in query if t >= 0)

    return np.array([[score(query, text) for text in texts] for query in queries.tolist()])


def test_scores_of_candidates_are_the_formulas():
    chunks, queries = example(50, 12, seed=0), example(6, 8, seed=1)
    weights = Bm25.learn([chunks[:20], chunks[20:]], VOCABULARY)
    found = weights.scores(queries, np.broadcast_to(chunks, (6, *chunks.shape)))
    np.testing.assert_allclose(found, slow_scores(queries, chunks), rtol=1e-4)


def test_postings_find_what_scoring_every_chunk_finds(tmp_path):
    chunks, queries = example(200, 12, seed=0), example(6, 8, seed=1)
    Postings.build(lambda start, stop: chunks[start:stop], 200, Bm25.learn([chunks], VOCABULARY), tmp_path)
    ids, distances = Postings.open(tmp_path, 200).search(queries, 5, 200)
    expected = slow_scores(queries, chunks)
    np.testing.assert_allclose(-distances, -np.sort(-expected, 1)[:, :5], rtol=1e-4)
    np.testing.assert_allclose(np.take_along_axis(expected, ids, 1), -distances, rtol=1e-4)


def test_a_query_that_shares_nothing_finds_nothing(tmp_path):
    chunks = np.array([[1, 2], [3, -1]])
    Postings.build(lambda start, stop: chunks[start:stop], 2, Bm25.learn([chunks], VOCABULARY), tmp_path)
    ids, distances = Postings.open(tmp_path, 2).search(np.array([[9, -1]]), 2, 2)
    assert ids.tolist() == [[-1, -1]]
    assert np.isinf(distances).all()
