import numpy as np
import pytest

from hutch.retrieval.training.neighbour_batches import NeighbourBatches
from hutch.runs import BadInput
from hutch.text import Batches
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
