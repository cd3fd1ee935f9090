"""Run by test_cluster.py in a network of its own: a process that has started a cluster for a join is ended."""

import os
import signal
import subprocess
import sys
import tempfile
import uuid

import pytest

from hutch.retrieval.database import ChunkDatabase, JoinConfig, join_neighbours
from hutch.text.shards import Shard
from tests.retrieval.database.small import contents
from tests.retrieval.sharded.alone import end_those_left
from tests.retrieval.sharded.pieces import several_segments

JOIN = JoinConfig(context=64, retriever="dense", block=2)
CODE = """
import sys
from pathlib import Path
from hutch.retrieval.database import ChunkDatabase, JoinConfig
from hutch.retrieval.sharded import join_sharded, sharded
from hutch.text.shards import Shard
from tests.retrieval.sharded.inside_killed import JOIN
root, name = Path(sys.argv[1]), sys.argv[2]
with sharded(ChunkDatabase.open(root / "d"), shards=2) as wide:
    join_sharded(Shard.open(root / "shard0"), wide, root / name, config=JOIN, workers=1,
                 on_progress=lambda stage, done, total: print(done, total, flush=True))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A database, and the join that was left in peace."""
    folder = tmp_path_factory.mktemp("killed")
    database = several_segments(folder)
    join_neighbours(Shard.open(folder / "shard0"), database, folder / "peace", config=JOIN)
    return folder


@pytest.fixture
def place():
    """For Ray's files; the names of its sockets must be short."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield folder


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda end: end.name)
def test_its_join_goes_on_and_its_processes_end(root, end, place):
    mark = f"HUTCH_TEST_KILLED={uuid.uuid4().hex}"
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, root, end.name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | dict([mark.split("=")]) | {"TMPDIR": place}, start_new_session=True,
    )  # fmt: skip
    try:
        for line in process.stdout:
            done, total = map(int, line.split())
            if done > 20:
                break
        assert done < total
        # Ctrl-C reaches all processes of the group.
        os.killpg(process.pid, end) if end == signal.SIGINT else process.send_signal(end)
        assert process.wait(timeout=60) != 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
        left = end_those_left(mark.encode())
    assert not left, left
    folder = root / end.name
    assert not (folder / "neighbours.npy").exists()
    blocks = len(list((folder / "neighbours.npy.blocks").iterdir()))
    assert blocks >= 10
    join_neighbours(Shard.open(root / "shard0"), ChunkDatabase.open(root / "d"), folder, config=JOIN)
    assert contents(folder) == contents(root / "peace")
