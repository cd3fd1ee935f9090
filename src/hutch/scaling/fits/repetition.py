"""R_D* and R_N* of the repeated-data law fitted to runs that repeat their data (Muennighoff et al. 2023,
arXiv:2305.16264, §5)."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs import seeds
from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, check_bootstrap, positive_columns
from hutch.scaling.fits.newton import Minimum, minimise
from hutch.scaling.fits.repetition_objective import RepetitionProblem
from hutch.scaling.intervals import LOST, Interval, json_numbers, lost_note, percentile_interval
from hutch.scaling.laws import ParametricLaw
from hutch.scaling.repetition import RepeatedDataLaw
from hutch.scaling.run_table import RunTable

MINIMUM_RUNS = 4
_NODES = np.linspace(np.log(1e-2), np.log(1e4), 40)
_BASINS, _SPREAD = 8, 8
_AGREE = 1e-6
_MOST = 0.5
_FAR = 10.0
"""How far beyond the runs' own repeats a constant lies when they no longer hold it."""


@dataclass(frozen=True, kw_only=True)
class RepetitionFit:
    """R_D* and R_N* with intervals, and how far to trust the optimum.

    `objective` is the Huber sum. `status` is "converged", "stalled" or "iterations". `starts` were polished,
    `starts_agree` is the share of them within 1e-6 of the best objective. `repeated_runs` have D > U_D,
    `surplus_runs` N > U_N. `lost_share` is the share of resamples that did not converge or lost all of either.
    `notes` name what the runs do not hold. `draws` [bootstraps, 2] are R_D*, R_N* of each resample, NaN where lost.
    """

    law: RepeatedDataLaw
    r_d_star: Interval
    r_n_star: Interval
    objective: float
    status: str
    starts: int
    starts_agree: float
    lost_share: float
    delta: float
    runs: int
    repeated_runs: int
    surplus_runs: int
    notes: tuple[str, ...] = ()
    draws: Array = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; without the draws, and with the single-epoch constants under "law"."""
        numbers = ("objective", "starts_agree", "lost_share", "delta")
        return {
            "law": self.law.law.as_dict(),
            "r_d_star": self.r_d_star.as_dict(),
            "r_n_star": self.r_n_star.as_dict(),
            **{name: json_numbers(getattr(self, name)) for name in numbers},
            **{name: getattr(self, name) for name in ("status", "starts", "runs", "repeated_runs", "surplus_runs")},
            "notes": list(self.notes),
        }


def fit_repetition(
    runs: RunTable,
    unique_tokens: ArrayLike,
    law: ParametricLaw,
    *,
    delta: float = 1e-3,
    bootstraps: int = 1000,
    level: float = 0.8,
    seed: int = 0,
) -> RepetitionFit:
    """Minimise Σ Huber_δ(ln L̂ − ln L) over R_D* and R_N* above 0, the single-epoch `law` being given.

    A grid over 1e-2 … 1e4 squared finds every basin, damped Newton steps with exact derivatives polish; each
    resample of the runs searches the grid anew. `unique_tokens` has one value a run. The law cannot show
    over-fitting, so runs whose loss rose again with more epochs pull both constants down: leave them out.

    `BadInput` for bad columns, more unique tokens than tokens, fewer than 4 runs, no run with repeats, or none with
    more parameters than its unique tokens can use.
    """
    unique = _unique(runs, unique_tokens)
    if not delta > 0:
        raise BadInput(f"delta is {delta:g}; a number above 0 is needed, or infinity for least squares")
    check_bootstrap(bootstraps, level)
    counts = _counts(len(runs), bootstraps, seed)
    problem = RepetitionProblem.of(
        law,
        runs.parameters,
        runs.tokens,
        unique,
        runs.loss,
        delta=delta,
        weights=np.vstack([np.ones(len(runs)), counts]),
    )
    _check_enough(problem)
    nodes = np.stack(np.meshgrid(_NODES, _NODES, indexing="ij"), axis=-1).reshape(-1, 2)
    on_grid = problem.huber(nodes) @ problem.weights.T
    starts = nodes[_start_nodes(on_grid[:, 0])]
    polished = _minimise(problem, starts, np.zeros(len(starts), dtype=int))
    best = int(np.argmin(polished.objective))
    draws = _draws(problem, polished.phi[best], nodes[on_grid[:, 1:].argmin(0)])
    return _result(problem, law, polished, best, draws, level)


def _unique(runs: RunTable, unique_tokens: ArrayLike) -> Array:
    _, unique = positive_columns(loss=runs.loss, unique_tokens=unique_tokens)
    bad = np.flatnonzero(unique > runs.tokens * (1 + 1e-9))
    if bad.size:
        row = int(bad[0])
        raise BadInput(
            f"unique_tokens, row {row}: {unique[row]:g} is above the run's {runs.tokens[row]:g} tokens; a run within "
            "one epoch has as many unique tokens as tokens"
        )
    return np.minimum(unique, runs.tokens)


def _check_enough(problem: RepetitionProblem) -> None:
    runs = len(problem.ln_loss)
    if runs < MINIMUM_RUNS:
        raise BadInput(f"{runs} runs; R_D* and R_N* need at least {MINIMUM_RUNS}")
    if not np.any(problem.repeats > 0):
        raise BadInput("no run repeats its data: R_D* needs runs with more tokens than unique tokens")
    if not np.any(problem.surplus > 0):
        raise BadInput("no run has more parameters than its unique tokens can use: R_N* needs some that do")


def _counts(runs: int, bootstraps: int, seed: int) -> Array:
    """How often each run is drawn, [bootstraps, runs]."""
    random = seeds.generator(seed, "repetition")
    return random.multinomial(runs, np.full(runs, 1 / runs), size=bootstraps).astype(float)


def _start_nodes(objective: Array) -> np.ndarray:
    """Nodes to start from: the lowest basins of the grid, and some spread over all nodes from best to worst."""
    side = len(_NODES)
    padded = np.pad(objective.reshape(side, side), 1, constant_values=np.inf)
    shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    neighbours = np.min([padded[i : i + side, j : j + side] for i, j in shifts], axis=0)
    basins = np.flatnonzero(objective <= neighbours.ravel())
    order = objective.argsort(kind="stable")
    spread = order[np.linspace(0, len(order) - 1, _SPREAD).astype(int)]
    return np.union1d(basins[objective[basins].argsort(kind="stable")][:_BASINS], spread)


def _minimise(problem: Any, phi: Array, members: np.ndarray) -> Minimum:
    """`minimise` with the weights of `members`."""
    return minimise(problem.select(members), phi)


def _draws(problem: RepetitionProblem, optimum: Array, nodes: Array) -> Array:
    """ln R_D*, ln R_N* of each resample: the lower end of two searches, from its best node and from `optimum`."""
    members = np.arange(1, 1 + len(nodes))
    if not len(nodes):
        return np.empty((0, 2))
    first, second = (_minimise(problem, start, members) for start in (nodes, np.broadcast_to(optimum, nodes.shape)))
    lower = (second.objective < first.objective)[:, None]
    phi = np.where(lower, second.phi, first.phi)
    converged = np.where(lower[:, 0], second.converged, first.converged)
    held = [(problem.weights[members] * (copies > 0)).any(1) for copies in (problem.repeats, problem.surplus)]
    return np.where((converged & held[0] & held[1])[:, None], phi, np.nan)


def _result(
    problem: RepetitionProblem, law: ParametricLaw, polished: Minimum, best: int, ln_draws: Array, level: float
) -> RepetitionFit:
    with np.errstate(over="ignore"):
        point, draws = np.exp(polished.phi[best]), np.exp(ln_draws)
    f, status = polished.objective, str(polished.status[best])
    agree = float(np.mean(f <= f[best] * (1 + _AGREE) + 100 * problem.perfect[0]))
    lost_share = float(np.isnan(draws[:, 0]).mean()) if len(draws) else 0.0
    notes = [
        *([] if status == "converged" else [f"the search for the optimum did not converge: {status}"]),
        *([] if agree >= _MOST else [f"{agree:.0%} of the starts ended at this optimum, the others above it"]),
        *_not_held("R_D*", "repeats", point[0], draws[:, 0], problem.repeats),
        *_not_held("R_N*", "surplus parameters", point[1], draws[:, 1], problem.surplus),
        *lost_note(lost_share, "optimum"),
    ]
    return RepetitionFit(
        law=RepeatedDataLaw(law, *map(float, point)),
        r_d_star=percentile_interval(point[0], draws[:, 0], level),
        r_n_star=percentile_interval(point[1], draws[:, 1], level),
        objective=float(f[best]),
        status=status,
        starts=len(f),
        starts_agree=agree,
        lost_share=lost_share,
        delta=problem.delta,
        runs=len(problem.ln_loss),
        repeated_runs=int((problem.repeats > 0).sum()),
        surplus_runs=int((problem.surplus > 0).sum()),
        notes=tuple(notes),
        draws=draws,
    )


def _not_held(name: str, what: str, star: float, draws: Array, copies: Array) -> list[str]:
    """Whether the objective is flat in one constant: all that the runs can say is that it is large, or small."""
    seen = copies[copies > 0]
    large, small = _FAR * seen.max(), seen.min() / _FAR
    if star > large:
        return [f"{name} is only known to be large: {what} up to {seen.max():.3g} lose no worth in these runs"]
    if star < small:
        return [f"{name} is only known to be small: {what} from {seen.min():.3g} up have no worth in these runs"]
    kept = draws[np.isfinite(draws)]
    loose = np.mean((kept > large) | (kept < small)) if len(kept) else 0.0
    return [f"{loose:.0%} of the resamples put no bound on {name}"] if loose > LOST else []
