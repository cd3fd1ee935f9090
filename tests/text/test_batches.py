"""Batches are a pure function of (seed, step)."""

import numpy as np
import pytest

from hutch.runs.errors import BadInput
from hutch.text.batches import Batches


def make(tokens=1000, context=16, sequences=5, seed=3):
    return Batches(np.arange(tokens, dtype=np.uint16), context, sequences, seed)


def test_shapes_and_targets():
    inputs_bt, targets_bt = make().batch(0)
    assert inputs_bt.shape == targets_bt.shape == (5, 16)
    assert inputs_bt.dtype == targets_bt.dtype == np.int64
    assert np.array_equal(targets_bt, (inputs_bt + 1) % 1000)


@pytest.mark.parametrize(("tokens", "context", "sequences"), [(1000, 16, 5), (320, 16, 7), (17, 16, 3), (64, 1, 130)])
def test_a_step_alone_is_the_step_in_sequence(tokens, context, sequences):
    walked = make(tokens, context, sequences)
    steps = [walked.batch(step)[0] for step in range(40)]
    for step in (39, 0, 17, 18):
        assert np.array_equal(make(tokens, context, sequences).batch(step)[0], steps[step])


def test_an_epoch_covers_each_window_once():
    batches = make(tokens=1000, context=16, sequences=1)
    assert batches.windows == 62
    for epoch in range(3):
        rows = [batches.batch(epoch * 62 + i)[0][0] for i in range(62)]
        seen = np.concatenate(rows)
        assert len(np.unique(seen)) == len(seen) == 62 * 16


def test_epochs_cut_elsewhere_in_another_order():
    batches = make(tokens=1600, context=16, sequences=100)
    first, second = batches.batch(0)[0][:, 0], batches.batch(1)[0][:, 0]
    assert set(first) != set(second)
    assert not np.array_equal(np.argsort(first), np.argsort(second))


def test_nothing_is_dropped_between_epochs_and_the_batch_size_has_no_part_in_the_order():
    one = np.concatenate([make(sequences=1).batch(step)[0] for step in range(200)])
    eight = np.concatenate([make(sequences=8).batch(step)[0] for step in range(25)])
    assert np.array_equal(one, eight)
    other = np.concatenate([make(sequences=8, seed=4).batch(step)[0] for step in range(25)])
    assert not np.array_equal(one, other)


def test_bad_input():
    with pytest.raises(BadInput, match="16 tokens are too few for a context of 16"):
        make(tokens=16)
    with pytest.raises(BadInput, match="context is 0"):
        make(context=0)
    with pytest.raises(BadInput, match="step is -1"):
        make().batch(-1)
