"""Fits of simulated runs, saved as `hutch fit --save` saves them."""

import dataclasses
from pathlib import Path

import numpy as np

from hutch.scaling.fits.parametric import fit_parametric
from hutch.scaling.fits.profiles import fit_profiles
from hutch.scaling.fits.saved import save_fit
from hutch.scaling.laws import ParametricLaw
from hutch.scaling.run_table import RunTable

TRUTH = ParametricLaw(E=1.8, A=480.0, B=2000.0, alpha=0.35, beta=0.36)
BUDGETS = (1e18, 1e19, 1e20, 1e21, 1e22)


def runs(noise: float = 2e-3) -> RunTable:
    """IsoFLOP profiles around the optima of `TRUTH`, seven sizes each, with noise on the loss."""
    random = np.random.default_rng(0)
    budget = np.repeat(BUDGETS, 7)
    n = TRUTH.n_opt(budget) * np.tile(np.geomspace(0.25, 4, 7), len(BUDGETS))
    d = budget / (6 * n)
    loss = TRUTH.loss(n, d) * np.exp(noise * random.normal(size=len(n)))
    return RunTable.of(parameters=n, tokens=d, flops=budget, loss=loss, budget=budget)


def parametric(folder: Path, bootstraps: int = 200, flops_per_nd: float = 6.0) -> str:
    """The path of a saved parametric fit."""
    path = folder / "law.json"
    save_fit(fit_parametric(recounted(flops_per_nd), bootstraps=bootstraps), path)
    return str(path)


def profiles(folder: Path, flops_per_nd: float = 6.0) -> str:
    """The path of a saved fit of isoFLOP profiles."""
    path = folder / "profiles.json"
    save_fit(fit_profiles(recounted(flops_per_nd), bootstraps=200), path)
    return str(path)


def recounted(flops_per_nd: float) -> RunTable:
    """The same runs with their compute counted as κ·N·D."""
    table, share = runs(), flops_per_nd / 6
    assert table.budget is not None
    return dataclasses.replace(table, flops=table.flops * share, budget=table.budget * share)
