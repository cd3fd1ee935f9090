"""The exact mode equals a comparison of everything with everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.retrieval.leakage.longest_matches import Longest, chunk_matches
from hutch.retrieval.leakage.suffix_order import SuffixOrder, suffix_order
from hutch.runs.errors import BadInput
from tests.retrieval.leakage import brute_force


def arrays_of(documents):
    return [np.array(document, dtype=np.int64) for document in documents]


def matched(order, training, numbers=None):
    notes = Longest.none(len(order.places))
    for number in range(len(training)) if numbers is None else numbers:
        notes.add(order, number, training[number])
    return notes


def documents(highest, most, size):
    return st.lists(st.lists(st.integers(0, highest), max_size=size), min_size=1, max_size=most)


@settings(deadline=None, max_examples=200)
@given(data=st.data(), highest=st.sampled_from([0, 1, 3, 70_000]), shortest=st.integers(1, 5), more=st.integers(0, 9))
def test_it_equals_brute_force_and_each_match_is_where_it_says(data, highest, shortest, more):
    evaluation = arrays_of(data.draw(documents(highest, 3, 25)))
    training = arrays_of(data.draw(documents(highest, 4, 30)))
    training.append(np.concatenate([training[0], evaluation[0], evaluation[0][:3]]))
    order = suffix_order(evaluation, shortest, shortest + more)
    found = matched(order, training).spread(order)
    assert found.lengths.tolist() == brute_force.longest_matches(evaluation, training, shortest, shortest + more)
    for place in np.flatnonzero(found.lengths):
        length, offset = int(found.lengths[place]), found.offsets[place]
        there = training[found.documents[place]][offset : offset + length]
        assert (there + 1).tolist() == order.tokens[place : place + length].tolist()


def test_the_parts_of_the_training_text_do_not_matter():
    random = np.random.default_rng(0)
    evaluation = [random.integers(0, 3, 200) for _ in range(5)]
    training = [random.integers(0, 3, 300) for _ in range(8)]
    order = suffix_order(evaluation, 4, 64)
    whole = matched(order, training)
    for parts in ([[1, 3, 5, 7], [0, 2, 4, 6]], [[4, 5, 6, 7], [], [0, 1, 2, 3]]):
        merged = Longest.none(len(order.places))
        for part in parts:
            merged.merge(matched(order, training, part))
        assert merged.lengths.tolist() == whole.lengths.tolist()
        assert merged.documents.tolist() == whole.documents.tolist()
        assert merged.offsets.tolist() == whole.offsets.tolist()


def test_no_match_crosses_the_end_of_a_document():
    order = suffix_order(arrays_of([[1, 2, 3], [4, 5, 6]]), 2, 10)
    across = matched(order, arrays_of([[2, 3, 4, 5]])).spread(order)
    assert across.lengths.tolist() == [0, 2, 0, 0, 2, 0, 0, 0]
    apart = matched(order, arrays_of([[1, 2], [3, 4]])).spread(order)
    assert apart.lengths.tolist() == [2, 0, 0, 0, 0, 0, 0, 0]


def test_a_chunk_counts_what_lies_within_it():
    document = np.arange(100)
    order = suffix_order([document, np.arange(1000, 1005)], 8, 64)
    # Tokens 50 to 75: 14 of them in the first chunk, 12 in the second.
    chunks = chunk_matches(order, matched(order, [np.arange(5), np.arange(50, 76)]).spread(order))
    assert chunks.document.tolist() == [0, 0, 1]
    assert chunks.start.tolist() == [0, 64, 0]
    assert chunks.tokens.tolist() == [64, 36, 5]
    assert chunks.length.tolist() == [14, 12, 0]
    assert chunks.place.tolist() == [50, 0, 0]
    assert chunks.source.tolist() == [1, 1, -1]
    assert chunks.offset.tolist() == [0, 14, 0]
    assert chunks.ratios.tolist() == [14 / 64, 12 / 64, 0]


def test_long_repetitions_end_in_reasonable_time():
    order = suffix_order([np.zeros(20_000, int)], 8, 64)
    found = matched(order, [np.zeros(50_000, int)]).spread(order)
    assert found.lengths[:-64].min() == 64
    assert found.lengths[-9] == 8


def test_an_order_is_the_same_from_disk(tmp_path):
    order = suffix_order(arrays_of([[1, 2, 3, 1, 2, 3, 4]]), 2, 8)
    order.save(tmp_path)
    opened = SuffixOrder.open(tmp_path)
    assert (opened.shortest, opened.longest) == (2, 8)
    training = arrays_of([[9, 1, 2, 3, 4]])
    assert matched(opened, training).lengths.tolist() == matched(order, training).lengths.tolist()


def test_limits_that_make_no_sense_and_a_missing_library_are_refused(monkeypatch):
    with pytest.raises(BadInput, match="matches of 9 to 8 tokens"):
        suffix_order(arrays_of([[1]]), 9, 8)
    monkeypatch.setitem(__import__("sys").modules, "pydivsufsort", None)
    with pytest.raises(BadInput, match=r"needs pydivsufsort: pip install 'hutch-lab\[retrieval\]'"):
        suffix_order(arrays_of([[1]]), 1, 8)
