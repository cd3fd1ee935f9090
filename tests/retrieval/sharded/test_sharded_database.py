"""The search over shards, in this process: the local answers to the bit, and what is said where a shard is lost."""

import dataclasses
import pickle
import sys

import numpy as np
import pytest

from hutch.retrieval.database import ChunkDatabase
from hutch.retrieval.index import IndexConfig
from hutch.retrieval.sharded import ShardedDatabase, ShardsLost, cluster, sharded
from hutch.runs.errors import BadInput, HutchError
from tests.retrieval.sharded.pieces import SEGMENTS, HereShards, assert_same_answers, questions, several_segments

pytest.importorskip("faiss")


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return several_segments(tmp_path_factory.mktemp("database"))


@pytest.mark.parametrize("shards", [1, 2, 3, None])
def test_shards_find_what_the_local_search_finds(database, shards):
    here = HereShards.of(database, shards)
    assert_same_answers(database, ShardedDatabase(database, here))
    assert set(here.steps) == {"by_vector", "exactly", "by_bm25", "scores"}


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_approximate_indexes_find_the_same_too(tmp_path, kind):
    database = several_segments(tmp_path, index=IndexConfig(kind=kind, sample=50))
    assert_same_answers(database, ShardedDatabase(database, HereShards.of(database, 2)))


def test_a_limited_database_is_searched_as_far(database):
    for limit in (1, 40, int(database.starts[1]) + 3, int(database.starts[2])):
        limited = database.limited(limit)
        shards = HereShards.of(limited)
        assert sum(share.chunks for share in shards.shares) == limit
        assert_same_answers(limited, ShardedDatabase(limited, shards))


def test_the_input_is_checked_as_by_the_local_search(database):
    wide = ShardedDatabase(database, HereShards.of(database))
    tokens = database.chunk_tokens(np.arange(2))
    for queries, k, more in (
        (tokens, 0, {}),
        (tokens, 1, {"retriever": "best"}),
        (tokens, 1, {"exclude_documents": np.zeros(3, int)}),
    ):
        errors = []
        for searched in (database, wide):
            with pytest.raises(BadInput) as caught:
                searched.search(queries, k, **more)
            errors.append(str(caught.value))
        assert errors[0] == errors[1]


def test_a_lost_shard_is_named_by_the_error(database):
    shards = HereShards.of(database)
    shards.broken[2] = 0
    with pytest.raises(ShardsLost) as caught:
        ShardedDatabase(database, shards).search(database.chunk_tokens(np.arange(2)), 1)
    held = len(database.segments[2])
    assert str(caught.value) == f"shard 2 (segment 000002; {held} chunks) did not answer: it is broken"
    assert caught.value.exit_code == 1
    assert pickle.loads(pickle.dumps(caught.value)).missing == caught.value.missing


@pytest.mark.parametrize("answers", [0, 1, 2])
@pytest.mark.parametrize("how", ["dense", "reranked", "bm25"])
def test_or_told_with_the_answer_which_is_that_of_the_others(database, how, answers):
    """Also where it answered some requests first: no row keeps a chunk of it."""
    name = f"{how}, own document excluded"
    shards = HereShards.of(database, 2)
    shards.broken[1] = answers
    queries, k, more = questions(database)[name]
    found = ShardedDatabase(database, shards, "tell").search(queries, k, **more)
    (missing,) = found.missing
    assert (missing.number, missing.segments) == (1, shards.shares[1].names)
    assert found.chunks_missing == missing.chunks == shards.shares[1].chunks > 0
    assert not shards.shares[1].holds(found.ids).any()
    alone = HereShards((dataclasses.replace(shards.shares[0], number=0),), shards.searchers[:1])
    expected = ShardedDatabase(database, alone).search(queries, k, **more)
    assert np.array_equal(found.ids, expected.ids)
    assert np.array_equal(found.distances, expected.distances)


def test_rows_that_want_more_than_is_left_are_short(database):
    shards = HereShards.of(database)
    shards.broken |= {0: 0, 1: 0, 2: 0}
    left = shards.shares[3].chunks
    found = ShardedDatabase(database, shards, "tell").search(
        database.chunk_tokens(np.arange(3)), left + 2, retriever="dense"
    )
    assert [shard.number for shard in found.missing] == [0, 1, 2]
    assert found.chunks_missing == len(database) - left
    assert (found.ids >= 0).sum(axis=1).tolist() == [left] * 3
    assert np.isinf(found.distances[:, left:]).all()


def test_no_answer_at_all_is_an_error(database):
    shards = HereShards.of(database)
    shards.broken |= dict.fromkeys(range(SEGMENTS), 0)
    with pytest.raises(ShardsLost) as caught:
        ShardedDatabase(database, shards, "tell").search(database.chunk_tokens(np.arange(2)), 1)
    assert len(caught.value.missing) == SEGMENTS


def test_a_segment_that_is_truncated_or_another_one_says_so(tmp_path):
    database = several_segments(tmp_path)
    queries = database.chunk_tokens(np.arange(2))
    path = database.segments[1].folder / "hashes.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    with pytest.raises(HutchError) as caught:
        ShardedDatabase(database, HereShards.of(database)).search(queries, 1)
    assert f"{path} has {len(whole) - 8} bytes and should have {len(whole)}" in str(caught.value)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    wide = ShardedDatabase(database, HereShards.of(database))
    wide.search(queries, 1)
    with pytest.raises(HutchError) as caught:
        wide.verify()
    assert f"{path} is damaged" in str(caught.value)
    manifest = database.segments[2].folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"test"', '"text"'))
    with pytest.raises(HutchError) as caught:
        ShardedDatabase(database, HereShards.of(database)).search(queries, 1)
    assert "shard 2" in str(caught.value)
    assert "is not the one" in str(caught.value)


def test_shares_are_whole_segments_and_about_as_large(database):
    sizes = np.diff(database.starts)
    for count in range(1, SEGMENTS + 1):
        shares = HereShards.of(database, count).shares
        assert sorted(name for share in shares for name in share.names) == [f"00000{i}" for i in range(SEGMENTS)]
        assert [share.number for share in shares] == list(range(count))
        loads = [share.chunks for share in shares]
        assert sum(loads) == len(database)
        assert max(loads) - min(loads) <= sizes.max()
        every = np.arange(len(database))
        assert np.array_equal(sum(share.holds(every).astype(int) for share in shares), np.ones(len(database)))


def test_what_cannot_be_is_refused_in_one_line(database, monkeypatch):
    for more, says in (
        ({"shards": 5}, "5 shards were asked for; "),
        ({"shards": 0}, "can be searched by 1 to 4"),
        ({"timeout": 0}, "timeout is 0"),
    ):
        with pytest.raises(BadInput) as caught, sharded(database, **more):
            pass
        assert says in str(caught.value)
    with pytest.raises(BadInput) as caught:
        ShardedDatabase(database, HereShards.of(database), "hide")
    assert "missing is 'hide'" in str(caught.value)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadInput) as caught, sharded(database):
        pass
    assert str(caught.value).endswith("pip install 'hutch-lab[ray]'")


@pytest.mark.parametrize("address", ["", "host", "ray://127.0.0.1:10001", "127.0.0.1:99999", "127.0.0.1:1"])
def test_an_address_where_no_cluster_is_says_so(address):
    pytest.importorskip("ray", reason="the extra ray is not installed")
    with pytest.raises(HutchError) as caught, cluster(address):
        pass
    assert address in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_database_is_opened_from_where_it_lies(database, monkeypatch):
    """Actors have another working directory than who starts them."""
    monkeypatch.chdir(database.folder.parent)
    shares = HereShards.of(ChunkDatabase.open("d")).shares
    assert {share.folder for share in shares} == {database.folder}
