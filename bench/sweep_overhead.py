"""What the sweep adds to training: the same runs through a study's sweep and through the bare training loop.

    python bench/sweep_overhead.py [--repeats 3]

Both sides train the same models for the same steps, two processes side by side with one thread each. The sweep adds the
ledger, process starts, heartbeats, a checkpoint every five seconds, weights and curves on the disk, and its own
bookkeeping. Scoring of held-out documents is left out on both sides: it is measurement and not overhead. Prints
seconds and the ratio sweep / bare (1.00 is free; the aim is below 1.05), and writes bench/sweep_overhead.json.
"""

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from hutch.lm import TrainConfig, keep_freed_memory, learner_of, model_of_width, train_step
from hutch.runs import Ledger, StudyClock, digest
from hutch.studies.compute_optimal.study import PRELOAD
from hutch.studies.compute_optimal.unit import trained
from hutch.studies.sweep import Sweep
from hutch.text import Batches

WIDTHS, STEPS, SEQUENCES, CONTEXT = (32, 48, 64, 96), 500, 6, 128
TOKENS = np.random.default_rng(0).integers(2048, size=2_000_000).astype(np.uint16)


class BenchRun:
    """One run of the benchmark, as `Sweep` wants it."""

    role, budget, parameters = "profile", 1.0, None

    def __init__(self, width: int) -> None:
        model = model_of_width(width, vocabulary=2048, context=CONTEXT)
        tokens = STEPS * SEQUENCES * CONTEXT
        self.train = TrainConfig(model=model, tokens=tokens, sequences=SEQUENCES, peak_rate=0.006, embedding_rate=60.0)
        self.id, self.label = digest(self.train), f"width {width}"


def one_thread() -> None:
    import torch

    torch.set_num_threads(1)
    keep_freed_memory()


def in_sweep(folder: Path, payload: dict) -> dict:
    """A worker's run in the sweep."""
    one_thread()
    trained(folder, payload["train"], SimpleNamespace(train=SimpleNamespace(tokens=TOKENS)), payload)
    return {}


def payload(run: BenchRun, divergences: int) -> dict:
    """What the study gives to its workers, as far as `trained` reads it."""
    return {"train": run.train, "flops_per_token": 1, "checkpoint_seconds": 5.0}


def bare(config: TrainConfig) -> None:
    """Nothing but steps."""
    one_thread()
    learner = learner_of(config)
    batches = Batches(TOKENS, config.model.context, config.sequences, config.seed)
    for step in range(config.steps):
        train_step(learner, batches.batch(step), config, step)


def bare_seconds(runs: list[BenchRun]) -> float:
    """Two warm processes share the runs; their start is not counted."""
    context = multiprocessing.get_context("forkserver")
    with context.Pool(2) as pool:
        pool.map(warm, range(4))
        began = time.perf_counter()
        pool.map(bare, [run.train for run in runs], chunksize=1)
        return time.perf_counter() - began


def warm(_: int) -> None:
    """The first optimiser of a process imports what it needs."""
    bare(TrainConfig(model=BenchRun(24).train.model, tokens=3 * 768, sequences=6, peak_rate=0.006, embedding_rate=60.0))


def sweep_seconds(runs: list[BenchRun]) -> float:
    """The same through `Sweep`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sweep = Sweep(
            folder=folder,
            ledger=Ledger(folder),
            module="sweep_overhead",
            function="in_sweep",
            workers=2,
            clock=StudyClock("bench", None),
            on_snapshot=lambda snapshot: None,
            preload=PRELOAD,
        )
        began = time.perf_counter()
        sweep.run(runs, payload, lambda run, folder, result: {})
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    runs = [BenchRun(width) for width in sorted(WIDTHS, reverse=True)]
    sweep_seconds([BenchRun(24)])
    pairs = [(sweep_seconds(runs), bare_seconds(runs)) for _ in range(repeats)]
    ratios = [sweep / alone for sweep, alone in pairs]
    result = {"sweep_s": [p[0] for p in pairs], "bare_s": [p[1] for p in pairs], "ratio": statistics.median(ratios)}
    for sweep, alone in pairs:
        print(f"sweep {sweep:6.2f} s   bare loop {alone:6.2f} s   ratio {sweep / alone:.3f}")
    print(f"median ratio {result['ratio']:.3f}")
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
