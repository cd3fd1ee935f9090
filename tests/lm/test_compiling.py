import dataclasses

import pytest
import torch

import hutch.lm.compiling as compiling
from hutch.lm import TrainConfig, learner_of, model_of_width
from hutch.lm.compiling import compiling_pays, worthwhile
from hutch.lm.groups import Alone

CONFIG = TrainConfig(
    model=model_of_width(16, vocabulary=64, context=16),
    tokens=64_000,
    sequences=4,
    peak_rate=0.01,
    embedding_rate=20.0,
)


@pytest.mark.parametrize(
    ("eager", "setup", "compiled", "expected"),
    [(1000, 60, 800, True), (1000, 60, 900, False), (1000, 300, 800, False), (10_000, 300, 8000, True)],
)
def test_what_compiling_takes_must_come_back_within_the_run(eager, setup, compiled, expected):
    assert worthwhile(eager, setup, compiled) is expected


def test_a_run_that_is_short_on_any_device_is_answered_without_a_step(monkeypatch):
    monkeypatch.setattr(compiling, "expected_minutes", lambda *arguments: pytest.fail("steps were timed"))
    assert compiling_pays(CONFIG, Alone(), "cpu") is False


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_the_same_loss_compiled():
    ids = torch.arange(64).reshape(4, 16)
    losses = [
        learner_of(dataclasses.replace(CONFIG, compiled=compiled)).loss_of(ids, ids.flip(0)).item()
        for compiled in (False, True)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
