import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutch.scaling.tables.cells import count, is_empty, listed, number, numbers, shown


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1.5e9", 1.5e9),
        ("7B", 7e9),
        ("1.3b", 1.3e9),
        ("300M", 3e8),
        ("70 k", 7e4),
        ("1.4T", 1.4e12),
        ("2G", 2e9),
        ("1,000,000", 1e6),
        ("1,234.5", 1234.5),
        ("1,000M", 1e9),
        ("-1", -1),
        ("99999999999999999999999", 1e23),
        ("inf", math.inf),
    ],
)
def test_counts_as_people_write_them(cell, value):
    assert count(cell) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("cell", ["", "x", "1,00", "1,5e9", "1,0000", "M", "7 billion", "7BB", "1e", ",", "."])
def test_what_is_no_count(cell):
    assert math.isnan(count(cell))


def test_a_plain_number_has_no_unit_and_no_separator():
    assert [number("3.5"), number("-1e3")] == [3.5, -1000]
    assert np.isnan(numbers(["3,5", "7B", "", "abc"], number)).all()


@given(st.floats(allow_nan=False))
def test_every_float_comes_back(value):
    assert count(repr(value)) == number(repr(value)) == value


@given(st.integers(min_value=0, max_value=10**30))
def test_every_integer_comes_back_with_and_without_separators(value):
    assert count(str(value)) == count(f"{value:,}") == float(value)


def test_empty_cells():
    assert all(map(is_empty, ["", "nan", "NaN", "NA", "n/a", "NULL"]))
    assert not any(map(is_empty, ["0", "none", "-", "x"]))


def test_names_in_messages():
    assert listed([]) == "none"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([f"c{i}" for i in range(45)]).endswith("c39 and 5 more")
    assert shown("two\nlines") == "'two\\nlines'"
    assert shown("") == "''"
    assert len(shown("x" * 1000)) == 40
