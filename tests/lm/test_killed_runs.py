"""kill -9 at any moment, and the same weights to the last bit."""

import dataclasses
import hashlib
import multiprocessing
import os
import random
import signal
import time

import pytest

from hutch.lm import TrainConfig, model_of_width
from hutch.runs.executors import warm_up
from tests.lm.together import PRELOAD, train_alone

CONFIG = TrainConfig(
    model=model_of_width(16, vocabulary=64, context=16),
    tokens=120 * 64,
    sequences=4,
    peak_rate=0.01,
    embedding_rate=20.0,
    micro_sequences=3,
)


@pytest.mark.parametrize(
    ("kills", "change"),
    [(3, {}), pytest.param(10, {"algorithm": "muon", "tokens": 400 * 64}, marks=pytest.mark.slow)],
)
def test_a_process_killed_at_random_ends_with_the_same_bits(tmp_path, kills, change):
    config = dataclasses.replace(CONFIG, **change)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    ended(started(config, whole))
    moments = random.Random(kills)
    for _ in range(kills):
        process = started(config, killed)
        before = newest(killed)
        while process.is_alive() and newest(killed) == before:
            time.sleep(0.001)
        # A few steps further on; a step and its checkpoint take some milliseconds.
        time.sleep(moments.uniform(0.0, 0.06))
        assert process.is_alive(), "the run was over before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert not (killed / "model.safetensors").exists()
    ended(started(config, killed))
    assert fingerprint(killed) == fingerprint(whole)


def started(config, folder):
    warm_up(PRELOAD)
    process = multiprocessing.get_context("forkserver").Process(target=train_alone, args=(config, folder))
    process.start()
    return process


def ended(process):
    process.join(60)
    assert process.exitcode == 0


def newest(folder):
    """Which checkpoint stands there: every one is a new file."""
    path = folder / "checkpoint.safetensors"
    return path.stat().st_ino if path.exists() else None


def fingerprint(folder):
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
