"""What a study will cost, before it costs anything: runs, FLOPs, tokens, minutes on this machine."""

import time
from typing import Any

import numpy as np
import torch

from hutch.lm import keep_freed_memory, learner_of, measured_precision, train_step
from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig
from hutch.studies.compute_optimal.grid import PlannedRun, Setting, holdout_runs, profile_runs
from hutch.studies.counting import human
from hutch.studies.sweep import side_by_side

SECONDS_A_PROBE = 1.0


def estimate(config: ComputeOptimalConfig, workers: int) -> dict[str, Any]:
    """The plan as JSON values. Minutes come from training steps timed here, three sizes for a second each, one at a
    time: processes side by side share memory and caches, so expect a tenth more."""
    setting = Setting(corpus="", precision=measured_precision()[0])
    profiles = profile_runs(config, setting)
    held_out = holdout_runs(config, config.expected(config.holdout_budget), setting)
    speed = measured_speed([*profiles, *held_out])
    seconds = sum(side_by_side([run.flops / speed(run) for run in runs], workers) for runs in (profiles, held_out))
    runs = [*profiles, *held_out]
    return {
        "scale": config.scale,
        "workers": workers,
        "precision": setting.precision,
        "runs": [_planned(run, run.flops / speed(run)) for run in runs],
        "flops": sum(run.flops for run in runs),
        "tokens": sum(run.tokens for run in runs),
        "most_tokens": max(run.tokens for run in runs),
        "minutes": seconds / 60,
    }


def _planned(run: PlannedRun, seconds: float) -> dict[str, Any]:
    return {
        "role": run.role,
        "budget": run.budget,
        "parameters": run.parameters,
        "tokens": run.tokens,
        "flops": run.flops,
        "steps": run.train.steps,
        "seconds": seconds,
    }


def measured_speed(runs: list[PlannedRun]) -> Any:
    """A function from a run to its expected FLOP/s: timed at the smallest, middle and largest size, and interpolated
    in the logarithm of the size."""
    ordered = sorted(runs, key=lambda run: (run.parameters, run.budget))
    probes = {run.parameters: run for run in (ordered[0], ordered[len(ordered) // 2], ordered[-1])}
    sizes = sorted(probes)
    rates = [_flops_per_second(probes[size]) for size in sizes]
    return lambda run: float(np.interp(np.log(run.parameters), np.log(sizes), rates))


def _flops_per_second(run: PlannedRun) -> float:
    """Rate of real training steps on random tokens, one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    keep_freed_memory()
    config = run.train
    learner = learner_of(config)
    shape = (2, config.sequences, config.model.context)
    inputs, targets = np.random.default_rng(0).integers(config.model.vocabulary, size=shape)
    steps, began = -2, time.perf_counter()
    while steps < 3 or time.perf_counter() - began < SECONDS_A_PROBE:
        if steps == 0:
            began = time.perf_counter()
        train_step(learner, (inputs, targets), config, 0)
        steps += 1
    torch.set_num_threads(threads)
    return steps * run.flops / config.steps / (time.perf_counter() - began)


def estimate_lines(plan: dict[str, Any]) -> list[str]:
    """The plan for a terminal: a line a budget, then the sum."""
    lines = [f"{'budget':>9}  {'runs':>4}  {'parameters':>17}  {'tokens':>17}  {'steps':>13}  {'minutes':>7}"]
    for budget in dict.fromkeys(sorted(run["budget"] for run in plan["runs"])):
        runs = [run for run in plan["runs"] if run["budget"] == budget]
        ranges = [f"{human(min(v))} to {human(max(v))}" for v in _columns(runs)]
        minutes = sum(run["seconds"] for run in runs) / 60 / plan["workers"]
        lines.append(
            f"{budget:>9.3g}  {len(runs):>4}  {ranges[0]:>17}  {ranges[1]:>17}  {ranges[2]:>13}  {minutes:>7.1f}"
        )
    lines.append(
        f"{len(plan['runs'])} runs, {plan['flops']:.3g} FLOPs, {human(plan['tokens'])} tokens (one run reads up to "
        f"{human(plan['most_tokens'])}), about {plan['minutes']:.0f} min of training on {plan['workers']} workers in "
        f"{plan['precision']}"
    )
    lines.append("the largest budget's sizes follow from the fit; here they stand at the expected optimum")
    return lines


def _columns(runs: list[dict[str, Any]]) -> list[list[float]]:
    return [[run[name] for run in runs] for name in ("parameters", "tokens", "steps")]
