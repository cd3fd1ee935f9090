"""A database is the same whoever builds it and however often that is killed; what does not belong is refused."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hutch.retrieval.database import ChunkDatabase, append_to_database, build_database
from hutch.retrieval.embedders import StaticConfig, StaticEmbedder
from hutch.retrieval.index import IndexConfig
from hutch.runs.errors import BadInput, HutchError
from hutch.text import Tokenizer
from tests.retrieval.database.small import (
    STATIC,
    TOKENIZER,
    build,
    config,
    contents,
    documents,
    vectors_of,
    write_shard,
)

pytest.importorskip("faiss")
ROOT = Path(__file__).parents[3]
SEGMENT = "segments/000000"
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    return write_shard(tmp_path_factory.mktemp("shard"), documents(30))


@pytest.fixture(scope="module")
def whole(shard, tmp_path_factory):
    """A database that is not to be changed."""
    return build(tmp_path_factory.mktemp("database") / "d", shard)


@pytest.fixture
def copied(whole, tmp_path):
    """A copy that may be broken."""
    return Path(shutil.copytree(whole.folder, tmp_path / "copy"))


def test_a_build_that_is_killed_at_any_write_goes_on_to_the_same_bytes(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.retrieval.database.killed", "build", tmp_path],
        capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 25


def test_a_build_in_two_processes_that_is_killed_is_ended_by_one(tmp_path):
    shard = write_shard(tmp_path / "shard", documents(250))
    code = (
        "from hutch.text.shards import Shard; from tests.retrieval.database.small import build;"
        "import sys; from pathlib import Path; place = Path(sys.argv[1]);"
        "build(place / 'killed', Shard.open(place / 'shard'), workers=2, block=4)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=ROOT, env=ENVIRONMENT)
    marks = tmp_path / "killed" / "segments" / "000000" / "vectors.faiss.blocks"
    while process.poll() is None and not (marks.is_dir() and len(list(marks.iterdir())) > 20):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert marks.is_dir()
    with pytest.raises(HutchError, match="not finished: run the same build again"):
        ChunkDatabase.open(tmp_path / "killed")
    built = build(tmp_path / "killed", shard, block=4)
    assert np.array_equal(vectors_of(built), vectors_of(build(tmp_path / "alone", shard)))


def test_two_processes_build_what_one_does(shard, tmp_path):
    heard = []
    build(tmp_path / "two", shard, workers=2, on_progress=lambda *said: heard.append(said))
    build(tmp_path / "one", shard)
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    segment = {f"{SEGMENT}/{name}" for name in ("tokens.bin", "documents.npy", "hashes.npy", "vectors.faiss")}
    beside = {"manifest.json", "tokenizer.json", "static.safetensors", "bm25.npy", f"{SEGMENT}/manifest.json"}
    assert contents(tmp_path / "one").keys() == segment | beside
    chunks = len(ChunkDatabase.open(tmp_path / "one"))
    assert ("embedding", chunks, chunks) in heard
    assert heard[-1] == ("indexing", 1, 1)


def test_workers_that_are_killed_are_replaced(tmp_path):
    shard = write_shard(tmp_path / "shard", documents(150))
    killed = []

    def kill(stage, done, total):
        if stage == "embedding" and 0 < done < total and not killed:
            killed.extend(process.pid for process in multiprocessing.active_children())
            for process in killed:
                os.kill(process, signal.SIGKILL)

    built = build(tmp_path / "killed", shard, workers=2, on_progress=kill, block=2)
    assert killed
    assert np.array_equal(vectors_of(built), vectors_of(build(tmp_path / "alone", shard)))


def test_an_append_that_is_stopped_changes_no_answer_and_goes_on(shard, tmp_path):
    more, other = (write_shard(tmp_path / f"more{seed}", documents(12, seed=seed)) for seed in (5, 6))
    for name in ("stopped", "peace"):
        build(tmp_path / name, shard)

    def stop(stage, done, total):
        if done > 20:
            raise KeyboardInterrupt

    before = ChunkDatabase.open(tmp_path / "stopped").digest
    with pytest.raises(KeyboardInterrupt):
        append_to_database(more, tmp_path / "stopped", on_progress=stop)
    assert ChunkDatabase.open(tmp_path / "stopped").digest == before
    with pytest.raises(BadInput) as caught:
        append_to_database(other, tmp_path / "stopped")
    assert "unfinished work on another shard" in str(caught.value)
    append_to_database(more, tmp_path / "stopped")
    append_to_database(more, tmp_path / "peace")
    assert contents(tmp_path / "stopped") == contents(tmp_path / "peace")


def test_the_same_build_again_opens_what_is_there(whole, shard):
    before = contents(whole.folder)
    assert build(whole.folder, shard).digest == whole.digest
    assert contents(whole.folder) == before


def test_append_keeps_ids_and_answers(shard, tmp_path):
    database = build(tmp_path / "d", shard)
    chunks, documents_before = len(database), len(shard)
    ids = np.arange(chunks)
    values, queries = database.values(ids), database.chunk_tokens(ids[::7])
    found, files = database.search(queries, 3), contents(tmp_path / "d")
    more = write_shard(tmp_path / "more", documents(12, seed=5))
    longer = append_to_database(more, tmp_path / "d")
    assert len(longer) > chunks
    assert longer.digest != database.digest
    changed = {name for name, data in contents(tmp_path / "d").items() if files.get(name, data) != data}
    assert changed == {"manifest.json"}
    assert np.array_equal(longer.values(ids), values)
    assert longer.document_of(np.array([chunks]))[0] >= documents_before
    again = longer.limited(chunks).search(queries, 3)
    assert np.array_equal(again.ids, found.ids)
    assert np.array_equal(again.distances, found.distances)
    # What stands in the new part is found there.
    own = longer.chunk_tokens(np.array([chunks + 4]))
    assert longer.search(own, 1).distances[0, 0] < 1e-3
    assert append_to_database([shard, more], tmp_path / "d").digest == longer.digest


def test_several_shards_are_one_database(shard, tmp_path):
    more = write_shard(tmp_path / "more", documents(12, seed=5))
    both = build_database([shard, more], TOKENIZER, tmp_path / "both", embedder=STATIC, config=config())
    build(tmp_path / "one", shard)
    appended = append_to_database(more, tmp_path / "one")
    assert np.array_equal(vectors_of(both), vectors_of(appended))
    assert both.document(len(shard)).segment == 1
    assert both.document(len(shard)).index == 0


def test_only_the_first_documents_are_taken(shard, tmp_path):
    database = build(tmp_path / "d", shard, documents=7)
    assert database.document_starts[-1] == 7
    sizes = [len(shard.document(i)) - 1 for i in range(7)]
    assert len(database) == sum(-(-size // 8) for size in sizes)
    assert len(database.segments[0].tokens) == sum(sizes) + 7


def test_another_build_in_the_same_folder_is_refused_with_the_difference(whole, shard, tmp_path):
    other = write_shard(tmp_path / "other", documents(30, seed=8))
    for texts, changes, says in (
        (shard, {"retriever": "bm25"}, "another config"),
        (other, {}, "another shards"),
        (shard, {"embedder": StaticConfig(dimensions=8)}, "another embedder"),
    ):
        with pytest.raises(BadInput) as caught:
            build(whole.folder, texts, **changes)
        assert says in str(caught.value)


def test_a_folder_of_something_else_is_not_touched(shard, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadInput) as caught:
        build(tmp_path, shard)
    assert "notes.txt" in str(caught.value)
    assert contents(tmp_path) == {"notes.txt": b"mine"}


def test_a_shard_of_another_tokenizer_is_refused(whole, shard, tmp_path):
    other = Tokenizer([b"ab"])
    foreign = write_shard(tmp_path / "foreign", [[1, 2, 256]], other)
    for refused in (
        lambda: build(tmp_path / "d", foreign),
        lambda: append_to_database(foreign, whole.folder),
        lambda: ChunkDatabase.open(whole.folder, tokenizer_digest=other.digest),
    ):
        with pytest.raises(BadInput) as caught:
            refused()
        assert other.digest in str(caught.value)
        assert TOKENIZER.digest in str(caught.value)


def test_another_embedder_is_refused_and_its_own_may_be_given(whole):
    table = np.random.default_rng(0).normal(size=(257, 16)).astype(np.float32)
    with pytest.raises(BadInput) as caught:
        ChunkDatabase.open(whole.folder, embedder=StaticEmbedder(table, TOKENIZER.digest))
    assert "was made with the embedder static word vectors" in str(caught.value)
    own = ChunkDatabase.open(whole.folder, embedder=StaticEmbedder.load(whole.folder))
    assert own.search(own.chunk_tokens(np.array([3])), 1).distances[0, 0] < 1e-3


def test_a_shard_without_a_token_is_refused(tmp_path):
    with pytest.raises(BadInput) as caught:
        build(tmp_path / "d", write_shard(tmp_path / "shard", [[], []]))
    assert "no token to make a chunk of" in str(caught.value)


def test_an_unfinished_database_says_so(shard, tmp_path):
    def stop(stage, done, total):
        if done > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "d", shard, on_progress=stop)
    with pytest.raises(HutchError) as caught:
        ChunkDatabase.open(tmp_path / "d")
    assert "run the same build again" in str(caught.value)
    with pytest.raises(BadInput) as caught:
        build(tmp_path / "d", shard, value=24)
    assert "another config" in str(caught.value)


def test_nothing_there_is_bad_input(tmp_path):
    with pytest.raises(BadInput) as caught:
        ChunkDatabase.open(tmp_path)
    assert "build one first" in str(caught.value)


@pytest.mark.parametrize("name", ["tokens.bin", "documents.npy", "hashes.npy", "vectors.faiss"])
def test_a_truncated_or_missing_file_is_named(copied, name):
    path = copied / SEGMENT / name
    data = path.read_bytes()
    path.unlink()
    for broken in (None, data[:-1]):
        if broken is not None:
            path.write_bytes(broken)
        with pytest.raises(HutchError) as caught:
            ChunkDatabase.open(copied)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["tokens.bin", "vectors.faiss"])
def test_a_changed_byte_is_found_by_verify(copied, name):
    path = copied / SEGMENT / name
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.unlink()
    path.write_bytes(data)
    database = ChunkDatabase.open(copied)
    with pytest.raises(HutchError) as caught:
        database.verify()
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["static.safetensors", "bm25.npy", "tokenizer.json", "manifest.json"])
def test_a_damaged_file_beside_the_segments_is_named(copied, name):
    (copied / name).write_bytes((copied / name).read_bytes()[:-9])
    with pytest.raises(HutchError) as caught:
        ChunkDatabase.open(copied).embedder  # noqa: B018  it is opened at its first use
    assert name in str(caught.value)


def test_a_segment_of_another_database_is_refused(copied):
    path = copied / SEGMENT / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"source": "elsewhere"}))
    with pytest.raises(HutchError) as caught:
        ChunkDatabase.open(copied)
    assert "is not the one that" in str(caught.value)


@pytest.mark.parametrize(("kind", "most"), [("flat", 1.05), ("hnsw", 1.3)])
def test_the_disk_holds_little_besides_tokens_and_vectors(tmp_path, kind, most):
    """At the default d = 256, m = 64."""
    texts = documents(400, longest=4000)
    shard = write_shard(tmp_path / "shard", texts)
    index = IndexConfig(kind=kind, sample=20, recall=0.1, build_effort=20)
    static = StaticConfig(chunks=2000)
    database = build(tmp_path / "d", shard, embedder=static, index=index, chunk=64, value=128, block=4096)
    files = sum(path.stat().st_size for path in (tmp_path / "d").rglob("*") if path.is_file())
    assert database.disk_bytes == files
    assert database.paper_bytes < files < most * database.paper_bytes
    vectors = 2 * 256 * len(database)
    assert database.paper_bytes == pytest.approx(vectors + 2 * len(shard.tokens) + 36 * len(shard), abs=500)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"chunk": 0}, "chunk is 0"),
        ({"value": 4}, "value is 4 tokens"),
        ({"documents": 0}, "documents is 0"),
        ({"retriever": "sparse"}, "retriever is 'sparse'"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(changes, says):
    with pytest.raises(BadInput) as caught:
        config(**changes)
    assert says in str(caught.value)
