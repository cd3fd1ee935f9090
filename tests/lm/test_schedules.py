import itertools

import pytest

from hutch.lm.schedules import cosine, factor


def test_the_schedule_by_hand():
    steps, warmup = 110, 10
    assert cosine(0, steps, warmup) == pytest.approx(0.1)
    assert cosine(9, steps, warmup) == pytest.approx(1.0)
    assert cosine(10, steps, warmup) == pytest.approx(1.0)
    assert cosine(60, steps, warmup) == pytest.approx(0.55)
    assert cosine(110, steps, warmup) == pytest.approx(0.1)


def test_it_never_rises_after_the_warmup():
    rates = [cosine(step, 500, 25) for step in range(500)]
    assert all(b <= a for a, b in itertools.pairwise(rates[24:]))


def test_warm_up_stable_decay_by_hand():
    rates = [factor("wsd", step, 100, 10, 25) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert set(rates[10:75]) == {1.0}
    assert rates[75] == pytest.approx(1 - (1 / 25) ** 0.5)
    assert rates[-1] == pytest.approx(0.0, abs=1e-12)
    assert all(b <= a for a, b in itertools.pairwise(rates[9:]))


def test_a_constant_rate_is_the_trunk_of_every_warm_up_stable_decay():
    trunk = [factor("constant", step, 1000, 10, 1) for step in range(75)]
    assert trunk == [factor("wsd", step, 100, 10, 25) for step in range(75)]
    assert factor("constant", 999, 1000, 10, 1) == 1.0


def test_cosine_is_the_default_shape():
    assert factor("cosine", 60, 110, 10, 1) == cosine(60, 110, 10)
