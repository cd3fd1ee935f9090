"""What a study will cost, before it costs anything: runs, FLOPs, tokens, minutes on this machine."""

import time
from typing import Any

import numpy as np
import torch

from hutch.lm import keep_freed_memory, learner_of, measured_precision, train_step
from hutch.retrieval.training.retro_train_config import RetroTrainConfig
from hutch.retrieval.training.retro_training import retro_model_of
from hutch.studies.counting import human
from hutch.studies.retrieval.configuration import CHUNK, RetrievalConfig
from hutch.studies.retrieval.grid import PlannedRun, Setup, planned_runs
from hutch.studies.retrieval.settings import Setting
from hutch.studies.sweep import side_by_side

SECONDS_A_PROBE = 1.0
CHUNKS_EMBEDDED = 5_000.0
"""Chunks a core-second that are read, embedded, put into the graph of the index and joined, measured on one core."""
SUBSETS = 5
"""Of a corpus that is not read yet; the embedded one has so many."""
DISTANCES, DIMENSIONS = 1_000.0, 256
"""A search's distances, before there is an index whose counter could be asked, and the vectors' dimensions."""


def estimate(config: RetrievalConfig, workers: int) -> dict[str, Any]:
    """The plan as JSON values. Minutes come from training steps timed here, the smallest and the largest model of
    either kind for a second each, one at a time: processes side by side share memory and caches."""
    setup = Setup(
        corpus="",
        database="",
        precision=measured_precision()[0],
        tokens=config.train_tokens or 2**62,
        search_flops=2 * DISTANCES * DIMENSIONS,
    )
    runs = planned_runs(config, setup)
    speeds = {kind: _speed([run for run in runs if retrieves(run) == kind]) for kind in (True, False)}
    seconds = [run.flops / speeds[retrieves(run)](run) + _scoring(config, run, speeds) for run in runs]
    chunks = (config.train_tokens or 0) / CHUNK
    before = chunks / CHUNKS_EMBEDDED * (1 + 1 / workers)
    return {
        "scale": config.scale,
        "workers": workers,
        "precision": setup.precision,
        "runs": [_planned(run, one) for run, one in zip(runs, seconds, strict=True)],
        "flops": sum(run.flops for run in runs),
        "tokens": sum(run.tokens for run in runs),
        "most_tokens": max(run.tokens for run in runs),
        "database_chunks": round(chunks) or None,
        "preparation_minutes": before / 60,
        "minutes": (side_by_side(seconds, workers) + before) / 60,
    }


def retrieves(run: PlannedRun) -> bool:
    """Whether the run trains a model with retrieval."""
    return isinstance(run.train, RetroTrainConfig)


def _planned(run: PlannedRun, seconds: float) -> dict[str, Any]:
    return {
        "role": run.role,
        "budget": run.budget,
        "width": run.model.width,
        "parameters": run.parameters,
        "tokens": run.tokens,
        "flops": run.flops,
        "steps": run.train.train.steps,
        "seconds": seconds,
    }


def _scoring(config: RetrievalConfig, run: PlannedRun, speeds: dict[bool, Any]) -> float:
    """Seconds to score the held-out text in every setting of a run: a third of a training step's FLOPs a token, and
    what retrieval adds grows with k."""
    subsets = len(config.subsets) if config.subsets else SUBSETS
    tokens = subsets * config.holdout_documents * config.holdout_document_tokens
    forward = run.flops_per_token / 3
    if not retrieves(run):
        return tokens * forward / speeds[False](run)
    settings = [Setting(1, config.neighbours)] * (len(config.shares) - 1) + [
        Setting(1, k) for k in config.evaluated_neighbours
    ]
    weights = 1 + sum(0.5 + 0.5 * setting.neighbours / config.neighbours for setting in settings)
    return tokens * forward * weights / speeds[True](run)


def _speed(runs: list[PlannedRun]) -> Any:
    """A function from a run to its expected FLOP/s, timed at the smallest and the largest size."""
    ordered = sorted(runs, key=lambda run: run.parameters)
    probes = {run.parameters: run for run in (ordered[0], ordered[-1])}
    sizes = sorted(probes)
    rates = [_flops_per_second(probes[size]) for size in sizes]
    return lambda run: float(np.interp(np.log(run.parameters), np.log(sizes), rates))


def _flops_per_second(run: PlannedRun) -> float:
    """Rate of real training steps on random tokens, one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    keep_freed_memory()
    train, random = run.train.train, np.random.default_rng(0)
    learner = learner_of(train, model=retro_model_of(run.train) if isinstance(run.train, RetroTrainConfig) else None)
    inputs, targets = random.integers(train.model.vocabulary, size=(2, train.sequences, train.model.context))
    batch = (inputs, targets)
    if isinstance(run.train, RetroTrainConfig):
        shape = (train.sequences, train.model.context // CHUNK, run.train.neighbours, 2 * CHUNK)
        batch = (*batch, random.integers(train.model.vocabulary, size=shape))
    steps, began = -2, time.perf_counter()
    while steps < 3 or time.perf_counter() - began < SECONDS_A_PROBE:
        if steps == 0:
            began = time.perf_counter()
        train_step(learner, batch, train, 0)
        steps += 1
    torch.set_num_threads(threads)
    return steps * train.batch_tokens * run.flops_per_token / (time.perf_counter() - began)


def estimate_lines(plan: dict[str, Any]) -> list[str]:
    """The plan for a terminal: a line for each budget and kind of run, then the sum."""
    lines = [f"{'budget':>9}  {'runs of kind':<23}  {'':>4}  {'parameters':>16}  {'tokens':>16}  {'minutes':>7}"]
    groups = dict.fromkeys((run["budget"], run["role"]) for run in sorted(plan["runs"], key=lambda r: r["budget"]))
    for budget, role in groups:
        runs = [run for run in plan["runs"] if (run["budget"], run["role"]) == (budget, role)]
        sizes, tokens = (
            f"{human(min(run[name] for run in runs))} to {human(max(run[name] for run in runs))}"
            for name in ("parameters", "tokens")
        )
        minutes = sum(run["seconds"] for run in runs) / 60 / plan["workers"]
        lines.append(f"{budget:>9.3g}  {role:<23}  {len(runs):>4}  {sizes:>16}  {tokens:>16}  {minutes:>7.1f}")
    known = f"{human(plan['database_chunks'])} chunks" if plan["database_chunks"] else "the whole corpus"
    lines.append(
        f"{len(plan['runs'])} runs, {plan['flops']:.3g} FLOPs, {human(plan['tokens'])} tokens, a database of {known}: "
        f"about {plan['minutes']:.0f} min on {plan['workers']} workers in {plan['precision']}, "
        f"{plan['preparation_minutes']:.1f} of them before training"
    )
    return lines
