"""How a budget is split: N_opt = k_n·C^a and D_opt = k_d·C^b with bootstrap draws; what all three
approaches give."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, positive_values
from hutch.scaling.comparing import ComparesArrays
from hutch.scaling.intervals import Interval, percentile_interval


@dataclass(frozen=True, eq=False)
class Allocation(ComparesArrays):
    """The two power laws, their intervals, and the draws behind them.

    `lines` is (ln k_n, a, ln k_d, b); `draws` [bootstraps, 4] the same for each draw, NaN where lost.
    """

    a: Interval
    b: Interval
    k_n: Interval
    k_d: Interval
    level: float
    lines: Array = field(repr=False)
    draws: Array = field(repr=False)

    @classmethod
    def from_lines(cls, lines: Array, draws: Array, level: float) -> "Allocation":
        """Intervals are percentiles of the draws."""
        with np.errstate(over="ignore"):
            k_n, k_d = (
                percentile_interval(np.exp(lines[column]), np.exp(draws[:, column]), level) for column in (0, 2)
            )
        a, b = (percentile_interval(lines[column], draws[:, column], level) for column in (1, 3))
        return cls(a=a, b=b, k_n=k_n, k_d=k_d, level=level, lines=lines, draws=draws)

    def n_opt(self, compute: ArrayLike) -> Interval:
        """Parameters at `compute` FLOP: one interval for a scalar, a band for an array."""
        return self._band(compute, 0)

    def d_opt(self, compute: ArrayLike) -> Interval:
        """Tokens at `compute` FLOP: one interval for a scalar, a band for an array."""
        return self._band(compute, 2)

    def _band(self, compute: ArrayLike, column: int) -> Interval:
        ln_c = np.log(positive_values("compute", compute))
        shape = (-1, *(1,) * ln_c.ndim)
        with np.errstate(over="ignore"):
            value = np.exp(self.lines[column] + self.lines[column + 1] * ln_c)
            draws = np.exp(self.draws[:, column].reshape(shape) + self.draws[:, column + 1].reshape(shape) * ln_c)
        return percentile_interval(value, draws, self.level)


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """The best split of a budget: parameters, tokens, and the loss where the fit knows it."""

    parameters: Interval
    tokens: Interval
    loss: Interval | None

    def as_dict(self) -> dict[str, Any]:
        """{"parameters", "tokens", "loss"}."""
        loss = self.loss.as_dict() if self.loss else None
        return {"parameters": self.parameters.as_dict(), "tokens": self.tokens.as_dict(), "loss": loss}


@dataclass(frozen=True, kw_only=True, eq=False)
class Allocates(ComparesArrays):
    """The face that the three approaches share. Where the data give no law, `allocation` is None, the
    exponents are None, and `reason` says why."""

    allocation: Allocation | None
    reason: str | None
    flops_per_nd: float
    """κ in κ·N·D = C: the count of FLOPs that the law's C is in."""

    @property
    def a(self) -> Interval | None:
        """Exponent of N_opt ∝ C^a."""
        return self.allocation.a if self.allocation else None

    @property
    def b(self) -> Interval | None:
        """Exponent of D_opt ∝ C^b."""
        return self.allocation.b if self.allocation else None

    @property
    def k_n(self) -> Interval | None:
        """Coefficient of N_opt = k_n·C^a."""
        return self.allocation.k_n if self.allocation else None

    @property
    def k_d(self) -> Interval | None:
        """Coefficient of D_opt = k_d·C^b."""
        return self.allocation.k_d if self.allocation else None

    def n_opt(self, compute: ArrayLike) -> Interval:
        """Parameters at `compute` FLOP, with interval or band; `BadInput` where there is no law."""
        return self._law().n_opt(compute)

    def d_opt(self, compute: ArrayLike) -> Interval:
        """Tokens at `compute` FLOP, with interval or band; `BadInput` where there is no law."""
        return self._law().d_opt(compute)

    def optimal(self, compute: ArrayLike) -> Optimum:
        """Parameters, tokens and, where the approach knows it, the loss at the optimum of `compute` FLOP."""
        return Optimum(parameters=self.n_opt(compute), tokens=self.d_opt(compute), loss=None)

    def _law(self) -> Allocation:
        if self.allocation is None:
            raise BadInput(f"no compute-optimal law to evaluate: {self.reason}")
        return self.allocation

    def allocation_dict(self) -> dict[str, Any]:
        """The shared part of `as_dict`: the intervals "a", "b", "k_n", "k_d", None without a law, and "reason"."""
        intervals = {name: getattr(self, name) for name in ("a", "b", "k_n", "k_d")}
        known = {name: found.as_dict() if found else None for name, found in intervals.items()}
        return known | {"reason": self.reason}
