import itertools

import pytest

from hutch.lm.schedules import cosine


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
