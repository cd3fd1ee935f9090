"""The law that splits a budget: a published one by key, or a fit from a file."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array
from hutch.scaling.fits.allocation import Allocates
from hutch.scaling.fits.envelope import EnvelopeFit
from hutch.scaling.fits.parametric_fit import ParametricFit
from hutch.scaling.fits.profiles import ProfilesFit
from hutch.scaling.intervals import Interval
from hutch.scaling.laws import FLOPS_PER_ND
from hutch.scaling.plans.architectures import Count
from hutch.scaling.plans.figures import Drawn, Figure, through
from hutch.scaling.published import LAWS
from hutch.scaling.published_law import PublishedLaw

DEFAULT_LAW = "besiroglu"
"""Because one law answers everything: its loss law is its allocation, so that a plan's size is the minimum of its own
losses. It agrees with Hoffmann's approaches 1 and 2 and with Chinchilla as built (about 20 tokens a parameter), which
Hoffmann's approach 3 does not; approaches 1 and 2 give no loss."""

AT_A_BUDGET = "the published interval is one at a given compute"

_RANGES: dict[str, tuple[tuple[float, float], str]] = {
    "llama3": ((6e18, 1e22), "isoFLOP budgets of §3.2.1"),
    "kaplan": ((6e14, 1.2e21), "6·N·D of 768 to 1.5e9 parameters on 1.3e11 tokens, the ends of the sweep (§2.2, §3)"),
}
"""Budgets behind a law whose `PublishedLaw.budgets` is None."""


_APPROACHES: dict[type[Allocates], str] = {
    EnvelopeFit: "approach 1",
    ProfilesFit: "approach 2",
    ParametricFit: "approach 3",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class AllocationLaw:
    """N_opt = k_n·C^a and D_opt = k_d·C^b, with draws where it was fitted here."""

    key: str
    """The key of a published law, or the path of the file."""
    name: str
    source: str
    note: str
    lines: tuple[Drawn, Drawn, Drawn, Drawn] = field(repr=False)
    """ln k_n, a, ln k_d, b; draw i of each belongs to the same resample."""
    flops_per_nd: float
    """κ in κ·N·D = C: the count that the law's C is in. Time, money and serving are of 6·N·D, whatever κ."""
    counts: Count
    """Which parameters N counts."""
    compute_range: tuple[float, float] | None
    """FLOP of the runs behind the law, in its own count."""
    compute_range_source: str
    interval_note: str
    published: PublishedLaw | None = field(default=None, repr=False)
    fit: Allocates | None = field(default=None, repr=False)

    @property
    def flops_of_training(self) -> float:
        """What one FLOP of the law's own count is in FLOP of training, 6·N·D."""
        return FLOPS_PER_ND / self.flops_per_nd

    @property
    def drawn(self) -> bool:
        """Whether figures get their intervals from draws."""
        return len(self.lines[0].draws) > 0

    def parameters(self, compute: Drawn) -> Drawn:
        """N_opt at `compute` FLOP."""
        return through(_power, self.lines[0], self.lines[1], compute)

    def tokens(self, compute: Drawn) -> Drawn:
        """D_opt at `compute` FLOP."""
        return through(_power, self.lines[2], self.lines[3], compute)

    def compute_for_parameters(self, size: Drawn) -> Drawn:
        """The FLOP at which `size` parameters are optimal."""
        return through(_inverse, self.lines[0], self.lines[1], size)

    def compute_for_tokens(self, tokens: Drawn) -> Drawn:
        """The FLOP at which `tokens` tokens are optimal."""
        return through(_inverse, self.lines[2], self.lines[3], tokens)

    def figures(self, compute: Drawn, parameters: Drawn, tokens: Drawn) -> tuple[Figure, Figure, Figure]:
        """N, D and D/N with their intervals: from the draws, or as the paper's printed exponents imply.

        A published interval of D/N is that of N carried along equal compute, where D/N goes as N^−2.
        """
        ratio = through(lambda n, d: d / n, parameters, tokens)
        if self.published is None or not compute.exact:
            return parameters.figure(), tokens.figure(), ratio.figure()
        if beside := self._beside():
            bare = (Figure(value=figure.value, reason=beside) for figure in (parameters, tokens, ratio))
            return tuple(bare)  # type: ignore[return-value]
        n, d = self.published.n_opt_interval(compute.value), self.published.d_opt_interval(compute.value)
        if n is None or d is None:
            return parameters.figure(), tokens.figure(), ratio.figure()
        low, high = (ratio.value * (n.value / end) ** 2 for end in (n.high, n.low))
        found = (n, d, Interval(ratio.value, low, high, n.level))
        return tuple(Figure.of(interval, self.interval_note) for interval in found)  # type: ignore[return-value]

    def as_dict(self) -> dict[str, Any]:
        """What the document says of the law: source, exponents and coefficients, the range of its data."""
        names = (
            "key", "name", "source", "note", "flops_per_nd", "counts", "compute_range", "compute_range_source",
            "interval_note",
        )  # fmt: skip
        k_n, k_d = (through(np.exp, self.lines[at]).figure() for at in (0, 2))
        exponents = {"a": self.exponent("a"), "b": self.exponent("b"), "k_n": k_n, "k_d": k_d}
        return {name: getattr(self, name) for name in names} | exponents

    def exponent(self, name: str) -> Figure:
        """a or b with its interval, the printed one where the law is published."""
        line = self.lines[1 if name == "a" else 3]
        if self.published is None:
            return line.figure()
        low, high = (getattr(self.published, f"{name}_{end}") for end in ("low", "high"))
        if low is None:
            return Figure(value=line.value, reason=self.interval_note)
        if beside := self._beside():
            return Figure(value=line.value, reason=beside)
        return Figure(value=line.value, low=low, high=high, level=0.8, reason="the printed interval of the exponent")

    def _beside(self) -> str | None:
        """Why the printed intervals are not shown where they do not hold the law's own exponents."""
        for name in ("a", "b"):
            value, low, high = (getattr(self.published, f"{name}{end}", None) for end in ("", "_low", "_high"))
            if value is not None and low is not None and high is not None and not low <= value <= high:
                return f"the printed interval lies beside the law: {name} of {low:g} to {high:g}, and not {value:.4f}"
        return None


def choose_law(choice: str) -> AllocationLaw:
    """The law of a key of `published.LAWS`, or of a file saved by `hutch fit`; `BadInput` lists the choices."""
    key = choice.lower()
    return published_law(key) if key in LAWS else _fitted(choice)


def published_law(key: str) -> AllocationLaw:
    """A law of `published.LAWS`."""
    law = LAWS[key]
    why = AT_A_BUDGET if law.a_low is not None else law.interval_note
    # In logs at 1 FLOP, where N_opt is k_n and D_opt is k_d.
    lines = (float(np.log(law.n_opt(1.0))), law.a, float(np.log(law.d_opt(1.0))), law.b)
    budgets, source = data_of(key)
    ln_k_n, a, ln_k_d, b = (Drawn(value=value, reason=why) for value in lines)
    return AllocationLaw(
        key=key,
        name=law.name,
        source=law.source,
        note=law.note,
        lines=(ln_k_n, a, ln_k_d, b),
        flops_per_nd=FLOPS_PER_ND,
        counts="non-embedding" if key == "kaplan" else "all",
        compute_range=budgets,
        compute_range_source=source,
        interval_note=law.interval_note,
        published=law,
    )


def data_of(key: str) -> tuple[tuple[float, float] | None, str]:
    """Smallest and largest FLOP, 6·N·D, of the runs behind a published law, and where that is read."""
    return _RANGES.get(key) or (LAWS[key].budgets, "isoFLOP budgets of §3.2")


def read_fit(choice: str, what: str, choices: str) -> Allocates:
    """The fit in the file `choice`; `BadInput` where it is neither a file nor, as `choices` lists, a key."""
    if not Path(choice).is_file():
        raise BadInput(
            f"there is no {what} {choice!r}: choose one of {choices}, or give a file written by hutch fit --save"
        )
    from hutch.scaling.fits.saved import load_fit

    return load_fit(Path(choice))


def _fitted(choice: str) -> AllocationLaw:
    fit = read_fit(choice, "law", ", ".join(LAWS))
    allocation = fit.allocation
    if allocation is None:
        raise BadInput(f"{choice} holds a fit without a compute-optimal law: {fit.reason}")
    why = "the fit was made without bootstraps"
    ln_k_n, a, ln_k_d, b = (
        Drawn(value=float(value), draws=draws, level=allocation.level)
        if len(draws)
        else Drawn(value=float(value), reason=why)
        for value, draws in zip(allocation.lines, allocation.draws.T, strict=True)
    )
    approach = _APPROACHES[type(fit)]
    return AllocationLaw(
        key=choice,
        name=f"{Path(choice).name}, {approach}",
        source=f"{choice}, fitted by {approach} of Hoffmann et al. 2022 (arXiv:2203.15556)",
        note="; ".join(getattr(fit, "notes", ())),
        lines=(ln_k_n, a, ln_k_d, b),
        flops_per_nd=fit.flops_per_nd,
        counts="all",
        compute_range=range_of(compute_of(fit)),
        compute_range_source="runs of the fit",
        interval_note="percentiles of the fit's draws" if len(allocation.draws) else why,
        fit=fit,
    )


def compute_of(fit: Allocates) -> Array:
    """FLOP, in the fit's own count, of the runs, profiles or points that the law rests on."""
    if isinstance(fit, ParametricFit):
        return fit.compute
    if isinstance(fit, ProfilesFit):
        return np.array([profile.compute for profile in fit.used])
    return fit.flops[fit.used] if isinstance(fit, EnvelopeFit) else np.empty(0)


def range_of(compute: Array) -> tuple[float, float] | None:
    return (float(compute.min()), float(compute.max())) if len(compute) else None


def _power(ln_k: Any, exponent: Any, compute: Any) -> Any:
    return np.exp(ln_k + exponent * np.log(compute))


def _inverse(ln_k: Any, exponent: Any, size: Any) -> Any:
    return np.exp((np.log(size) - ln_k) / exponent)
