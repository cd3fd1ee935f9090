"""A table of finished runs: what every fit takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, positive_columns, positive_number
from hutch.scaling.curves import Curve
from hutch.scaling.laws import FLOPS_PER_ND

SAME_BUDGET = 0.1
"""Runs whose FLOPs differ by less, neighbour to neighbour, are taken for one budget."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RunTable:
    """One row a run: N parameters, D tokens seen, C training FLOP and the final loss, each [rows] and float64.

    `budget` is the FLOP of the isoFLOP profile that a run belongs to, NaN for a run of none; None where the
    table does not say. `curves` are the training curves, one a run, where they are known. `lines` are the rows'
    numbers where they come from, for messages.
    """

    parameters: Array
    tokens: Array
    flops: Array
    loss: Array
    budget: Array | None = None
    curves: tuple[Curve, ...] | None = None
    lines: Array = field(repr=False)

    @classmethod
    def of(
        cls,
        *,
        loss: ArrayLike,
        parameters: ArrayLike | None = None,
        tokens: ArrayLike | None = None,
        flops: ArrayLike | None = None,
        budget: ArrayLike | None = None,
        curves: Sequence[Curve] | None = None,
        lines: ArrayLike | None = None,
        flops_per_nd: float = FLOPS_PER_ND,
    ) -> "RunTable":
        """From two or three of parameters, tokens and flops; a missing third follows from κ·N·D = C.

        `BadInput` names the column and row of a value that is missing, not finite or not above 0.
        """
        given = {"parameters": parameters, "tokens": tokens, "flops": flops}
        known = {name: column for name, column in given.items() if column is not None}
        if len(known) < 2:
            raise BadInput(f"two of parameters, tokens and flops are needed, not {' and '.join(known) or 'none'}")
        columns: dict[str, Array] = dict(
            zip(("loss", *known), positive_columns(loss=loss, **known), strict=True)  # type: ignore[arg-type]
        )
        kappa = positive_number("flops_per_nd", flops_per_nd)
        if tokens is None:
            columns["tokens"] = columns["flops"] / (kappa * columns["parameters"])
        elif parameters is None:
            columns["parameters"] = columns["flops"] / (kappa * columns["tokens"])
        elif flops is None:
            columns["flops"] = kappa * columns["parameters"] * columns["tokens"]
        rows = len(columns["loss"])
        return cls(
            **columns,
            budget=None if budget is None else _budgets(budget, rows),
            curves=None if curves is None else tuple(curves),
            lines=np.arange(1, rows + 1, dtype=float) if lines is None else np.asarray(lines, float),
        )

    def __len__(self) -> int:
        return len(self.loss)

    @property
    def flops_per_nd(self) -> float:
        """κ in C = κ·N·D: the median over the runs; 6 exactly where it is 6 but for rounding."""
        median = float(np.median(self.flops / (self.parameters * self.tokens)))
        return FLOPS_PER_ND if abs(median / FLOPS_PER_ND - 1) < 1e-6 else median

    def select(self, rows: Any) -> "RunTable":
        """The rows of a mask or of indices."""
        picked = np.arange(len(self))[rows]
        return replace(
            self,
            **{name: getattr(self, name)[picked] for name in ("parameters", "tokens", "flops", "loss", "lines")},
            budget=None if self.budget is None else self.budget[picked],
            curves=None if self.curves is None else tuple(self.curves[i] for i in picked),
        )

    def with_budgets(self, tolerance: float = SAME_BUDGET) -> "RunTable":
        """Itself where budgets are known, else with the FLOPs grouped into budgets.

        Sorted by FLOPs, a run belongs to the budget of the run before it when it spent at most `tolerance` more;
        a budget is the geometric mean of its runs' FLOPs (their common value where they are equal).
        """
        if self.budget is not None:
            return self
        order = np.argsort(self.flops, kind="stable")
        ln_c = np.log(self.flops[order])
        group = np.concatenate([[0], np.cumsum(np.diff(ln_c) > np.log1p(tolerance))])
        budget = np.empty(len(self))
        for one in np.unique(group):
            members = order[group == one]
            spent = self.flops[members]
            budget[members] = spent[0] if np.ptp(spent) == 0 else np.exp(np.log(spent).mean())
        return replace(self, budget=budget)


def _budgets(budget: ArrayLike, rows: int) -> Array:
    """Positive, or NaN for a run of no profile."""
    array = np.asarray(budget, dtype=np.float64)
    if array.shape != (rows,):
        raise BadInput(f"budget has shape {array.shape}; one value for each of {rows} runs is needed")
    bad = np.flatnonzero(~(np.isnan(array) | (np.isfinite(array) & (array > 0))))
    if bad.size:
        raise BadInput(f"budget, row {int(bad[0])}: {array[bad[0]]:g} is not a finite number above 0")
    return array
