from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from hutch.runs import canonical_json, digest, generator, plain, seed_of


@dataclass(frozen=True)
class Inner:
    rate: float
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner


def test_the_canonical_json_by_hand():
    config = Outer("é", Inner(0.5, (1, 2)))
    assert canonical_json(config) == '{"inner":{"rate":0.5,"sizes":[1,2]},"name":"\\u00e9"}'
    assert plain(config) == {"name": "é", "inner": {"rate": 0.5, "sizes": [1, 2]}}


def test_equal_configurations_have_one_name_and_others_another():
    assert digest(Outer("a", Inner(0.5, (1,)))) == digest({"inner": {"sizes": [1], "rate": 0.5}, "name": "a"})
    assert digest(Outer("a", Inner(0.5, (1,)))) != digest(Outer("a", Inner(0.25, (1,))))
    assert len(digest({})) == 16


@given(st.integers(0, 2**31), st.text(max_size=10))
def test_seeds_are_a_function_of_their_parts(seed, purpose):
    assert seed_of(seed, purpose) == seed_of(seed, purpose)
    assert 0 <= seed_of(seed, purpose) < 2**63
    assert seed_of(seed, purpose) != seed_of(seed + 1, purpose)


def test_parts_do_not_run_together():
    assert seed_of("ab", "c") != seed_of("a", "bc")
    assert seed_of(1) != seed_of("1")
    assert generator(1, "x").random() != generator(1, "y").random()
