import dataclasses
import math

import numpy as np
import pytest

from hutch.studies.compute_optimal.scores import Holdout, bits_per_byte_by_subset, bits_per_byte_of, loss_of

HOLDOUT = Holdout(
    subset=np.array([0, 0, 1]),
    tokens=np.array([10, 30, 20]),
    bytes=np.array([40, 60, 50]),
    names=("a", "b", "c"),
    token_share=np.array([0.6, 0.2, 0.2]),
    byte_share=np.array([0.5, 0.25, 0.25]),
)
NATS = np.array([20.0, 100.0, 30.0])


def test_figures_by_hand():
    """Subset c has no held-out document, so the shares of a and b are scaled up to one."""
    assert loss_of(HOLDOUT, NATS) == pytest.approx((0.6 * 120 / 40 + 0.2 * 30 / 20) / 0.8)
    assert bits_per_byte_by_subset(HOLDOUT, NATS) == pytest.approx(
        {"a": 120 / 100 / math.log(2), "b": 30 / 50 / math.log(2)}
    )
    assert bits_per_byte_of(HOLDOUT, NATS) == pytest.approx((0.5 * 1.2 + 0.25 * 0.6) / 0.75 / math.log(2))


def test_weighted_documents_give_the_mixture():
    weights = HOLDOUT.mixture_weights()
    mixed = (NATS * weights).sum() / (HOLDOUT.bytes * weights).sum() / math.log(2)
    assert mixed == pytest.approx(bits_per_byte_of(HOLDOUT, NATS))


def test_documents_of_a_subset_that_nobody_trained_on_are_left_out():
    stray = dataclasses.replace(
        HOLDOUT,
        subset=np.append(HOLDOUT.subset, -1),
        tokens=np.append(HOLDOUT.tokens, 7),
        bytes=np.append(HOLDOUT.bytes, 9),
    )
    nats = np.append(NATS, 1e6)
    assert loss_of(stray, nats) == loss_of(HOLDOUT, NATS)
    assert bits_per_byte_of(stray, nats) == bits_per_byte_of(HOLDOUT, NATS)
    assert stray.scored().tolist() == [True, True, True, False]
    assert np.array_equal(stray.mixture_weights()[:3], HOLDOUT.mixture_weights())


def test_it_survives_json():
    again = Holdout.from_dict(HOLDOUT.as_dict())
    assert loss_of(again, NATS) == loss_of(HOLDOUT, NATS)
    assert again.rows("b").tolist() == [False, False, True]
