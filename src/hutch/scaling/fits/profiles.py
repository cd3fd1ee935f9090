"""Approach 2: isoFLOP profiles. A parabola of loss against ln size at each budget, then power laws through
the vertices (Hoffmann et al. 2022, §3.2), with a bootstrap over the runs of each budget."""

from dataclasses import dataclass, field, replace
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs import seeds
from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, check_bootstrap
from hutch.scaling.comparing import ComparesArrays
from hutch.scaling.fits.allocation import Allocates, Allocation, Optimum
from hutch.scaling.fits.frontier import Frontier, fit_frontier
from hutch.scaling.fits.parabolas import Axis
from hutch.scaling.fits.valleys import Method, Resample, Valley
from hutch.scaling.intervals import Interval, json_numbers, lost_note, percentile_interval
from hutch.scaling.laws import log_log_lines
from hutch.scaling.run_table import RunTable

MINIMUM_BUDGETS = 4
_ONE_BUDGET = 1.5
"""Largest over smallest FLOP of runs that can pass for one budget."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile(ComparesArrays):
    """One budget: its runs, sorted by size, and its parabola.

    `compute` is the C at which the vertex enters the law. `fitted` marks the runs near enough to the minimum to
    be fitted. Coefficients are of 1, ln size, (ln size)², None where no parabola was.
    The optimum is None unless `used`; `reason` says why it was refused.
    `lost_share` is the share of bootstrap draws without an interior minimum.
    """

    budget: float
    compute: float
    parameters: Array
    tokens: Array
    loss: Array
    fitted: np.ndarray | None = None
    coefficients_n: tuple[float, float, float] | None = None
    coefficients_d: tuple[float, float, float] | None = None
    n_opt: Interval | None = None
    d_opt: Interval | None = None
    loss_opt: Interval | None = None
    used: bool = False
    reason: str | None = None
    lost_share: float | None = None
    vertex: Array = field(default_factory=lambda: np.full(3, np.nan), repr=False)
    """ln n_opt, ln d_opt, loss_opt [3]; NaN unless used."""
    draws: Array = field(default_factory=lambda: np.empty((0, 3)), repr=False)
    """The same for each draw, [bootstraps, 3]; NaN where lost."""

    def as_dict(self) -> dict[str, Any]:
        """Every field but `vertex` and `draws`, fit for JSON."""
        plain = {name: json_numbers(getattr(self, name)) for name in ("budget", "compute", "lost_share")}
        arrays = ("parameters", "tokens", "loss", "coefficients_n", "coefficients_d")
        plain |= {name: json_numbers(getattr(self, name)) for name in arrays}
        plain["fitted"] = None if self.fitted is None else self.fitted.tolist()
        optima = {name: getattr(self, name) for name in ("n_opt", "d_opt", "loss_opt")}
        plain |= {name: optimum.as_dict() if optimum else None for name, optimum in optima.items()}
        return plain | {"used": self.used, "reason": self.reason}


@dataclass(frozen=True, kw_only=True, eq=False)
class ProfilesFit(Allocates):
    """What approach 2 found. Beside the shared `a`, `b`, `k_n`, `k_d`, `n_opt(C)`, `d_opt(C)`: `loss_opt(C)`
    from `frontier`. With too few usable budgets the laws are None and `reason` says so.

    `lost_share` is the mean share of lost vertices over the used profiles: intervals rest on the others,
    and a large share means that they are too narrow.
    """

    profiles: tuple[Profile, ...]
    frontier: Frontier | None
    lost_share: float | None
    resample: Resample
    notes: tuple[str, ...]

    @property
    def used(self) -> tuple[Profile, ...]:
        return tuple(profile for profile in self.profiles if profile.used)

    def loss_opt(self, compute: ArrayLike) -> Interval:
        """The lowest loss at `compute` FLOP, extrapolated; `BadInput` where there is no law."""
        if self.frontier is None:
            raise BadInput(f"no law of the lowest loss to evaluate: {self.reason or 'the minima do not fall'}")
        return self.frontier.loss_opt(compute)

    def optimal(self, compute: ArrayLike) -> Optimum:
        """Parameters, tokens and, where the minima fall by a law, the loss at the optimum of `compute` FLOP."""
        loss = self.frontier.loss_opt(compute) if self.frontier else None
        return Optimum(parameters=self.n_opt(compute), tokens=self.d_opt(compute), loss=loss)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: "profiles", the intervals "a", "b", "k_n", "k_d", "reason", "frontier", "lost_share",
        "resample", "notes"."""
        return {
            "profiles": [profile.as_dict() for profile in self.profiles],
            **self.allocation_dict(),
            "frontier": self.frontier.as_dict() if self.frontier else None,
            "flops_per_nd": self.flops_per_nd,
            "lost_share": json_numbers(self.lost_share),
            "resample": self.resample,
            "notes": list(self.notes),
        }


def fit_profiles(
    runs: RunTable,
    *,
    method: Method = "parabola",
    within: float | None = None,
    bootstraps: int = 1000,
    level: float = 0.8,
    seed: int = 0,
    minimum_points: int = 4,
    minimum_budgets: int = MINIMUM_BUDGETS,
    resample: Resample = "residuals",
) -> ProfilesFit:
    """Approach 2. Runs of equal `budget` form a profile (see `RunTable.with_budgets`); its C in the law is the
    geometric mean of what they spent.

    Refused, with a reason, and left out of the law: a profile of fewer than `minimum_points` runs or three
    sizes, a parabola that opens downward, a minimum at or beyond the edge of the sizes tried.

    A parabola over a wide range is biased, since the valley is lopsided: it shifts k_n, and a where the centring
    of the grids drifts (arXiv:2603.22339). Two remedies: `within` keeps only runs within that factor in size of
    the profile's minimum; `method` "akima" interpolates ln loss over ln size and takes the lowest point, as
    Porian et al. 2024 (arXiv:2406.19146) do, at the price of more noise.

    Intervals: "residuals" is a wild bootstrap of the leverage-corrected residuals of a parabola (of a cubic for
    "akima", with six runs or more) within each budget. It is the default because a plain resample ("pairs")
    of five to seven runs often holds fewer than three sizes, or an edge minimum. Either covers the noise of
    the runs, not the bias. A Student factor in each draw allows for noise known from two to four residuals: on
    simulated sweeps the 80 % interval of one vertex holds the truth 65 to 80 % of the time (five to ten runs a
    budget), that of the exponent 80 to 90 % and that of the extrapolated loss 83 to 90 %.

    Fewer than `minimum_budgets` usable budgets give no law; fewer than 4 leave a line little to be tested on.
    """
    check_bootstrap(bootstraps, level)
    _check_options(method, within, minimum_points, minimum_budgets, resample)
    runs = runs.with_budgets()
    assert runs.budget is not None
    member = np.isfinite(runs.budget)
    if not member.any():
        raise BadInput("no run belongs to a budget; approach 2 needs runs of equal FLOPs")
    profiles = []
    for one in np.unique(runs.budget[member]):
        rows = np.flatnonzero(runs.budget == one)
        rows = rows[np.argsort(runs.parameters[rows], kind="stable")]
        spent = runs.flops[rows]
        bare = Profile(
            budget=float(one),
            # One budget exactly, not its rounded logarithm.
            compute=float(spent[0]) if np.ptp(spent) == 0 else float(np.exp(np.log(spent).mean())),
            parameters=runs.parameters[rows],
            tokens=runs.tokens[rows],
            loss=runs.loss[rows],
        )
        valley = Valley(method, resample, within, minimum_points)
        profiles.append(
            _fit_profile(bare, spent, valley, bootstraps, level, seeds.generator(seed, "profiles", len(profiles)))
        )
    used = [profile.budget for profile in profiles if profile.used]
    notes = _notes(runs.select(np.isin(runs.budget, used))) if used else ()
    kappa = runs.select(member).flops_per_nd
    return _through_vertices(tuple(profiles), kappa, minimum_budgets, level, resample, notes)


def _check_options(
    method: Method, within: float | None, minimum_points: int, minimum_budgets: int, resample: Resample
) -> None:
    if minimum_points < 4:
        raise BadInput(f"minimum_points is {minimum_points}; a parabola needs at least 4 runs to be tested")
    if minimum_budgets < 3:
        raise BadInput(f"minimum_budgets is {minimum_budgets}; a line through two budgets cannot be tested")
    if within is not None and not (np.isfinite(within) and within > 1):
        raise BadInput(f"within is {within:g}; a factor above 1 is needed, such as 4")
    for name, chosen, choices in (("method", method, get_args(Method)), ("resample", resample, get_args(Resample))):
        if chosen not in choices:
            raise BadInput(f"{name} is {chosen!r}; one of {', '.join(choices)} is needed")


def _fit_profile(
    bare: Profile, spent: Array, valley: Valley, bootstraps: int, level: float, random: np.random.Generator
) -> Profile:
    """The profile with its parabolas, or with the reason for its refusal."""
    if spent.max() > _ONE_BUDGET * spent.min():
        return replace(bare, reason=f"not one budget: its runs spent {spent.min():.3g} to {spent.max():.3g} FLOP")
    near, reason = valley.near(bare.parameters, bare.tokens, bare.loss)
    if reason:
        return replace(bare, reason=reason)
    parameters, tokens, loss = bare.parameters[near], bare.tokens[near], bare.loss[near]
    axes = Axis.of(parameters), Axis.of(tokens)
    found = [valley.minimum(axis, loss, unit) for axis, unit in zip(axes, ("parameters", "tokens"), strict=True)]
    fitted = {
        "fitted": near,
        "coefficients_n": found[0].coefficients,
        "coefficients_d": found[1].coefficients,
    }
    reason = found[0].reason or found[1].reason
    if reason:
        return replace(bare, reason=reason, **fitted)
    draws = valley.draws(axes, loss, bootstraps, random)
    vertex = np.array([found[0].ln_size, found[1].ln_size, found[0].loss])
    n_opt, d_opt = np.exp(vertex[:2])
    return replace(
        bare,
        **fitted,
        n_opt=percentile_interval(n_opt, np.exp(draws[:, 0]), level),
        d_opt=percentile_interval(d_opt, np.exp(draws[:, 1]), level),
        loss_opt=percentile_interval(vertex[2], draws[:, 2], level),
        used=True,
        vertex=vertex,
        lost_share=float(np.isnan(draws[:, 0]).mean()) if bootstraps else 0.0,
        draws=draws,
    )


def _through_vertices(
    profiles: tuple[Profile, ...],
    kappa: float,
    minimum_budgets: int,
    level: float,
    resample: Resample,
    notes: tuple[str, ...],
) -> ProfilesFit:
    """Power laws through the vertices of the used profiles, and the law of their minima."""
    used = [profile for profile in profiles if profile.used]
    lost_share = float(np.mean([profile.lost_share or 0.0 for profile in used])) if used else None
    common: dict[str, Any] = {
        "profiles": profiles,
        "flops_per_nd": kappa,
        "lost_share": lost_share,
        "resample": resample,
        "notes": (*notes, *lost_note(lost_share, "minimum inside the sizes tried")),
    }
    if len(used) < minimum_budgets:
        reason = f"{len(used)} of {len(profiles)} budgets usable; a law needs at least {minimum_budgets}"
        refused = [f"{profile.budget:.3g}: {profile.reason}" for profile in profiles if not profile.used]
        more = f"; and {len(refused) - 3} more" if len(refused) > 3 else ""
        reason += f" ({'; '.join(refused[:3])}{more})" if refused else ""
        return ProfilesFit(allocation=None, reason=reason, frontier=None, **common)
    compute = np.array([profile.compute for profile in used])
    if len(np.unique(compute)) < minimum_budgets:
        raise BadInput(f"flops: fewer than {minimum_budgets} distinct values over the usable budgets")
    point = np.array([profile.vertex for profile in used])
    draws = np.stack([profile.draws for profile in used], axis=1)
    every = np.concatenate([point[None], draws])
    lines = np.concatenate([_lines(np.log(compute), every[..., axis]) for axis in (0, 1)], axis=1)
    allocation = Allocation.from_lines(lines[0], lines[1:], level)
    frontier = fit_frontier(compute, point[:, 2], draws[..., 2], level)
    falls = bool(np.all(np.isfinite(frontier.point)))
    return ProfilesFit(allocation=allocation, reason=None, frontier=frontier if falls else None, **common)


def _lines(ln_c: Array, ln_size: Array) -> Array:
    """(ln k, exponent) through each row of `ln_size` [rows, budgets]; NaN with fewer than three vertices
    left."""
    known = np.isfinite(ln_size)
    intercept, slope = log_log_lines(ln_c, np.where(known, ln_size, 0.0), known.astype(float))
    enough = known.sum(1) >= 3
    return np.where(enough[:, None], np.stack([intercept, slope], axis=1), np.nan)


def _notes(runs: RunTable) -> tuple[str, ...]:
    """What a reader should know of the table before trusting the law."""
    assert runs.budget is not None
    notes = []
    if not 5 <= runs.flops_per_nd <= 7.2:
        notes.append(
            f"C/(N·D) has median {runs.flops_per_nd:.3g}, not 6: C is counted in another convention than 6·N·D"
        )
    spread = max(float(np.ptp(np.log(runs.flops[runs.budget == one]))) for one in np.unique(runs.budget))
    if spread > 0.1:
        notes.append(f"compute within one budget differs by up to {np.expm1(spread):.0%}")
    return tuple(notes)
