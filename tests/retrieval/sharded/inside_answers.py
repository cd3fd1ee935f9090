"""Run by test_cluster.py in a network of its own: answers of the actors of one cluster, and of those that die."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
import ray

from hutch.retrieval.database import JoinConfig, append_to_database, join_neighbours
from hutch.retrieval.sharded import ShardsLost, cluster, join_sharded, sharded
from hutch.runs.errors import BadInput, HutchError
from tests.retrieval.database.small import CHUNK, contents, documents, write_shard
from tests.retrieval.sharded.pieces import SEGMENTS, assert_same_answers, questions, several_segments


@pytest.fixture(scope="module", autouse=True)
def one_cluster():
    with cluster(cpus=2):
        yield


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return several_segments(tmp_path_factory.mktemp("database"))


@pytest.fixture(scope="module")
def wide(database):
    """Two actors with two segments each, for all tests that do not harm them for ever."""
    with sharded(database, shards=2, timeout=90) as wide:
        yield wide


def processes(wide):
    return [ray.get(handle.prepare.remote()) for handle in wide.shards.handles]


@contextmanager
def stopped(process):
    """A process that is there and does nothing."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_the_cluster_is_of_this_machine_alone():
    assert ray.util.get_node_ip_address() == "127.0.0.1"
    assert ray.cluster_resources()["CPU"] == 2


def test_the_actors_find_what_the_local_search_finds(database, wide):
    assert len(set(processes(wide)) | {os.getpid()}) == 3
    assert_same_answers(database, wide)


def test_actors_leave_all_cpus_to_tasks(wide):
    assert ray.available_resources()["CPU"] == 2


def test_an_actor_that_is_killed_in_a_stream_of_searches_answers_again(database, wide):
    queries, k, more = questions(database)["dense, own document excluded"]
    before = processes(wide)
    expected = database.search(queries, k, **more).ids
    for round_ in range(12):
        if round_ in (3, 7):
            # While a request is under way: it is given to the process that comes after this one.
            request = wide.shards.handles[1].by_vector.remote(np.tile(questions(database)["vectors"][0], (200, 1)), 300)
            os.kill(processes_of(wide, before)[1] if round_ == 7 else before[1], signal.SIGKILL)
            assert len(ray.get(request)[0]) == 200 * len(queries)
        found = wide.search(queries, k, **more)
        assert found.missing == ()
        assert np.array_equal(found.ids, expected)
    after = processes(wide)
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert_same_answers(database, wide)


def processes_of(wide, before):
    now = processes(wide)
    assert now[1] != before[1]
    return now


def test_a_shard_that_does_not_answer_in_time_is_named_and_comes_back(database):
    queries, k, more = questions(database)["reranked"]
    with sharded(database, shards=2, missing="tell") as wide:
        assert wide.search(queries, k, **more).missing == ()
        impatient = type(wide)(database, type(wide.shards)(wide.shards.shares, wide.shards.handles, 1.0), "tell")
        with stopped(processes(wide)[0]):
            found = impatient.search(queries, k, **more)
            (missing,) = found.missing
            assert missing.reason == "no answer within 1 s"
            assert missing.segments == wide.shards.shares[0].names
            assert found.chunks_missing == wide.shards.shares[0].chunks
            with pytest.raises(ShardsLost) as caught:
                type(wide)(database, impatient.shards, "raise").search(queries, k, **more)
            assert "shard 0 (segment" in str(caught.value)
        assert np.array_equal(wide.search(queries, k, **more).ids, database.search(queries, k, **more).ids)


def test_a_shard_that_is_not_started_again_is_named(database):
    queries, k, more = questions(database)["dense, own document excluded"]
    with sharded(database, timeout=60) as wide:
        processes(wide)
        ray.kill(wide.shards.handles[2], no_restart=True)
        with pytest.raises(ShardsLost) as caught:
            wide.search(queries, k, **more)
        said = str(caught.value)
        assert said.startswith(f"shard 2 (segment 000002; {len(database.segments[2])} chunks) did not answer: its proc")
        assert "\n" not in said
        found = type(wide)(database, wide.shards, "tell").search(queries, k, **more)
        assert [(shard.number, shard.segments) for shard in found.missing] == [(2, ("000002",))]
        assert found.chunks_missing == len(database.segments[2])
        first, last = database.starts[2:4]
        assert not ((found.ids >= first) & (found.ids < last)).any()
        assert found.short == 0


def test_a_file_that_is_truncated_under_an_actor_is_named(tmp_path):
    """Its mapped pages are gone: the process dies of it, and the next one sees why."""
    database = several_segments(tmp_path)
    queries = database.chunk_tokens(np.arange(3))
    with sharded(database, shards=2, timeout=60) as wide:
        wide.search(queries, 2, retriever="bm25")
        first = processes(wide)[0]
        path = database.folder / "segments" / wide.shards.shares[0].names[0] / "postings" / "parts.npy"
        size = path.stat().st_size
        os.truncate(path, 64)
        with pytest.raises(HutchError) as caught:
            wide.search(queries, 2, retriever="bm25")
        assert str(caught.value).endswith(f"{path} has 64 bytes and should have {size:,}")
        assert "\n" not in str(caught.value)
        found = type(wide)(database, wide.shards, "tell").search(queries, 2, retriever="bm25")
        assert [shard.number for shard in found.missing] == [0]
        assert str(path) in found.missing[0].reason
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)


def test_actors_end_with_the_block(database):
    with sharded(database, shards=2) as wide:
        there = processes(wide)
    last = time.monotonic() + 30
    while any(os.path.exists(f"/proc/{process}") for process in there) and time.monotonic() < last:
        time.sleep(0.1)
    assert not [process for process in there if os.path.exists(f"/proc/{process}")]


@pytest.fixture(scope="module")
def shard(database, tmp_path_factory):
    return write_shard(tmp_path_factory.mktemp("joined"), documents(60, seed=2))


@pytest.mark.parametrize("retriever", ["dense", "reranked"])
def test_a_join_by_tasks_writes_the_bytes_of_the_local_join(database, wide, shard, tmp_path, retriever):
    config = JoinConfig(k=3, context=2 * CHUNK, retriever=retriever, block=25)
    join_neighbours(shard, database, tmp_path / "here", config=config)
    heard = []
    table = join_sharded(shard, wide, tmp_path / "there", config=config, on_progress=lambda *said: heard.append(said))
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert heard[-1] == ("joining", len(table.ids), len(table.ids))
    assert np.array_equal(join_sharded(shard, wide, tmp_path / "there", config=config).ids, table.ids)
    with pytest.raises(BadInput) as caught:
        join_sharded(shard, wide, tmp_path / "there", config=JoinConfig(k=2))
    assert "with k 3, not 2" in str(caught.value)


def test_either_join_goes_on_where_the_other_stopped(database, wide, shard, tmp_path):
    config = JoinConfig(context=CHUNK, retriever="dense", block=20)
    join_neighbours(shard, database, tmp_path / "peace", config=config)

    def stop(stage, done, total):
        if done >= 40:
            raise KeyboardInterrupt

    for first, then in ((join_neighbours, join_sharded), (join_sharded, join_neighbours)):
        folder = tmp_path / first.__name__
        for join, more in ((first, {"on_progress": stop}), (then, {})):
            searched = wide if join is join_sharded else database
            if more:
                with pytest.raises(KeyboardInterrupt):
                    join(shard, searched, folder, config=config, **more)
                blocks = list((folder / "neighbours.npy.blocks").iterdir())
                assert len(blocks) >= 2
                time.sleep(1)
                assert list((folder / "neighbours.npy.blocks").iterdir()) == blocks
            else:
                join(shard, searched, folder, config=config)
        assert contents(folder) == contents(tmp_path / "peace")


def test_a_join_with_an_actor_that_is_killed_gives_the_same_bytes(database, wide, shard, tmp_path):
    config = JoinConfig(context=CHUNK, retriever="dense", block=20)
    join_neighbours(shard, database, tmp_path / "peace", config=config)
    killed = []

    def kill(stage, done, total):
        if done and not killed:
            killed.append(processes(wide)[0])
            os.kill(killed[0], signal.SIGKILL)

    join_sharded(shard, wide, tmp_path / "killed", config=config, on_progress=kill)
    assert killed
    assert contents(tmp_path / "killed") == contents(tmp_path / "peace")


def test_a_join_without_a_shard_fails_and_goes_on_later(database, wide, shard, tmp_path):
    config = JoinConfig(context=CHUNK, retriever="dense", block=20)
    with sharded(database, missing="tell") as lame:
        processes(lame)
        ray.kill(lame.shards.handles[1], no_restart=True)
        with pytest.raises(HutchError) as caught:
            join_sharded(shard, lame, tmp_path / "n", config=config)
    assert "shard 1 (segment 000001;" in str(caught.value)
    assert "\n" not in str(caught.value)
    join_neighbours(shard, database, tmp_path / "peace", config=config)
    join_sharded(shard, wide, tmp_path / "n", config=config)
    assert contents(tmp_path / "n") == contents(tmp_path / "peace")


def test_another_process_joins_the_cluster_by_its_address(database, wide):
    address = ray.get_runtime_context().gcs_address
    with pytest.raises(BadInput) as caught, cluster("127.0.0.1:1"):
        pass
    assert address in str(caught.value)
    code = """
import sys
from hutch.retrieval.database import ChunkDatabase
from hutch.retrieval.sharded import sharded
database = ChunkDatabase.open(sys.argv[1])
with sharded(database, address=sys.argv[2]) as wide:
    print(wide.search(database.chunk_tokens([5, 6]), 3, retriever="dense").ids.tolist())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, database.folder, address], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    expected = database.search(database.chunk_tokens(np.array([5, 6])), 3, retriever="dense").ids.tolist()
    assert done.stdout.strip() == str(expected)


def test_what_is_appended_afterwards_is_not_found_until_it_is_opened_again(tmp_path):
    """An actor that comes back opens the segments that it was given, whatever the folder holds by then."""
    database = several_segments(tmp_path)
    with sharded(database, shards=2) as wide:
        process = processes(wide)[1]
        larger = append_to_database(write_shard(tmp_path / "more", documents(9, seed=77)), database.folder)
        os.kill(process, signal.SIGKILL)
        assert_same_answers(database, wide)
        with sharded(larger, shards=SEGMENTS + 1) as wider:
            assert_same_answers(larger, wider)
