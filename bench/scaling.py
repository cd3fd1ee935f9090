"""Approach 3 against the usual way: SciPy's L-BFGS-B from Hoffmann's grid of 4,500 starts, on the same runs.

    python bench/scaling.py [--table runs.csv] [--starts 4500] [--repeats 5]

One process, one thread. Without --table the runs are 240 synthetic ones, from Besiroglu's law with 0.5 % of noise. The
peer minimises the same Huber sum with SciPy's numerical gradient, as the public notebooks do; --starts takes an even
part of the grid, and the time for all of it is then an extrapolation and said to be one. Then 100 bootstraps each way,
and what 10,000 runs × 1,000 bootstraps hold in memory (in a process of its own). Prints seconds and ratios, and writes
bench/scaling.json.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402 (threads are set before NumPy starts them)
from scipy.optimize import minimize  # noqa: E402

from hutch.scaling import RunTable, fit_parametric  # noqa: E402
from hutch.scaling.fits.newton import minimise  # noqa: E402
from hutch.scaling.fits.objective import Objective  # noqa: E402
from hutch.scaling.fits.problem import Problem  # noqa: E402
from hutch.scaling.published import BESIROGLU_LAW  # noqa: E402
from hutch.scaling.tables import read_runs  # noqa: E402

DELTA = 1e-3
HOFFMANN_GRID = [
    np.array(start)
    for start in itertools.product(
        range(0, 30, 5), range(0, 30, 5), np.arange(-1, 1.5, 0.5), *[np.arange(0, 2.5, 0.5)] * 2
    )
]
"""(ln A, ln B, ln E, α, β): Hoffmann et al. 2022, D.2."""


def synthetic(runs: int, seed: int = 0) -> RunTable:
    """Runs of Besiroglu's law with 0.5 % of noise."""
    random = np.random.default_rng(seed)
    compute = np.exp(random.uniform(np.log(1e18), np.log(1e22), runs))
    n = BESIROGLU_LAW.n_opt(compute) * np.exp(random.uniform(-1.5, 1.5, runs))
    d = compute / (6 * n)
    return RunTable.of(parameters=n, tokens=d, loss=BESIROGLU_LAW.loss(n, d) * np.exp(0.005 * random.normal(size=runs)))


def huber_sum(theta: np.ndarray, ln_n: np.ndarray, ln_d: np.ndarray, ln_loss: np.ndarray, weights: np.ndarray) -> float:
    """The peer's objective, written as in the paper."""
    a, b, e, alpha, beta = theta
    terms = np.stack([a - alpha * ln_n, b - beta * ln_d, np.full_like(ln_n, e)])
    top = terms.max(0)
    residual = np.abs(top + np.log(np.exp(terms - top).sum(0)) - ln_loss)
    return float((weights * np.where(residual <= DELTA, residual**2 / 2, DELTA * (residual - DELTA / 2))).sum())


def peer(runs: RunTable, starts: list[np.ndarray], weights: np.ndarray) -> list[float]:
    """The objective that each start reaches."""
    columns = np.log(runs.parameters), np.log(runs.tokens), np.log(runs.loss)
    return [minimize(huber_sum, start, args=(*columns, weights), method="L-BFGS-B").fun for start in starts]


def newton_from(runs: RunTable, starts: list[np.ndarray]) -> np.ndarray:
    """The objective that our Newton steps reach from the peer's starts, [starts]."""
    objective = Objective.of(runs.parameters, runs.tokens, runs.loss, DELTA)
    natural = np.array([(np.exp(e), np.exp(a), np.exp(b), alpha, beta) for a, b, e, alpha, beta in starts])
    weights = np.broadcast_to(np.ones(len(runs)), (len(starts), len(runs)))
    return minimise(Problem(objective, weights), objective.theta(natural)).objective


def seconds(call: Any, repeats: int) -> list[float]:
    """Wall seconds of each call."""
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return taken


def measure(runs: RunTable, starts: int, repeats: int) -> dict[str, Any]:
    """All figures on one table."""
    grid = HOFFMANN_GRID[:: max(1, len(HOFFMANN_GRID) // starts)]
    ours = statistics.median(seconds(lambda: fit_parametric(runs, bootstraps=0), repeats))
    boots = {
        count: statistics.median(seconds(lambda count=count: fit_parametric(runs, bootstraps=count), repeats)) - ours
        for count in (100, 1000, 4000)
    }
    fit = fit_parametric(runs, bootstraps=0)
    begun = time.perf_counter()
    ends = np.array(peer(runs, grid, np.ones(len(runs))))
    theirs = (time.perf_counter() - begun) * len(HOFFMANN_GRID) / len(grid)
    begun = time.perf_counter()
    same_starts = newton_from(runs, grid)
    ours_from_grid = (time.perf_counter() - begun) * len(HOFFMANN_GRID) / len(grid)
    best = grid[int(ends.argmin())]
    random = np.random.default_rng(0)
    counts = random.multinomial(len(runs), np.full(len(runs), 1 / len(runs)), size=20).astype(float)
    begun = time.perf_counter()
    for row in counts:
        peer(runs, [best], row)
    their_boots = (time.perf_counter() - begun) * 100 / len(counts)
    assert fit.objective is not None
    return {
        "runs": len(runs),
        "starts": len(grid),
        "fit_seconds": ours,
        "fit_objective": fit.objective,
        "bootstrap_seconds": boots,
        "peer_grid_seconds": theirs,
        "peer_grid_extrapolated": len(grid) < len(HOFFMANN_GRID),
        "peer_best_objective": float(ends.min()),
        "peer_starts_within_1e-6": float(np.mean(ends <= fit.objective * (1 + 1e-6))),
        "peer_100_bootstraps_seconds": their_boots,
        "ours_grid_seconds": ours_from_grid,
        "ours_grid_starts_within_1e-6": float(np.mean(same_starts <= fit.objective * (1 + 1e-6))),
        "ratio_fit": theirs / ours,
        "ratio_same_starts": theirs / ours_from_grid,
        "ratio_100_bootstraps": their_boots / boots[100],
    }


def peak_megabytes() -> float:
    """Largest resident memory of a process that fits 10,000 runs with 1,000 bootstraps (imports included)."""
    program = (
        f"import sys, resource; sys.path.insert(0, {str(Path(__file__).parent)!r}); import scaling; "
        "scaling.fit_parametric(scaling.synthetic(10_000), bootstraps=1000); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--drop-top-loss", type=int, default=0)
    parser.add_argument("--starts", type=int, default=len(HOFFMANN_GRID))
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    runs = read_runs(options.table).runs if options.table else synthetic(240)
    if options.drop_top_loss:
        runs = runs.select(np.argsort(runs.loss)[: len(runs) - options.drop_top_loss])
    figures = measure(runs, options.starts, options.repeats)
    figures["peak_megabytes_10000_runs_1000_bootstraps"] = peak_megabytes()
    for name, value in figures.items():
        print(f"{name:45} {value}")
    Path(__file__).with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
