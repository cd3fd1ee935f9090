import numpy as np
import pytest

from hutch.retrieval.database import JoinConfig, join_neighbours
from hutch.retrieval.training.neighbour_batches import NeighbourBatches, looked_up
from hutch.runs import BadInput
from hutch.text import Batches
from tests.retrieval.database.small import build, documents, write_shard
from tests.retrieval.training.copies import CHUNK, CONTEXT, IDS, TOKENS, values


def windows(sequences=8, grain=CHUNK):
    return Batches(TOKENS, CONTEXT, sequences, seed=3, grain=grain)


def test_each_chunk_comes_with_its_own_neighbours_in_every_epoch():
    batches = NeighbourBatches(windows(), IDS, values, 1)
    for step in range(3 * batches.batches.windows // 8):
        inputs_bt, targets_bt, neighbours_blkr = batches.batch(step)
        assert neighbours_blkr.shape == (8, CONTEXT // CHUNK, 1, 2 * CHUNK)
        chunks_blm = inputs_bt.reshape(8, -1, CHUNK)
        assert np.array_equal(neighbours_blkr[:, :, 0, :CHUNK], chunks_blm)
        assert np.array_equal(inputs_bt[:, 1:], targets_bt[:, :-1])


def test_the_best_neighbours_are_taken_in_their_order():
    ids = np.stack([IDS[:, 0], IDS[::-1, 0], np.full(len(IDS), -1)], axis=1)
    *_, two = NeighbourBatches(windows(), ids, values, 2).batch(0)
    *_, three = NeighbourBatches(windows(), ids, values, 3).batch(0)
    assert np.array_equal(two, three[:, :, :2])
    assert (three[:, :, 2] == -1).all()


@pytest.mark.parametrize(
    ("ids", "neighbours", "said"),
    [(IDS[:-1], 1, "join it anew"), (IDS, 2, "the table holds 1")],
)
def test_a_table_that_does_not_fit_is_refused(ids, neighbours, said):
    with pytest.raises(BadInput, match=said):
        NeighbourBatches(windows(), ids, values, neighbours)


def test_what_is_looked_up_when_needed_is_what_a_join_holds(tmp_path):
    shard = write_shard(tmp_path / "shard", documents(60))
    database = build(tmp_path / "database", shard)
    chunk, join = database.config.chunk, JoinConfig(k=2, context=4 * database.config.chunk)
    table = join_neighbours(shard, database, tmp_path / "neighbours", config=join)
    batches = Batches(shard.tokens, 4 * chunk, 5, seed=0, grain=chunk)
    joined = NeighbourBatches(batches, np.asarray(table.ids), database.values, 2)
    live = NeighbourBatches(batches, looked_up(shard, database, join), database.values, 2)
    for step in range(batches.windows // 5 + 2):
        for one, other in zip(joined.batch(step), live.batch(step), strict=True):
            assert np.array_equal(one, other)
