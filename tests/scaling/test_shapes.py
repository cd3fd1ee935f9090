import pytest

from hutch.runs.errors import BadInput
from hutch.scaling.flops import parameters
from hutch.scaling.shapes import CHINCHILLA_TABLE_A9, GOPHER_FAMILY, Shape


@pytest.mark.parametrize(("millions", "shape"), CHINCHILLA_TABLE_A9.items())
def test_table_a9_rows_match_their_formula_count(millions, shape):
    assert parameters(shape) == pytest.approx(millions * 1e6, rel=0.01)


def test_table_a9_is_whole_and_free_of_the_misprint():
    assert len(CHINCHILLA_TABLE_A9) == 50
    assert 14_940 in CHINCHILLA_TABLE_A9
    assert 14_494 not in CHINCHILLA_TABLE_A9


@pytest.mark.parametrize(
    ("label", "nominal", "tolerance"),
    [
        ("44M", 44e6, 0.01),
        ("117M", 117e6, 0.01),
        ("417M", 417e6, 0.01),
        ("1.4B", 1.4e9, 0.03),
        ("7.1B", 7.1e9, 0.03),
        ("280B", 280e9, 0.002),
    ],
)
def test_gopher_family_counts(label, nominal, tolerance):
    assert parameters(GOPHER_FAMILY[label]) == pytest.approx(nominal, rel=tolerance)


@pytest.mark.parametrize("layers", [0, -1, 2.5, True])
def test_a_shape_refuses_what_is_not_a_count(layers):
    with pytest.raises(BadInput, match="layers"):
        Shape(layers=layers, width=8, heads=2, key_size=4, feed_forward=32, vocabulary=256, context=64)
