"""The index finds exactly the windows that are in it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.retrieval.leakage.compiled import compiled
from hutch.retrieval.leakage.windows import WindowIndex, window_hashes
from hutch.runs.errors import BadInput


@settings(deadline=None)
@given(
    stream=st.lists(st.integers(0, 3), max_size=40),
    other=st.lists(st.integers(0, 3), max_size=40),
    length=st.integers(1, 6),
)
def test_it_finds_what_a_dictionary_finds(stream, other, length):
    def windows(symbols):
        return [tuple(symbols[i : i + length]) for i in range(len(symbols) - length + 1)]

    index = WindowIndex.of(np.unique(window_hashes(np.array(stream, np.uint32), length)))
    found = index.find(window_hashes(np.array(other, np.uint32), length))
    assert len(index) == len(set(windows(stream)))
    assert [number >= 0 for number in found] == [window in windows(stream) for window in windows(other)]
    numbers = {window: number for window, number in zip(windows(other), found, strict=True) if number >= 0}
    assert len(set(numbers.values())) == len(numbers)


def test_hashes_do_not_depend_on_what_stands_before_or_on_the_type():
    symbols = np.random.default_rng(0).integers(0, 60_000, 500)
    whole = window_hashes(symbols.astype(np.uint16), 8)
    assert (whole[100:] == window_hashes(symbols[100:].astype(np.uint64), 8)).all()
    assert len(set(whole.tolist())) == len(whole)
    assert len(window_hashes(symbols[:7], 8)) == 0


def test_many_windows_none_missed_none_invented():
    random = np.random.default_rng(1)
    keys = np.unique(random.integers(0, 2**63, 50_000, dtype=np.uint64) * np.uint64(2))
    index = WindowIndex.of(keys)
    assert (index.find(keys) == np.arange(len(keys))).all()
    assert (index.find(keys + np.uint64(1)) == -1).all()


def test_a_missing_library_is_one_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "numba", None)
    with pytest.raises(BadInput, match=r"needs numba: pip install 'hutch-lab\[retrieval\]'"):
        compiled(lambda x: x)(1)
