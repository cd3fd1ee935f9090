"""Filtered bits per byte, on numbers worked out by hand."""

import json
import math

import numpy as np
import pytest

from hutch.retrieval.leakage.curve import filtered_bits_per_byte
from hutch.retrieval.leakage.neighbour_recall import neighbour_recall
from hutch.runs.errors import BadInput
from hutch.scaling.intervals import paired_ratio_difference

BITS = {"on": [10.0, 20.0, 1.0, 40.0], "off": [12.0, 20.0, 30.0, 44.0]}
BYTES = [10, 20, 10, 40]
RATIOS = [0.0, 0.125, 1.0, 0.5]
DOCUMENTS = ["a", "a", "b", "c"]


def test_the_curve_by_hand():
    curve = filtered_bits_per_byte(
        BITS, BYTES, RATIOS, DOCUMENTS, alphas=(0.1, 0.125, 0.5, 1.0), differences=[("on", "off")]
    )
    assert curve.chunks.tolist() == [1, 2, 3, 4]
    assert curve.chunk_share.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.byte_share.tolist() == [10 / 80, 30 / 80, 70 / 80, 1.0]
    assert curve.models["on"].value.tolist() == [1.0, 1.0, 1.0, 71 / 80]
    assert curve.models["off"].value.tolist() == [1.2, 32 / 30, 76 / 70, 106 / 80]
    np.testing.assert_allclose(curve.differences["on", "off"].value, [-0.2, -2 / 30, -6 / 70, -35 / 80])
    assert json.loads(json.dumps(curve.as_dict(), allow_nan=False))["differences"]["on − off"]["level"] == 0.95


def test_nothing_left_is_no_number():
    curve = filtered_bits_per_byte(BITS, BYTES, [0.5] * 4, DOCUMENTS, alphas=(0.0, 1.0))
    assert curve.chunks.tolist() == [0, 4]
    assert math.isnan(curve.models["on"].value[0])
    assert math.isnan(curve.models["on"].low[0])
    assert curve.as_dict()["models"]["on"]["value"][0] is None


def drawn(documents, seed):
    """Chunks of documents that differ in difficulty, and two models that differ by 0.1 bits per byte."""
    random = np.random.default_rng(seed)
    owner = np.repeat(np.arange(documents), 5)
    size = random.integers(50, 400, len(owner))
    hard = random.normal(2.0, 0.5, documents)[owner] + random.normal(0, 0.1, len(owner))
    bits = {"a": hard * size, "b": (hard + random.normal(0.1, 0.02, len(owner))) * size}
    return bits, size, random.random(len(owner)), owner


def test_intervals_are_over_documents_and_paired():
    covered = np.zeros(2)
    for seed in range(60):
        bits, size, ratios, owner = drawn(100, seed)
        curve = filtered_bits_per_byte(
            bits, size, ratios, owner, alphas=(0.25, 1.0), differences=[("a", "b")], bootstraps=200
        )
        gap = curve.differences["a", "b"]
        covered += gap.contains(-0.1)
        assert (gap.width < 0.2 * curve.models["a"].width).all()
    assert (covered >= 50).all()


def test_without_a_filter_it_is_the_paired_bootstrap_over_documents():
    bits, size, ratios, owner = drawn(200, 1)
    curve = filtered_bits_per_byte(bits, size, ratios, owner, alphas=(1.0,), differences=[("a", "b")], bootstraps=4000)
    nats = {name: np.bincount(owner, values) * math.log(2) for name, values in bits.items()}
    plain = paired_ratio_difference(nats["a"], nats["b"], np.bincount(owner, size), bootstraps=4000)
    gap = curve.differences["a", "b"]
    assert gap.value[0] == pytest.approx(plain.value)
    assert gap.low[0] == pytest.approx(plain.low, abs=0.0005)
    assert gap.high[0] == pytest.approx(plain.high, abs=0.0005)


def test_a_seed_gives_the_same_interval_and_no_bootstrap_none():
    bits, size, ratios, owner = drawn(50, 2)
    one, same, other = (filtered_bits_per_byte(bits, size, ratios, owner, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.models["a"].low, same.models["a"].low)
    assert (one.models["a"].low[1:] != other.models["a"].low[1:]).all()
    assert np.isnan(filtered_bits_per_byte(bits, size, ratios, owner, bootstraps=0).models["a"].low).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bits": {"on": [1.0]}}, "on has 1 entries and bytes 4"),
        ({"bits": {}}, "bits of at least one model"),
        ({"bits": {"on": [1, 2, float("nan"), 3]}}, "on of chunk 2 is nan"),
        ({"bits": {"on": [1, 2, float("inf"), 3]}}, "on of chunk 2 is inf"),
        ({"ratios": [0, 0, 0, 1.5]}, "ratios of chunk 3 is 1.5"),
        ({"bytes_": [1, 0, 1, 1]}, "bytes of chunk 1 is 0"),
        ({"bytes_": []}, "at least one chunk"),
        ({"documents": [1]}, r"documents has the shape \(1,\)"),
        ({"differences": [("on", "of")]}, "no model 'of' to compare; there are on, off"),
        ({"alphas": (2.0,)}, "at least one from 0 to 1"),
        ({"bootstraps": -1}, "bootstraps is -1"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    arguments = {"bits": BITS, "bytes_": BYTES, "ratios": RATIOS, "documents": DOCUMENTS} | change
    with pytest.raises(BadInput, match=message):
        filtered_bits_per_byte(**arguments)


def test_recall_by_hand():
    rows = neighbour_recall([0.0, 0.2, 0.3, 0.6], [0.1, 0.1, 0.3, 0.3], thresholds=(0.125, 0.5, 0.9))
    assert [(row.exact_share, row.neighbour_share, row.recall) for row in rows] == [
        (0.75, 0.5, pytest.approx(2 / 3)),
        (0.25, 0.0, 0.0),
        (0.0, 0.0, None),
    ]
    with pytest.raises(BadInput, match="one entry a chunk is needed in both"):
        neighbour_recall([0.1], [0.1, 0.2])
