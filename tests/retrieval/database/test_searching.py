"""A search finds what a look at every chunk finds, whatever is excluded."""

import numpy as np
import pytest

from hutch.retrieval.database import append_to_database, searching
from hutch.retrieval.index import IndexConfig
from hutch.runs.errors import BadInput
from tests.retrieval.database.small import CHUNK, assert_found, build, documents, slow_search, vectors_of, write_shard

pytest.importorskip("faiss")
NOTHING = np.full((1, CHUNK), -1)


def manifold(seed=0):
    """Documents with many equal ones and one that has more chunks than the widest list of candidates."""
    texts = documents(60, seed)
    return texts + [texts[3]] * 40 + [texts[4]] * 5 + documents(1, seed + 1, longest=1)[:1] + [long_document()]


def long_document():
    """Of three tokens that no other document has."""
    random = np.random.default_rng(7)
    return random.choice([250, 251, 252], (searching.WIDEST + 80) * CHUNK)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """In two segments, with BM25's inverted file."""
    folder = tmp_path_factory.mktemp("database")
    build(folder / "d", write_shard(folder / "shard", manifold()), retriever="bm25")
    return append_to_database(write_shard(folder / "more", documents(30, seed=11)), folder / "d")


@pytest.fixture(scope="module")
def queries(database):
    """Chunks of all kinds: of equal documents, of the long one, of others; short ones among them."""
    first, last = database.span_of_document(105 + 1)
    assert last - first > searching.WIDEST
    ids = np.concatenate([np.arange(0, first, 5), np.arange(first, last, 60), np.arange(last, len(database), 9)])
    return ids, database.chunk_tokens(ids)


def test_without_exclusion_the_nearest_are_found(database, queries):
    found = database.search(queries[1], 5, retriever="dense")
    assert_found(database, queries[1], 5, found)
    assert found.short == 0


def test_excluded_documents_are_never_found_and_all_others_are(database, queries):
    ids, tokens = queries
    excluded = database.document_hash_of(ids)
    found = database.search(tokens, 4, retriever="dense", exclude_documents=excluded)
    assert not (database.document_hash_of(found.ids) == excluded[:, None]).any()
    assert_found(database, tokens, 4, found, excluded)
    assert found.short == 0


def test_several_documents_may_be_excluded_and_zero_excludes_none(database, queries):
    ids, tokens = queries
    excluded = database.document_hash_of(np.stack([ids, (ids + 40) % len(database), ids * 0 - 1], axis=1))
    assert (excluded[:, 2] == 0).all()
    found = database.search(tokens, 3, retriever="dense", exclude_documents=excluded)
    assert_found(database, tokens, 3, found, excluded)
    plain, zero = (
        database.search(tokens, 3, retriever="dense", exclude_documents=e) for e in (None, np.zeros(len(ids), int))
    )
    assert np.array_equal(plain.ids, zero.ids)


def test_a_long_document_forces_the_exact_search(database, queries, monkeypatch):
    """Its chunks are nearer to each other than anything else: no list of candidates reaches beyond it."""
    ids, tokens = queries
    first, last = database.span_of_document(106)
    inside = (ids >= first) & (ids < last)
    excluded = database.document_hash_of(ids[inside])
    nearest = slow_search(database, tokens[inside], searching.WIDEST)[0]
    assert (database.document_hash_of(nearest) == excluded[:, None]).all(axis=1).any()
    rows = []
    exactly = searching.exactly
    monkeypatch.setattr(searching, "exactly", lambda *given: rows.append(len(given[1])) or exactly(*given))
    found = database.search(tokens[inside], 2, retriever="dense", exclude_documents=excluded)
    assert sum(rows) > 0
    assert_found(database, tokens[inside], 2, found, excluded)


def test_fewer_are_found_only_where_fewer_may_be(tmp_path):
    texts = [list(range(20)), list(range(20)), list(range(50, 60))]
    database = build(tmp_path / "d", write_shard(tmp_path / "shard", texts))
    assert len(database) == 8
    excluded = database.document_hash_of(np.array([0]))
    found = database.search(database.chunk_tokens(np.array([0])), 5, exclude_documents=excluded)
    assert sorted(found.ids[0, :2].tolist()) == [6, 7]
    assert found.ids[0, 2:].tolist() == [-1, -1, -1]
    assert np.isinf(found.distances[0, 2:]).all()
    assert found.short == 1


def test_a_limited_database_is_its_first_chunks(database, queries):
    ids, tokens = queries
    tokens = tokens[:: len(tokens) // 12]
    excluded = database.document_hash_of(ids[:: len(ids) // 12])
    for limit in (1, 7, 300, int(database.starts[1]), int(database.starts[1]) + 13, len(database)):
        limited = database.limited(limit)
        assert len(limited) == limit
        k = min(3, limit)
        found = limited.search(tokens, k, retriever="dense")
        assert found.ids.max() < limit
        assert_found(limited, tokens, k, found)
        assert_found(
            limited, tokens, k, limited.search(tokens, k, retriever="dense", exclude_documents=excluded), excluded
        )
    assert len({database.limited(limit).digest for limit in (1, 7, len(database))} | {database.digest}) == 3
    for limit in (0, len(database) + 1):
        with pytest.raises(BadInput):
            database.limited(limit)


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_an_approximate_index_finds_most_and_never_what_is_excluded(tmp_path, kind):
    shard = write_shard(tmp_path / "shard", documents(400, seed=2))
    database = build(tmp_path / "d", shard, index=IndexConfig(kind=kind, sample=200), block=4096)
    assert len(database) > 2000
    ids = np.arange(0, len(database), 19)
    tokens, excluded = database.chunk_tokens(ids), database.document_hash_of(ids)
    for limited, least in ((database, 0.9), (database.limited(len(database) // 2), 0.9)):
        found = limited.search(tokens, 2, exclude_documents=excluded)
        assert found.short == 0
        assert found.ids.max() < len(limited)
        assert not (database.document_hash_of(found.ids) == excluded[:, None]).any()
        exact = slow_search(limited, tokens, 2, excluded)[1]
        assert (found.distances <= exact.max(axis=1, keepdims=True) + 1e-4).mean() > least


def slow_bm25(database, queries, excluded):
    """The BM25 score of every chunk for every query, −inf where it is excluded or 0."""
    chunks = database.chunk_tokens(np.arange(len(database)))
    scores = database.bm25.scores(queries, np.broadcast_to(chunks, (len(queries), *chunks.shape)))
    hashes = database.document_hash_of(np.arange(len(database)))
    return np.where((hashes == excluded[:, None]) | (scores <= 0), -np.inf, scores)


def test_bm25_finds_the_best_scores(database, queries):
    ids, tokens = queries[0][::6], queries[1][::6]
    for excluded in (np.zeros(len(ids), int), database.document_hash_of(ids)):
        found = database.search(tokens, 4, retriever="bm25", exclude_documents=excluded)
        scores = slow_bm25(database, tokens, excluded)
        best = -np.sort(-scores, axis=1)[:, :4]
        np.testing.assert_allclose(-found.distances, best, rtol=1e-4)
        assert np.array_equal(found.ids < 0, np.isinf(best))
        assert not (excluded.any() and (database.document_hash_of(found.ids) == excluded[:, None]).any())


def test_bm25_finds_no_chunk_that_shares_no_token(database):
    unheard = np.full((1, CHUNK), 256)
    found = database.search(unheard, 2, retriever="bm25")
    assert found.ids.tolist() == [[-1, -1]]


def test_reranking_orders_the_nearest_by_bm25(database, queries):
    ids, tokens = queries[0][::6], queries[1][::6]
    excluded = database.document_hash_of(ids)
    found = database.search(tokens, 3, retriever="reranked", exclude_documents=excluded)
    candidates = database.search(tokens, database.config.candidates, retriever="dense", exclude_documents=excluded)
    scores = slow_bm25(database, tokens, excluded)
    for row in range(len(ids)):
        among = candidates.ids[row][candidates.ids[row] >= 0]
        best = np.sort(scores[row, among])[::-1][:3]
        np.testing.assert_allclose(scores[row, found.ids[row]], best, rtol=1e-4)
        vectors = vectors_of(database)[found.ids[row]]
        own = database.embedder.embed(tokens[row : row + 1], database.tokenizer)
        np.testing.assert_allclose(found.distances[row], ((vectors - own) ** 2).sum(1), atol=2e-3)


def test_vectors_are_searched_like_the_tokens_that_they_stand_for(database, queries):
    tokens = queries[1][:20]
    by_tokens = database.search(tokens, 3, retriever="dense")
    by_vectors = database.search(database.embedder.embed(tokens, database.tokenizer), 3)
    assert np.array_equal(by_tokens.ids, by_vectors.ids)


@pytest.mark.parametrize("retriever", ["dense", "reranked", "bm25"])
def test_a_row_with_nothing_to_embed_finds_nothing(database, retriever):
    rows = np.concatenate([NOTHING, database.chunk_tokens(np.array([0])), NOTHING])
    excluded = np.array([0, 5, 5])
    found = database.search(rows, 2, retriever=retriever, exclude_documents=excluded)
    assert (found.ids[[0, 2]] == -1).all()
    assert np.isinf(found.distances[[0, 2]]).all()
    assert (found.ids[1] >= 0).all()
    assert (database.values(found.ids)[[0, 2]] == -1).all()


def test_no_query_finds_nothing(database):
    found = database.search(np.empty((0, CHUNK), int), 3, exclude_documents=np.empty((0, 2), int))
    assert found.ids.shape == found.distances.shape == (0, 3)


def test_many_rows_are_searched_as_few_are(database):
    ids = np.arange(len(database))
    tokens, excluded = database.chunk_tokens(ids), database.document_hash_of(ids)
    assert len(ids) > searching.ROWS_AT_ONCE
    whole = database.search(tokens, 2, retriever="dense", exclude_documents=excluded)
    some = slice(searching.ROWS_AT_ONCE - 5, searching.ROWS_AT_ONCE + 5)
    part = database.search(tokens[some], 2, retriever="dense", exclude_documents=excluded[some])
    np.testing.assert_allclose(whole.distances[some], part.distances, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"k": 0}, "k is 0"),
        ({"k": 10**6}, "k is 1000000"),
        ({"retriever": "sparse"}, "retriever is 'sparse'"),
        ({"queries": np.zeros(CHUNK, int)}, "queries are int64 [8]"),
        ({"queries": np.full((1, CHUNK), 257)}, "queries hold tokens 257 to 257"),
        ({"queries": np.full((1, CHUNK), -2)}, "queries hold tokens -2 to -2"),
        ({"queries": np.zeros((1, 5), np.float32)}, "queries have 5 dimensions"),
        ({"queries": np.zeros((1, 16), np.float32), "retriever": "bm25"}, "only tokens can"),
        ({"exclude_documents": np.zeros(3, int)}, "exclude_documents is int64 [3]"),
        ({"exclude_documents": np.zeros(1)}, "exclude_documents is float64 [1]"),
    ],
)
def test_a_search_that_cannot_be_is_refused(database, change, says):
    asked = {"queries": np.zeros((1, CHUNK), int), "k": 1} | change
    with pytest.raises(BadInput) as caught:
        database.search(asked.pop("queries"), asked.pop("k"), **asked)
    assert says in str(caught.value)


def test_bm25_without_an_inverted_file_is_refused(tmp_path):
    database = build(tmp_path / "d", write_shard(tmp_path / "shard", documents(5)))
    with pytest.raises(BadInput) as caught:
        database.search(np.zeros((1, CHUNK), int), 1, retriever="bm25")
    assert "no inverted file" in str(caught.value)
