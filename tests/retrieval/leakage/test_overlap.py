"""r(C) is the longest substring that a chunk shares with a neighbour, over 64."""

from difflib import SequenceMatcher

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hutch.retrieval.leakage import overlap
from hutch.retrieval.leakage.overlap import chunks_of, longest_overlaps, neighbour_overlaps
from hutch.runs.errors import BadInput
from tests.retrieval.leakage.brute_force import common_substring


def token_arrays(shape):
    return st.sampled_from([1, 2, 4, 300]).flatmap(
        lambda highest: arrays(np.int64, shape, elements=st.integers(-1, highest))
    )


@settings(deadline=None, max_examples=200)
@given(chunk=token_arrays((1, 12)), values=token_arrays((1, 3, 15)))
def test_it_is_the_longest_common_substring(chunk, values):
    found = longest_overlaps(chunk, values)
    for k in range(3):
        length = found.lengths_nk[0, k]
        assert length == common_substring(chunk[0], values[0, k])
        i, j = found.chunk_places_nk[0, k], found.neighbour_places_nk[0, k]
        assert chunk[0, i : i + length].tolist() == values[0, k, j : j + length].tolist()


def test_difflib_agrees_on_chunks_of_the_papers_size():
    random = np.random.default_rng(0)
    chunks = random.zipf(1.3, (30, 64)) % 5000
    values = random.zipf(1.3, (30, 4, 128)) % 5000
    values[3, 2, 100:] = chunks[3, 20:48]
    values[4, 0, :64] = chunks[4]
    found = longest_overlaps(chunks, values)
    for n in range(30):
        for k in range(4):
            matcher = SequenceMatcher(None, chunks[n].tolist(), values[n, k].tolist(), autojunk=False)
            assert found.lengths_nk[n, k] == matcher.find_longest_match().size
    assert (found.lengths_nk[3, 2], found.chunk_places_nk[3, 2], found.neighbour_places_nk[3, 2]) == (28, 20, 100)
    assert found.best()[3] == 2
    assert found.ratios()[4] == 1.0


def test_one_token_repeated_is_the_worst_case_and_right():
    found = longest_overlaps(np.full((2, 64), 7), np.full((2, 10, 128), 7))
    assert (found.lengths_nk == 64).all()


def test_padding_matches_nothing_and_a_short_chunk_is_measured_against_64_too():
    chunks = np.full((2, 64), -1)
    chunks[0, :10] = range(10)
    values = np.full((2, 2, 128), -1)
    values[0, 1, :10] = range(10)
    found = longest_overlaps(chunks, values)
    assert found.lengths().tolist() == [10, 0]
    assert found.best().tolist() == [1, -1]
    assert found.ratios().tolist() == [10 / 64, 0]
    assert found.ratios(neighbours=1).tolist() == [0, 0]


def test_tokens_that_share_a_slot_of_the_table_are_not_confused():
    found = longest_overlaps(np.array([[1, 257, 513]]), np.array([[[513, 1, 257]]]))
    assert found.lengths_nk.tolist() == [[2]]


def test_neighbours_are_fetched_in_batches(monkeypatch):
    monkeypatch.setattr(overlap, "AT_ONCE", 3)
    asked = []

    def neighbours_of(chunks):
        asked.append(len(chunks))
        return np.repeat(chunks[:, None], 2, axis=1)

    chunks = np.arange(7 * 64).reshape(7, 64)
    assert neighbour_overlaps(chunks, neighbours_of).lengths().tolist() == [64] * 7
    assert asked == [3, 3, 1]
    assert len(neighbour_overlaps(chunks[:0], neighbours_of).lengths()) == 0


def test_documents_are_cut_into_chunks():
    chunks, document = chunks_of([np.arange(70), np.arange(0), np.arange(64)])
    assert document.tolist() == [0, 0, 2]
    assert chunks[1, :6].tolist() == list(range(64, 70))
    assert (chunks[1, 6:] == -1).all()
    assert chunks[2].tolist() == list(range(64))


@pytest.mark.parametrize(
    ("chunks", "values", "message"),
    [
        (np.zeros((2, 64), int), np.zeros((3, 1, 8), int), r"shape \(2, 64\) and neighbours of shape \(3, 1, 8\)"),
        (np.zeros((2, 65), int), np.zeros((2, 1, 8), int), "chunks of 65 tokens"),
        (np.zeros((2, 64)), np.zeros((2, 1, 8), int), "integers, not float64 and int64"),
    ],
)
def test_what_cannot_be_compared_is_refused(chunks, values, message):
    with pytest.raises(BadInput, match=message):
        longest_overlaps(chunks, values)
