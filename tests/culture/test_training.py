"""Training: a small task is learned, a killed one ends with the same bits, one that diverges says so."""

import hashlib
import json
import multiprocessing
import os
import random
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from hutch.culture import DropOut, TaskRanges, laptop_world
from hutch.culture.agent import Agent
from hutch.culture.agent_config import STEERING, AgentConfig
from hutch.culture.agent_files import load_agent
from hutch.culture.metrics import MetricsFile, read_metrics
from hutch.culture.ppo import PPOConfig
from hutch.culture.randomisation import Parameter, Randomisation, first_ranges
from hutch.culture.rollouts import Shard
from hutch.culture.training import Diverged, train
from hutch.culture.training_config import TrainingConfig
from hutch.culture.training_folder import plan, train_in_folder
from hutch.culture.updates import rate_at
from hutch.runs import BadInput, HutchError
from hutch.runs.executors import warm_up

RULE = Randomisation(
    kind="adaptive",
    parameters=(
        Parameter(name="size", start=(13, 13), limits=(12, 15), step=0.5),
        Parameter(name="vanish", start=(0, 0.1), limits=(0, 0.2), step=0.05),
    ),
    lower=-1e9,
    upper=-1e8,
    buffer=2,
)
"""Widens whatever happens."""
TINY = TrainingConfig(
    world=replace(laptop_world(), steps=10),
    agent=AgentConfig(encoder=8, belief=8),
    randomisation=RULE,
    ppo=PPOConfig(minibatches=2),
    frames=8 * 24 * 10,
    worlds=24,
    shards=2,
    measure_every=3,
    measure_worlds=4,
)
TIMED = ("time/", "charts/SPS")


def bits(folder):
    rows = [{name: value for name, value in row.items() if not name.startswith(TIMED)} for row in read_metrics(folder)]
    weights = (folder / "agent.safetensors").read_bytes()
    return hashlib.sha256(weights + json.dumps(rows, sort_keys=True).encode()).hexdigest()


def trained(folder, config=TINY, **options):
    folder.mkdir(exist_ok=True)
    train(config, folder, **options)
    return bits(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    trained(folder)
    return folder


class Stopped(Exception):
    pass


def test_one_that_was_stopped_goes_on_with_the_same_bits(tmp_path, whole):
    def stop(progress):
        if progress.frames == 5 * TINY.rollout_frames:
            raise Stopped

    with pytest.raises(Stopped):
        trained(tmp_path, on_progress=stop, checkpoint_seconds=0.0)
    assert len(read_metrics(tmp_path)) == 5
    with (tmp_path / "metrics.jsonl").open("a") as handle:
        handle.write('{"rollout": 6, "made": "after the checkpoint"}\n{"rollout": 7, "tor')
    assert trained(tmp_path) == bits(whole)
    assert len(read_metrics(tmp_path)) == TINY.rollouts == 8


def test_threads_change_no_bit_and_shards_and_seeds_do(tmp_path, whole):
    assert trained(tmp_path / "threads", threads=2) == bits(whole)
    assert trained(tmp_path / "shards", replace(TINY, shards=1)) != bits(whole)
    assert trained(tmp_path / "seed", replace(TINY, seed=1)) != bits(whole)
    assert torch.get_num_threads() >= 1


def test_a_process_killed_at_random_ends_with_the_same_bits(tmp_path, whole):
    moments = random.Random(0)
    for _ in range(2):
        process = started(tmp_path)
        before = newest(tmp_path)
        while process.is_alive() and newest(tmp_path) == before:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.05))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    process = started(tmp_path)
    process.join(100)
    assert process.exitcode == 0
    assert bits(tmp_path) == bits(whole)


def started(folder):
    warm_up(["hutch.culture.training"])
    process = multiprocessing.get_context("forkserver").Process(
        target=train, args=(TINY, folder), kwargs={"checkpoint_seconds": 0.0}
    )
    process.start()
    return process


def newest(folder):
    path = folder / "checkpoint.safetensors"
    return path.stat().st_ino if path.exists() else None


def test_metrics_have_cleanrls_names(whole):
    rows = read_metrics(whole)
    for name in (
        "charts/episodic_return",
        "charts/learning_rate",
        "charts/SPS",
        "losses/value_loss",
        "losses/policy_loss",
        "losses/entropy",
        "losses/old_approx_kl",
        "losses/approx_kl",
        "losses/clipfrac",
        "losses/explained_variance",
        "losses/attention_loss",
    ):
        assert all(np.isfinite(row[name]) for row in rows), name
    assert [row["rollout"] for row in rows if "transmission/ct" in row] == [3, 6, 8]
    assert [row["global_step"] for row in rows] == [240 * (i + 1) for i in range(8)]
    assert rows[-1]["adr/size_low"] < 13
    assert rows[-1]["charts/learning_rate"] == rate_at(TINY, 7) == pytest.approx(TINY.ppo.rate * (1 - 0.9 * 7 / 8))


NEAR_GOALS = TrainingConfig(
    world=replace(laptop_world(), steps=40),
    tasks=TaskRanges(size=(9, 9), goals=(2, 2)),
    dropout=DropOut(kind="full"),
    agent=AgentConfig(encoder=48, belief=48, wishes=((0.0, 1.0), (0.0,), STEERING[2], (-1.0,), (-1.0,))),
    ppo=PPOConfig(minibatches=4, epochs=3, rate=3e-3, entropy=0.003),
    frames=200_000,
    worlds=64,
    measure_every=1000,
    measure_worlds=64,
)
"""Two goals in turn: all there is to learn is where they are."""


def test_a_small_task_is_learned(tmp_path):
    trained(tmp_path, NEAR_GOALS)
    rows = read_metrics(tmp_path)
    first, last = (np.mean([row["charts/episodic_return"] for row in part]) for part in (rows[:2], rows[-5:]))
    assert last > 2 * first
    assert last > first + 1.5


@pytest.mark.parametrize("switch", ["M", "ED", "AL", "ADR"])
def test_each_ingredient_can_be_left_out(tmp_path, whole, switch):
    config = replace(TINY, frames=480).without(switch)
    trained(tmp_path, config)
    agent, read = load_agent(tmp_path)
    assert read == config
    assert bits(tmp_path) != bits(whole)
    parameters = dict(agent.named_parameters())
    assert ("memory.recurrent_gh" in parameters) == (switch != "M")
    row = read_metrics(tmp_path)[-1]
    assert ("adr/size_high" in row) == (switch != "ADR")


def test_without_expert_dropout_it_learns_from_presence_alone():
    config = TINY.without("ED")
    rollout = Shard(config, 0).collect(Agent(config.agent, config.world), first_ranges(RULE), 0)
    assert rollout.there_tn[:, rollout.trained_n].all()
    assert not rollout.there_tn.all()


def test_the_attention_loss_teaches_where_the_expert_is(tmp_path):
    errors = []
    for weight in (1.0, 0.0):
        config = replace(TINY.without("ADR"), attention=weight, frames=40 * 240, ppo=PPOConfig(rate=3e-3))
        trained(tmp_path / str(weight), config)
        errors.append(read_metrics(tmp_path / str(weight))[-1]["losses/attention_loss"])
    assert errors[0] < errors[1] / 2


def test_one_that_diverges_says_where(tmp_path):
    config = replace(TINY, ppo=PPOConfig(minibatches=2, rate=1e30, largest_gradient=1e30))
    with pytest.raises(Diverged, match=r"diverged at rollout \d of 8: loss .* seed 0, .*there is no checkpoint yet"):
        trained(tmp_path, config)
    assert not (tmp_path / "agent.safetensors").exists()


def test_a_folder_is_trained_once_and_by_one_configuration(tmp_path):
    told = []
    document = train_in_folder(TINY, tmp_path, on_message=told.append)
    assert document["status"] == "done"
    assert document["name"] == "MEDAL-ADR"
    assert document["frames"] == 8 * 240
    assert sum(document["share"].values()) == pytest.approx(1)
    assert not list(tmp_path.glob("checkpoint*"))
    assert train_in_folder(TINY, tmp_path, on_message=told.append) == document
    assert told == [f"{tmp_path} is trained already"]
    with pytest.raises(BadInput, match=r"holds a training with ppo\.rate=.*, not 0\.002"):
        train_in_folder(replace(TINY, ppo=PPOConfig(minibatches=2, rate=2e-3)), tmp_path)


def test_a_plan_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = plan(TINY)
    assert found["frames"] == 8 * 240
    assert found["parameters"] == sum(weight.numel() for weight in Agent(TINY.agent, TINY.world).parameters())
    assert found["minutes"] > 0
    assert not list(tmp_path.iterdir())


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / "checkpoint.safetensors").write_bytes(b"torn")
    with pytest.raises(HutchError, match=r"checkpoint\.safetensors cannot be read; remove it"):
        train(TINY, tmp_path)


def test_metrics_that_lack_rollouts_of_the_checkpoint_are_named(tmp_path):
    with pytest.raises(HutchError, match="has 0 lines and the checkpoint 3 rollouts"):
        MetricsFile(tmp_path, 3)
