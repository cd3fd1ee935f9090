"""A published compute-optimal law, and the interval that its paper gives on what it says."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput
from hutch.scaling.columns import positive_values
from hutch.scaling.intervals import Interval
from hutch.scaling.laws import FLOPS_PER_ND, ParametricLaw, PowerLaw
from hutch.scaling.scalars import plain

P10_P90 = 0.8
"""What the interval between the 10th and the 90th percentile holds."""


@dataclass(frozen=True, kw_only=True)
class PublishedLaw:
    """N_opt = k_n·C^a and D_opt = k_d·C^b, C in FLOP.

    `a` and `b` go with `k_n` and `k_d`; the figures as printed, rounded to two digits and sometimes outside
    their own printed interval, are `a_printed` and `b_printed`. `a_low` … `b_high` are the 10th and 90th
    percentiles as printed. None where the source gives no figure. `loss_law` is the loss behind the optimum,
    where there is one. `secondary`: read in somebody's summary, not in the original.
    """

    name: str
    source: str
    a: float
    b: float
    k_n: float | None = None
    k_d: float | None = None
    a_printed: float | None = None
    b_printed: float | None = None
    a_low: float | None = None
    a_high: float | None = None
    b_low: float | None = None
    b_high: float | None = None
    budgets: tuple[float, float] | None = None
    """The smallest and largest FLOP of the runs behind the law."""
    loss_law: ParametricLaw | None = None
    secondary: bool = False
    note: str = ""
    interval_note: str = ""
    """What to know of the intervals, or why there are none."""

    @classmethod
    def of_loss_law(cls, law: ParametricLaw, **fields: Any) -> "PublishedLaw":
        """The optimum of a loss law in closed form, with the other fields as given."""
        k_n, k_d = law.n_opt(1.0, FLOPS_PER_ND), law.d_opt(1.0, FLOPS_PER_ND)
        return cls(a=law.a, b=law.b, k_n=k_n, k_d=k_d, loss_law=law, **fields)

    def n_opt(self, compute: ArrayLike) -> Any:
        """Parameters at `compute` FLOP; `BadInput` where only the exponent was published."""
        return self._law("k_n", self.k_n, self.a)(compute)

    def d_opt(self, compute: ArrayLike) -> Any:
        """Tokens at `compute` FLOP; `BadInput` where only the exponent was published."""
        return self._law("k_d", self.k_d, self.b)(compute)

    def n_opt_interval(self, compute: ArrayLike) -> Interval | None:
        """`n_opt` with the 80 % interval that the printed one of `a` implies; None where none was printed.

        Our reading: the papers print percentiles of the exponent alone and not its joint distribution with the
        coefficient, so the law is turned about the geometric middle of the study's budgets. The interval has no
        width there and widens with the distance in ln C; how well the level itself is known is not in it.
        """
        return self._interval(self.n_opt, compute, self.a, self.a_low, self.a_high)

    def d_opt_interval(self, compute: ArrayLike) -> Interval | None:
        """`d_opt` with its interval from the printed one of `b`, read as in `n_opt_interval`."""
        return self._interval(self.d_opt, compute, self.b, self.b_low, self.b_high)

    def _interval(
        self, optimum: Any, compute: ArrayLike, exponent: float, low: float | None, high: float | None
    ) -> Interval | None:
        if low is None or high is None or self.budgets is None:
            return None
        value = optimum(compute)
        ln_distance = np.log(positive_values("compute", compute) / math.sqrt(self.budgets[0] * self.budgets[1]))
        ends = [value * np.exp((end - exponent) * ln_distance) for end in (low, high)]
        return Interval(value, plain(np.minimum(*ends)), plain(np.maximum(*ends)), P10_P90)

    def _law(self, name: str, k: float | None, exponent: float) -> PowerLaw:
        if k is None:
            raise BadInput(f"{self.name}: {self.source} gives the exponent but no {name}")
        return PowerLaw(k, exponent)
