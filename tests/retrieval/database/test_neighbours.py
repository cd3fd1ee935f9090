"""The join of a shard with a database, against single searches and documents marked token by token."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hutch.retrieval.database import JoinConfig, NeighbourTable, append_to_database, document_hashes, join_neighbours
from hutch.runs.errors import BadInput, HutchError
from hutch.text import Tokenizer
from tests.retrieval.database.small import CHUNK, build, contents, documents, write_shard

pytest.importorskip("faiss")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    """Of 30 documents, whose number of tokens no chunk divides."""
    shard = write_shard(tmp_path_factory.mktemp("shard"), documents(30))
    assert len(shard.tokens) % CHUNK
    return shard


@pytest.fixture(scope="module")
def database(shard, tmp_path_factory):
    """The shard's own documents, and the first ten again in another order."""
    folder = tmp_path_factory.mktemp("database")
    build(folder / "d", shard)
    return append_to_database(write_shard(folder / "more", documents(30)[9::-1]), folder / "d")


def forbidden(shard, chunk, context):
    """By the definition: the documents of all windows on the ring that hold the whole chunk, found token by token."""
    size = len(shard.tokens)
    owner = np.repeat(np.arange(len(shard)), shard.documents["tokens"])
    hashes = document_hashes(shard.tokens, shard.documents)
    mine = set(range(chunk * CHUNK, (chunk + 1) * CHUNK))
    found = set()
    for start in range(0, size, CHUNK):
        window = [place % size for place in range(start, start + context)]
        if mine <= set(window):
            found |= set(hashes[owner[window]].tolist())
    return found


@pytest.mark.parametrize("context", [None, CHUNK, 4 * CHUNK])
def test_a_join_is_a_loop_of_single_searches(shard, database, tmp_path, context):
    table = join_neighbours(shard, database, tmp_path / "n", config=JoinConfig(k=3, context=context, block=10))
    chunks = len(shard.tokens) // CHUNK
    assert table.ids.shape == (chunks, 3)
    for chunk in range(chunks):
        query = shard.tokens[chunk * CHUNK : (chunk + 1) * CHUNK].astype(np.int64)[None]
        banned = np.array(sorted(forbidden(shard, chunk, context or CHUNK)))
        found = database.search(query, 3, exclude_documents=banned[None])
        assert found.ids.tolist() == [table.ids[chunk].tolist()]
        assert not np.isin(database.document_hash_of(table.ids[chunk]), banned).any()


def test_a_window_that_wraps_around_the_end_forbids_both_sides(tmp_path):
    """Ten documents of a chunk each: the first chunk's windows reach into the last document, and the other way."""
    texts = [[number] * (CHUNK - 1) for number in range(10)]
    shard = write_shard(tmp_path / "shard", texts)
    database = build(tmp_path / "d", shard)
    table = join_neighbours(shard, database, tmp_path / "n", config=JoinConfig(k=5, context=3 * CHUNK))
    allowed = [{(chunk + step) % 10 for step in range(3, 8)} for chunk in range(10)]
    assert [set(row.tolist()) for row in table.ids] == allowed


def test_a_context_as_long_as_the_shard_leaves_nothing(tmp_path):
    shard = write_shard(tmp_path / "shard", documents(4, longest=20))
    database = build(tmp_path / "d", shard)
    context = len(shard.tokens) // CHUNK * CHUNK + CHUNK
    table = join_neighbours(shard, database, tmp_path / "n", config=JoinConfig(k=1, context=context))
    assert (table.ids == -1).all()
    assert table.short == len(table.ids)


def test_an_equal_document_elsewhere_is_no_neighbour_either(shard, database, tmp_path):
    """The first ten documents stand in the database twice, under other numbers."""
    table = join_neighbours(shard, database, tmp_path / "n", config=JoinConfig(k=2))
    owner = np.repeat(np.arange(len(shard)), shard.documents["tokens"])[: len(table.ids) * CHUNK].reshape(-1, CHUNK)
    texts = [shard.document(i)[:-1].tolist() for i in range(len(shard))]
    for documents_here, row in zip(owner, table.ids, strict=True):
        here = [texts[number] for number in set(documents_here.tolist())]
        assert all(database.document_tokens(int(n)).tolist() not in here for n in database.document_of(row[row >= 0]))


def test_a_join_that_is_killed_at_any_write_goes_on_to_the_same_bytes(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.retrieval.database.killed", "join", tmp_path],
        capture_output=True, text=True, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


def test_two_processes_join_what_one_does(shard, database, tmp_path):
    heard = []
    for name, workers in (("one", 1), ("two", 2)):
        join_neighbours(
            shard, database, tmp_path / name, config=JoinConfig(context=2 * CHUNK, block=10), workers=workers,
            on_progress=lambda *said: heard.append(said),
        )  # fmt: skip
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    chunks = len(shard.tokens) // CHUNK
    assert heard.count(("joining", chunks, chunks)) >= 2


def test_the_same_join_again_opens_what_is_there(shard, database, tmp_path):
    first = join_neighbours(shard, database, tmp_path / "n")
    before = contents(tmp_path / "n")
    assert np.array_equal(join_neighbours(shard, database, tmp_path / "n").ids, first.ids)
    assert contents(tmp_path / "n") == before


def test_neighbours_of_something_else_are_refused(shard, database, tmp_path):
    join_neighbours(shard, database, tmp_path / "n")
    other = write_shard(tmp_path / "other", documents(30, seed=4))
    fewer = database.limited(20)
    for given, says in (((other, database), "another shard"), ((shard, fewer), "another database")):
        with pytest.raises(BadInput) as caught:
            NeighbourTable.open(tmp_path / "n", *given)
        assert says in str(caught.value)
        with pytest.raises(BadInput):
            join_neighbours(*given, tmp_path / "n")
    with pytest.raises(BadInput) as caught:
        join_neighbours(shard, database, tmp_path / "n", config=JoinConfig(k=3))
    assert "with k 2, not 3" in str(caught.value)


def test_a_limited_database_gives_its_first_chunks_alone(shard, database, tmp_path):
    table = join_neighbours(shard, database.limited(40), tmp_path / "n", config=JoinConfig(k=2))
    assert table.ids.max() < 40
    assert NeighbourTable.open(tmp_path / "n", shard, database.limited(40)).short == table.short


def test_unfinished_truncated_and_changed_tables_say_so(shard, database, tmp_path):
    with pytest.raises(BadInput) as caught:
        NeighbourTable.open(tmp_path / "n", shard, database)
    assert "join a shard with a database first" in str(caught.value)

    def stop(stage, done, total):
        if done:
            raise KeyboardInterrupt

    small = JoinConfig(block=10)
    with pytest.raises(KeyboardInterrupt):
        join_neighbours(shard, database, tmp_path / "n", config=small, on_progress=stop)
    with pytest.raises(HutchError) as caught:
        NeighbourTable.open(tmp_path / "n", shard, database)
    assert "run the same join again" in str(caught.value)
    with pytest.raises(BadInput) as caught:
        join_neighbours(shard, database, tmp_path / "n", config=JoinConfig(block=11))
    assert "block 10, not 11" in str(caught.value)
    join_neighbours(shard, database, tmp_path / "n", config=small)
    shutil.copytree(tmp_path / "n", tmp_path / "short")
    path = tmp_path / "short" / "neighbours.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(HutchError) as caught:
        NeighbourTable.open(tmp_path / "short", shard, database)
    assert str(path) in str(caught.value)
    path = tmp_path / "n" / "neighbours.npy"
    data = bytearray(path.read_bytes())
    data[-4] ^= 1
    path.write_bytes(data)
    table = NeighbourTable.open(tmp_path / "n", shard, database)
    with pytest.raises(HutchError) as caught:
        table.verify()
    assert str(path) in str(caught.value)


def test_what_cannot_be_joined_is_refused(shard, database, tmp_path):
    foreign = write_shard(tmp_path / "foreign", [[1, 2, 3] * 9], Tokenizer([b"ab"]))
    brief = write_shard(tmp_path / "brief", [[1, 2]])
    for given, config, says in (
        (shard, JoinConfig(context=CHUNK + 1), f"context is {CHUNK + 1}"),
        (shard, JoinConfig(k=10**6), "k is 1000000"),
        (foreign, JoinConfig(), "they cannot be joined"),
        (brief, JoinConfig(), "less than a chunk"),
    ):
        with pytest.raises(BadInput) as caught:
            join_neighbours(given, database, tmp_path / "n", config=config)
        assert says in str(caught.value)
