import itertools

from hutch.lm import family_members, shape_of
from hutch.lm.family import heads_of, widths
from hutch.scaling import parameters, parameters_non_embedding


def test_sizes_rise_by_small_steps_from_below_thirty_thousand_matrix_parameters():
    members = family_members(vocabulary=2048, context=128, largest=1024)
    counts = [parameters(shape_of(member), "rotary") for member in members]
    assert counts == sorted(counts)
    assert max(b / a for a, b in itertools.pairwise(counts)) < 2.1
    assert parameters_non_embedding(shape_of(members[0]), "rotary") < 30_000


def test_heads_are_even_and_never_below_their_size():
    for width in widths(2048):
        key = width // heads_of(width)
        assert width % heads_of(width) == 0
        assert key % 2 == 0
        assert key >= min(width, 16)
