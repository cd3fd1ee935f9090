"""python -m tests.retrieval.database.killed build|join FOLDER: kill -9 the work at each of its writes, one after the
other, let it go on, and compare with work that was left in peace. Prints at how many writes it was killed."""

import os
import shutil
import signal
import sys
from pathlib import Path

from hutch.retrieval.database import ChunkDatabase, JoinConfig, join_neighbours
from hutch.retrieval.index import IndexConfig
from hutch.text.shards import Shard
from tests.retrieval.database.small import build, contents, documents, write_shard


def build_in(place, shard, root):
    build(place, shard, index=IndexConfig(kind="hnsw", sample=20), retriever="bm25", block=40)


def join_in(place, shard, root):
    database = ChunkDatabase.open(root / "database")
    join_neighbours(shard, database, place, config=JoinConfig(context=16, retriever="dense", block=30))


def killed_at(count, work):
    """Whether the work of a forked process got to its `count`-th write; there it was killed, before or behind it."""
    process = os.fork()
    if process == 0:
        left = [count]
        sync, replace = os.fsync, os.replace

        def tick():
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

        os.fsync = lambda handle: (tick(), sync(handle))
        os.replace = lambda old, new: (replace(old, new), tick())
        work()
        os._exit(0)
    status = os.waitpid(process, 0)[1]
    assert status in (0, signal.SIGKILL), f"the work ended by itself with the status {status}"
    return status != 0


def main(what, root):
    shard = write_shard(root / "shard", documents(30))
    work = {"build": build_in, "join": join_in}[what]
    build_in(root / "database", shard, root)
    work(root / "peace", shard, root)
    expected, count = contents(root / "peace"), 1
    while killed_at(count, lambda: work(root / "killed", shard, root)):
        work(root / "killed", Shard.open(root / "shard"), root)
        found = contents(root / "killed")
        assert found.keys() == expected.keys(), f"write {count}: {sorted(found.keys() ^ expected.keys())}"
        assert found == expected, f"write {count}: {[name for name in found if found[name] != expected[name]]}"
        shutil.rmtree(root / "killed")
        count += 1
    print(count - 1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
