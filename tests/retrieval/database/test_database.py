"""What an opened database says of its chunks and documents."""

import numpy as np
import pytest

from hutch.retrieval.database import append_to_database, document_hashes
from hutch.runs.errors import BadInput
from tests.retrieval.database.small import CHUNK, VALUE, build, documents, write_shard

pytest.importorskip("faiss")
TEXTS = [[1, 2, 3], [], list(range(10, 30)), [1, 2, 3], list(range(40, 48))]
"""Shorter than a chunk; empty; of two chunks and a half; the first again; of exactly one chunk."""


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    folder = tmp_path_factory.mktemp("database")
    return build(folder / "d", write_shard(folder / "shard", TEXTS))


def test_values_are_chunk_and_continuation_and_stop_at_the_documents_end(database):
    assert len(database) == 6
    values = database.values(np.arange(6))
    assert values.dtype == np.int64
    padded = [text + [-1] * VALUE for text in ([1, 2, 3], TEXTS[2], TEXTS[2][8:], TEXTS[2][16:], [1, 2, 3], TEXTS[4])]
    assert values.tolist() == [row[:VALUE] for row in padded]
    assert database.chunk_tokens(np.arange(6)).tolist() == [row[:CHUNK] for row in padded]


def test_the_missing_id_gives_nothing_and_never_the_last_chunk(database):
    assert (database.values(np.array([[-1, 5], [0, -1]]))[[0, 1], [0, 1]] == -1).all()
    assert database.values(np.array([[-1, 5], [0, -1]])).shape == (2, 2, VALUE)
    assert database.document_of(np.array([-1, 5])).tolist() == [-1, 4]
    assert database.document_hash_of(np.array([-1]))[0] == 0
    assert database.document_hash_of(np.array([5]))[0] != 0


@pytest.mark.parametrize(("ids", "says"), [([6], "ids 6 to 6"), ([-2, 0], "ids -2 to 0"), ([0.0], "integers")])
def test_ids_that_are_not_there_are_refused(database, ids, says):
    for ask in (database.values, database.chunk_tokens, database.document_of, database.document_hash_of):
        with pytest.raises(BadInput) as caught:
            ask(np.array(ids))
        assert says in str(caught.value)


def test_documents_are_known_by_number_and_by_content(database):
    assert database.document_of(np.arange(6)).tolist() == [0, 2, 2, 2, 3, 4]
    entry = database.document(2)
    assert (entry.subset, entry.index, entry.tokens, entry.first_chunk, entry.chunks) == ("odd", 2, 20, 1, 3)
    assert database.span_of_document(2) == (1, 4)
    assert database.document(1).chunks == 0
    assert database.document_tokens(2).tolist() == TEXTS[2]
    assert database.document_tokens(1).tolist() == []
    hashes = database.document_hash_of(np.arange(6))
    assert hashes[0] == hashes[4] == database.document(3).hash
    assert len(set(hashes.tolist())) == 3
    for number in (-1, 5):
        with pytest.raises(BadInput):
            database.document(number)


def test_the_hash_is_of_the_tokens_alone(tmp_path):
    texts = documents(9)
    one, other = write_shard(tmp_path / "one", texts), write_shard(tmp_path / "other", texts[::-1])
    assert np.array_equal(
        document_hashes(one.tokens, one.documents), document_hashes(other.tokens, other.documents)[::-1]
    )


def test_every_value_is_what_the_document_says(tmp_path):
    """Over two segments, against the documents cut one by one."""
    texts = documents(25, seed=3)
    database = build(tmp_path / "d", write_shard(tmp_path / "shard", texts[:15]))
    database = append_to_database(write_shard(tmp_path / "more", texts[15:]), tmp_path / "d")
    expected = [
        (number, ([*text[start : start + VALUE]] + [-1] * VALUE)[:VALUE])
        for number, text in enumerate(texts)
        for start in range(0, len(text), CHUNK)
    ]
    ids = np.arange(len(database))
    assert len(expected) == len(database)
    assert database.document_of(ids).tolist() == [number for number, _ in expected]
    assert database.values(ids).tolist() == [value for _, value in expected]
