"""Suggestions: the published formulas, the models their authors built with them, the distances."""

import pytest

from hutch.scaling.plans.architectures import choose_shape
from hutch.scaling.plans.hyperparameters import reach, suggestions


def named(name, **changes):
    asked = {"compute": 1e20, "size": 9e8, "tokens": 2e10, "loss": 2.5, "choice": None, "context": 2048} | changes
    return next(s for s in suggestions(*asked.values()) if s.name == name)


def test_deepseek_at_1e20():
    found = named("DeepSeek LLM")
    assert found.learning_rate == pytest.approx(0.3118 * 1e20**-0.125)
    assert found.batch_tokens == pytest.approx(0.2920 * 1e20**0.3271)
    assert found.reaches[0].extrapolated == pytest.approx(5)


def test_deepseek_7b_as_built():
    """DeepSeek LLM 7B: 2T tokens, rate 4.2e-4, batch 2304 sequences of 4096 (Table 2)."""
    found = named("DeepSeek LLM", compute=6.9e9 * 2e12 * 6)
    assert found.learning_rate == pytest.approx(4.2e-4, rel=0.05)
    assert found.batch_tokens == pytest.approx(2304 * 4096, rel=0.07)


def test_deepseek_counts_attention_and_no_vocabulary():
    choice = choose_shape(1e9)
    shape = choice.shape
    per_token = 72 * shape.layers * shape.width**2 + 12 * shape.layers * shape.width * shape.context
    assert named("DeepSeek LLM", choice=choice).reaches[0].value == pytest.approx(per_token * 2e10)


def test_step_law_at_its_test_point():
    """1.07e9 parameters on 1e11 tokens."""
    found = named("Step Law", size=1.07e9, tokens=1e11)
    assert found.learning_rate == pytest.approx(1.79 * 1.07e9**-0.713 * 1e11**0.307)
    assert 1e-3 < found.learning_rate < 2e-3
    assert found.batch_tokens == pytest.approx(0.58 * 1e11**0.571)
    assert [r.extrapolated for r in found.reaches] == [None, None]
    assert found.steps == pytest.approx(1e11 / found.batch_tokens)


def test_kaplan_by_hand_and_where_it_breaks_down():
    found = named("Kaplan", size=1e9, loss=3.0)
    assert found.learning_rate == pytest.approx(0.003239 - 0.0001395 * 20.7233, rel=1e-4)
    assert found.batch_tokens == pytest.approx(2.1e8 / 3**4.7619, rel=1e-3)
    large = named("Kaplan", size=7e10, loss=None)
    assert (large.learning_rate, large.batch_tokens, large.steps) == (None, None, None)
    assert "breaks down above 1e10" in large.reason
    assert "no loss is known" in large.reason


def test_chinchilla_at_its_own_sizes():
    assert named("Chinchilla's own", size=7e10).learning_rate == pytest.approx(1e-4)
    assert named("Chinchilla's own", size=1e10).learning_rate == pytest.approx(1.25e-4)
    assert named("Chinchilla's own", size=7e7).learning_rate == pytest.approx(2e-4)
    assert named("Chinchilla's own", size=2.8e9).batch_tokens == pytest.approx(0.5e6)
    far = named("Chinchilla's own", size=7e6)
    assert far.learning_rate == pytest.approx(2e-4)
    assert far.reaches[0].extrapolated == pytest.approx(10)


def test_reach():
    assert reach("N", 5.0, 1.0, 10.0).extrapolated is None
    assert reach("N", 20.0, 1.0, 10.0).extrapolated == 2
    assert reach("N", 0.5, 1.0, 10.0).extrapolated == 2
