import dataclasses
import math

import numpy as np
import pytest
import torch

import hutch.lm.training as training
from hutch.lm import Diverged, TrainConfig, load_model, model_of_width, train
from hutch.runs import BadInput, HutchError

MODEL = model_of_width(16, vocabulary=64, context=16)
CONFIG = TrainConfig(model=MODEL, tokens=40 * 64, sequences=4, peak_rate=0.01, embedding_rate=20.0)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tokens():
    """A chain in which each token allows four followers: its entropy is ln 4."""
    random = np.random.default_rng(0)
    followers = random.integers(64, size=(64, 4))
    chain = [0]
    for choice in random.integers(4, size=6000):
        chain.append(int(followers[chain[-1], choice]))
    return np.array(chain, np.uint16)


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_the_loss_falls_towards_the_entropy_of_the_chain(tokens, tmp_path):
    config = dataclasses.replace(CONFIG, tokens=500 * 64)
    _, result = train(config, tokens, tmp_path)
    assert math.log(64) - 0.3 < result.losses[0] < math.log(64) + 0.5
    assert math.log(4) - 0.1 < result.losses[-20:].mean() < math.log(4) + 0.35


class Killed(BaseException):
    """Stands for a signal: no handler of ours catches it."""


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"model": dataclasses.replace(MODEL, positions="relative")},
        {"algorithm": "muon", "schedule": "wsd"},
        {"micro_sequences": 3, "recompute": True},
        {"precision": "bfloat16"},
    ],
    ids=str,
)
def test_a_run_killed_anywhere_goes_on_bit_for_bit(tokens, tmp_path, monkeypatch, change):
    config = dataclasses.replace(CONFIG, **change)
    straight, whole = train(config, tokens, tmp_path / "whole")
    step_once = training.train_step

    def die_at(last):
        def step(*arguments):
            if arguments[-1] == last:
                raise Killed
            return step_once(*arguments)

        return step

    for last in (13, 29):
        monkeypatch.setattr(training, "train_step", die_at(last))
        with pytest.raises(Killed):
            train(config, tokens, tmp_path / "killed", checkpoint_seconds=0.0)
    monkeypatch.setattr(training, "train_step", step_once)
    resumed, rest = train(config, tokens, tmp_path / "killed")
    assert rest.steps_here == config.steps - 29
    assert np.array_equal(rest.losses, whole.losses)
    expected, found = weights(straight), weights(resumed)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_the_weights_on_disk_are_those_of_the_model(tokens, tmp_path):
    model, _ = train(CONFIG, tokens, tmp_path)
    found = load_model(tmp_path / "model.safetensors")
    assert found.config == CONFIG.model
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), found.parameters(), strict=True))


def test_divergence_names_step_batch_and_checkpoint(tokens, tmp_path):
    config = dataclasses.replace(CONFIG, peak_rate=1e4, clip=1e9)
    with pytest.raises(Diverged, match=r"diverged at step \d+ of 40: loss .* on batch \d+ of seed 0"):
        train(config, tokens, tmp_path, checkpoint_seconds=0.0)
    assert not (tmp_path / "model.safetensors").exists()


def test_a_broken_checkpoint_is_named(tokens, tmp_path):
    (tmp_path / "checkpoint.safetensors").write_bytes(b"not a checkpoint")
    with pytest.raises(HutchError, match=r"checkpoint\.safetensors cannot be read"):
        train(CONFIG, tokens, tmp_path)


def test_bfloat16_learns_as_float32_does(tokens, tmp_path):
    config = dataclasses.replace(CONFIG, tokens=120 * 64)
    _, single = train(config, tokens, tmp_path / "single")
    _, half = train(dataclasses.replace(config, precision="bfloat16"), tokens, tmp_path / "half")
    assert not np.array_equal(single.losses, half.losses)
    assert abs(single.losses[-20:].mean() - half.losses[-20:].mean()) < 0.05


def test_progress_tells_where_the_run_stands(tokens, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "PROGRESS_SECONDS", 0.0)
    told = []
    train(CONFIG, tokens, tmp_path, on_progress=told.append)
    assert [p.step for p in told] == list(range(1, 41))
    assert all(p.steps == 40 and p.tokens_per_second > 0 for p in told)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tokens": 10}, "less than one batch"),
        ({"precision": "x"}, "precision must be one of float32, bfloat16, not 'x'"),
        ({"schedule": "x"}, "schedule must be one of cosine, wsd, constant"),
        ({"algorithm": "sgd"}, "algorithm must be one of adamw, muon"),
        ({"cooldown": 2.0}, "cooldown is 2.0; a share"),
        ({"micro_sequences": 0}, "micro_sequences is 0"),
    ],
)
def test_an_impossible_run_is_refused(change, says):
    with pytest.raises(BadInput, match=says):
        dataclasses.replace(CONFIG, **change)


def test_micro_batches_and_recomputation_change_no_more_than_rounding(tokens, tmp_path):
    _, whole = train(CONFIG, tokens, tmp_path / "whole")
    for change in ({"micro_sequences": 1}, {"micro_sequences": 3}, {"recompute": True}):
        _, parts = train(dataclasses.replace(CONFIG, **change), tokens, tmp_path / str(change))
        assert parts.losses == pytest.approx(whole.losses, rel=1e-4)


@pytest.mark.parametrize("change", [{"algorithm": "muon"}, {"schedule": "wsd"}])
def test_every_algorithm_and_schedule_learns(tokens, tmp_path, change):
    config = dataclasses.replace(CONFIG, tokens=500 * 64, **change)
    _, result = train(config, tokens, tmp_path)
    assert result.losses[-20:].mean() < math.log(4) + 0.4


def test_tokens_of_another_tokenizer_are_refused(tokens, tmp_path):
    strange = tokens.copy()
    strange[::100] = 64
    with pytest.raises(BadInput, match="holds token 64, and the model's vocabulary ends at 63"):
        train(CONFIG, strange, tmp_path)
