"""Shapes for a size: near the size, near the published families, exact in their counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.runs.errors import BadInput
from hutch.scaling.flops import parameters, parameters_non_embedding, training_flops_per_token
from hutch.scaling.plans.architectures import aspect_law, aspect_trend, choose_shape
from hutch.scaling.shapes import CHINCHILLA_TABLE_A9


def test_the_trend_lies_among_the_published_families():
    law = aspect_law()
    assert (law.k, law.exponent) == pytest.approx((5.772, 0.12385), rel=1e-3)
    assert aspect_trend(1e6) == aspect_trend(44e6) == 64
    assert 90 < aspect_trend(7e10) < 140  # Chinchilla has 102, Gopher at 280B 205
    ratios = [s.width / s.layers / aspect_trend(parameters(s)) for s in CHINCHILLA_TABLE_A9.values()]
    assert 0.5 < min(ratios) < 1 < max(ratios) < 1.5


@pytest.mark.parametrize("positions", ["rotary", "relative"])
@pytest.mark.parametrize(("vocabulary", "smallest"), [(32_000, 2e8), (4096, 2e8), (256, 3e8)])
def test_sizes_up_to_10t_are_met_within_one_per_cent(vocabulary, smallest, positions):
    for size in np.geomspace(smallest, 1e13, 12):
        found = choose_shape(size, vocabulary=vocabulary, positions=positions)
        assert abs(found.size_error) <= 0.011
        assert 0.5 <= found.aspect / found.aspect_trend <= 2


@given(st.floats(5, 13), st.sampled_from([256, 1024, 4096]))
@settings(max_examples=40, deadline=None)
def test_shapes_are_sound(ln_size, vocabulary):
    size = 10**ln_size
    if size < 40 * vocabulary:
        return
    found = choose_shape(size, vocabulary=vocabulary, context=256)
    shape = found.shape
    assert shape.heads * shape.key_size == shape.width
    assert shape.key_size % 2 == 0
    assert shape.feed_forward == 4 * shape.width
    assert shape.layers >= 2
    assert found.parameters == parameters(shape, "rotary")
    assert found.parameters_non_embedding == parameters_non_embedding(shape, "rotary")
    assert found.size_error == pytest.approx(found.parameters / size - 1)
    assert abs(found.size_error) < 0.06
    for convention, flop in found.flops_per_token.items():
        assert flop == training_flops_per_token(shape, convention, "rotary")
    if shape.width >= 512:
        assert shape.width % 64 == 0


def test_kaplan_counts_without_the_embedding():
    found = choose_shape(1e9, count="non-embedding")
    assert found.parameters_non_embedding == pytest.approx(1e9, rel=0.01)
    assert found.parameters > 1.05e9


def test_tiny_models_of_a_small_vocabulary():
    found = choose_shape(1e5, vocabulary=256, context=128)
    assert found.parameters == pytest.approx(1e5, rel=0.03)


def test_a_vocabulary_too_large_for_the_size_is_refused():
    with pytest.raises(BadInput, match=r"vocabulary of 32,000 has as few as 100,000 parameters: the smallest"):
        choose_shape(1e5)
