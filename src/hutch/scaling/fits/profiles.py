"""Approach 2: isoFLOP profiles. A parabola of loss against ln size at each budget, then power laws through
the vertices (Hoffmann et al. 2022, §3.2), with a bootstrap over the runs of each budget."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs import seeds
from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, check_bootstrap, positive_columns
from hutch.scaling.fits.allocation import Allocates, Allocation
from hutch.scaling.fits.frontier import Frontier, fit_frontier
from hutch.scaling.fits.parabolas import Axis, fit_parabolas, residual_losses, student_multipliers, vertices
from hutch.scaling.intervals import Interval, json_numbers, lost_note, percentile_interval
from hutch.scaling.laws import log_log_lines

Resample = Literal["residuals", "pairs"]
MINIMUM_BUDGETS = 3


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One budget: its runs, sorted by size, and its parabola.

    `compute` is the C at which the vertex enters the law. Coefficients are of 1, ln size, (ln size)², None
    where no parabola could be fitted. The optimum is None unless `used`; `reason` says why it was refused.
    `lost_share` is the share of bootstrap draws without an interior minimum.
    """

    budget: float
    compute: float
    parameters: Array
    tokens: Array
    loss: Array
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
        optima = {name: getattr(self, name) for name in ("n_opt", "d_opt", "loss_opt")}
        plain |= {name: optimum.as_dict() if optimum else None for name, optimum in optima.items()}
        return plain | {"used": self.used, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class ProfilesFit(Allocates):
    """What approach 2 found. Beside the shared `a`, `b`, `k_n`, `k_d`, `n_opt(C)`, `d_opt(C)`: `loss_opt(C)`
    from `frontier`. With fewer than 3 usable budgets the laws are None and `reason` says so.

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

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: "profiles", the intervals "a", "b", "k_n", "k_d", "reason", "frontier", "lost_share",
        "resample", "notes"."""
        return {
            "profiles": [profile.as_dict() for profile in self.profiles],
            **self.allocation_dict(),
            "frontier": self.frontier.as_dict() if self.frontier else None,
            "lost_share": json_numbers(self.lost_share),
            "resample": self.resample,
            "notes": list(self.notes),
        }


def fit_profiles(
    budget: ArrayLike,
    parameters: ArrayLike,
    tokens: ArrayLike,
    loss: ArrayLike,
    *,
    compute: ArrayLike | None = None,
    bootstraps: int = 1000,
    level: float = 0.8,
    seed: int = 0,
    minimum_points: int = 4,
    resample: Resample = "residuals",
) -> ProfilesFit:
    """Approach 2 on a table of runs, one row a run; losses in nats per token.

    Rows with equal `budget` (FLOP) form a profile. `compute` is what each run really spent; where given, its
    geometric mean over the profile is the C of the law, else the budget is.

    Refused, with a reason, and left out of the law: a profile of fewer than `minimum_points` runs or three
    sizes, a parabola that opens downward, a minimum at or beyond the edge of the sizes tried.

    Intervals: "residuals" is a wild bootstrap of the parabola's leverage-corrected residuals within each
    budget. It is the default because a plain resample ("pairs") of five to seven runs often holds fewer
    than three sizes, or an edge minimum. Either covers the noise of the runs, not the bias of a parabola on
    a lopsided valley, which shifts k_n (and a, where the centring of the grids drifts; arXiv:2603.22339).
    A Student factor in each draw allows for noise known from two to four residuals: on simulated sweeps the
    80 % interval of one vertex holds the truth 65 to 80 % of the time (five to ten runs a budget), that of
    the exponent 80 to 90 % and that of the extrapolated loss 83 to 90 %.

    `BadInput` for columns that do not fit together, or a value that is not finite and positive.
    """
    budget, parameters, tokens, loss = positive_columns(budget=budget, parameters=parameters, tokens=tokens, loss=loss)
    spent = budget if compute is None else positive_columns(budget=budget, compute=compute)[1]
    check_bootstrap(bootstraps, level)
    if minimum_points < 4:
        raise BadInput(f"minimum_points is {minimum_points}; a parabola needs at least 4 runs to be tested")
    if resample not in get_args(Resample):
        raise BadInput(f"resample is {resample!r}; one of {', '.join(get_args(Resample))} is needed")
    profiles = []
    for one in np.unique(budget):
        rows = np.flatnonzero(budget == one)
        rows = rows[np.argsort(parameters[rows], kind="stable")]
        bare = Profile(
            budget=float(one),
            # One budget exactly, not its rounded logarithm.
            compute=float(one) if compute is None else float(np.exp(np.log(spent[rows]).mean())),
            parameters=parameters[rows],
            tokens=tokens[rows],
            loss=loss[rows],
        )
        random = seeds.generator(seed, "profiles", repr(float(one)))
        profiles.append(_fit_profile(bare, minimum_points, bootstraps, level, resample, random))
    return _through_vertices(tuple(profiles), level, resample, _notes(spent, parameters, tokens, budget))


def _fit_profile(
    bare: Profile,
    minimum_points: int,
    bootstraps: int,
    level: float,
    resample: Resample,
    random: np.random.Generator,
) -> Profile:
    """The profile with its parabolas, or with the reason for its refusal."""
    runs = len(bare.loss)
    if runs < minimum_points:
        return replace(bare, reason=f"{runs} runs; at least {minimum_points} are needed")
    if min(len(np.unique(bare.parameters)), len(np.unique(bare.tokens))) < 3:
        return replace(bare, reason="fewer than three distinct sizes; a parabola needs three")
    axes = Axis.of(bare.parameters), Axis.of(bare.tokens)
    fits = [fit_parabolas(axis.z, bare.loss[None])[0] for axis in axes]
    fitted = {
        "coefficients_n": axes[0].in_logs(fits[0]),
        "coefficients_d": axes[1].in_logs(fits[1]),
    }
    reason = _refusal(axes[0], fits[0], "parameters") or _refusal(axes[1], fits[1], "tokens")
    if reason:
        return replace(bare, reason=reason, **fitted)
    draws = _draw_vertices(axes, bare.loss, bootstraps, resample, random)
    (z_n, loss_opt), (z_d, _) = (vertices(fit[None]) for fit in fits)
    n_opt, d_opt = axes[0].sizes(z_n)[0], axes[1].sizes(z_d)[0]
    return replace(
        bare,
        **fitted,
        n_opt=percentile_interval(n_opt, np.exp(draws[:, 0]), level),
        d_opt=percentile_interval(d_opt, np.exp(draws[:, 1]), level),
        loss_opt=percentile_interval(loss_opt[0], draws[:, 2], level),
        used=True,
        vertex=np.array([np.log(n_opt), np.log(d_opt), loss_opt[0]]),
        lost_share=float(np.isnan(draws[:, 0]).mean()) if bootstraps else 0.0,
        draws=draws,
    )


def _refusal(axis: Axis, coefficients: Array, unit: str) -> str | None:
    """Why this parabola has no interior minimum, or None."""
    constant, slope, curvature = coefficients
    if curvature <= 0:
        return f"the parabola in {unit} opens downward: no minimum"
    vertex = -slope / (2 * curvature)
    if abs(vertex) < 1:
        least = constant + slope * vertex / 2
        return None if least > 0 else f"the parabola in {unit} has its minimum at a loss of {least:.3g}"
    at = float(np.exp(np.clip(axis.centre + axis.half * vertex, -700, 700)))
    return (
        f"minimum at {at:.3g} {unit}, at or beyond the edge of the sizes tried "
        f"({axis.size.min():.3g} to {axis.size.max():.3g})"
    )


def _draw_vertices(
    axes: tuple[Axis, Axis], loss: Array, bootstraps: int, resample: Resample, random: np.random.Generator
) -> Array:
    """ln N, ln D and loss at the vertex in each draw, [bootstraps, 3]; a draw lost in one axis is lost in
    all."""
    runs = len(loss)
    if resample == "pairs":
        weights = random.multinomial(runs, np.full(runs, 1 / runs), size=bootstraps).astype(float)
        repeated = np.broadcast_to(loss, (bootstraps, runs))
        fits = [fit_parabolas(axis.z, repeated, weights) for axis in axes]
    else:
        multipliers = student_multipliers(random, (bootstraps, runs))
        fits = [fit_parabolas(axis.z, residual_losses(axis.z, loss, multipliers)) for axis in axes]
    (z_n, loss_opt), (z_d, _) = (vertices(fit) for fit in fits)
    draws = np.stack([axes[0].centre + axes[0].half * z_n, axes[1].centre + axes[1].half * z_d, loss_opt], axis=1)
    draws[np.isnan(draws).any(1)] = np.nan
    return draws


def _through_vertices(
    profiles: tuple[Profile, ...], level: float, resample: Resample, notes: tuple[str, ...]
) -> ProfilesFit:
    """Power laws through the vertices of the used profiles, and the law of their minima."""
    used = [profile for profile in profiles if profile.used]
    lost_share = float(np.mean([profile.lost_share or 0.0 for profile in used])) if used else None
    common: dict[str, Any] = {
        "profiles": profiles,
        "lost_share": lost_share,
        "resample": resample,
        "notes": (*notes, *lost_note(lost_share, "minimum inside the sizes tried")),
    }
    if len(used) < MINIMUM_BUDGETS:
        reason = f"{len(used)} of {len(profiles)} budgets usable; a law needs at least {MINIMUM_BUDGETS}"
        return ProfilesFit(allocation=None, reason=reason, frontier=None, **common)
    compute = np.array([profile.compute for profile in used])
    if len(np.unique(compute)) < MINIMUM_BUDGETS:
        raise BadInput("compute: fewer than three distinct values over the usable budgets")
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
    enough = known.sum(1) >= MINIMUM_BUDGETS
    return np.where(enough[:, None], np.stack([intercept, slope], axis=1), np.nan)


def _notes(compute: Array, parameters: Array, tokens: Array, budget: Array) -> tuple[str, ...]:
    """What a reader should know of the table before trusting the law."""
    notes = []
    ratio = float(np.median(compute / (parameters * tokens)))
    if not 5 <= ratio <= 7.2:
        notes.append(f"C/(N·D) has median {ratio:.3g}, not 6: C is counted in another convention than 6·N·D")
    spread = max(float(np.ptp(np.log(compute[budget == one]))) for one in np.unique(budget))
    if spread > 0.1:
        notes.append(f"compute within one budget differs by up to {np.expm1(spread):.0%}")
    return tuple(notes)
