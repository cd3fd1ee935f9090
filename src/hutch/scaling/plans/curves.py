"""What the pictures of a plan draw: the loss over sizes at its compute, and the optimal size over compute."""

from dataclasses import dataclass

import numpy as np

from hutch.scaling.plans.figures import Drawn, Figure, through
from hutch.scaling.plans.law_choice import AllocationLaw, choose_law
from hutch.scaling.plans.loss_laws import LossLaw
from hutch.scaling.published import LAWS

_SPAN = 16.0
"""Sizes from the plan's over this to the plan's times this."""
_SIZES, _BUDGETS = 49, 33
_ROOM = 10.0
"""How far beyond the data and the plan the compute axis goes."""
_DEFAULT_RANGE = (1e18, 1e22)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A figure over an axis; `low` and `high` are None where there is no interval."""

    name: str
    x: tuple[float, ...]
    value: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    level: float | None


@dataclass(frozen=True, kw_only=True)
class Curves:
    """`valley`: loss against N at the N·D of the plan, None without a loss law. `allocation`: N_opt against C under
    the plan's law; `published`: the same under each published law but it. C is in the plan's law's own
    count throughout."""

    valley: Line | None
    allocation: Line
    published: tuple[Line, ...]


def curves_of(law: AllocationLaw, loss_law: LossLaw | None, compute: Drawn, parameters: Drawn, tokens: Drawn) -> Curves:
    """Everything that the figures need."""
    budgets = _budgets(law, compute.value)
    others = (choose_law(key) for key in LAWS if key != law.key)
    one = law.flops_of_training
    return Curves(
        valley=None if loss_law is None else _valley(loss_law, parameters, tokens),
        allocation=_allocation(law, budgets),
        published=tuple(_allocation(other, budgets, one) for other in others),
    )


def _budgets(law: AllocationLaw, compute: float) -> list[float]:
    low, high = law.compute_range or _DEFAULT_RANGE
    grid = np.geomspace(min(low, compute) / _ROOM, max(high, compute) * _ROOM, _BUDGETS)
    return sorted([*map(float, grid), compute])


def _allocation(law: AllocationLaw, budgets: list[float], flops_per_unit: float = 1.0) -> Line:
    """The law over budgets whose unit is `flops_per_unit` of its FLOP."""
    figures = []
    for budget in budgets:
        at = Drawn.given(budget * flops_per_unit)
        figures.append(law.figures(at, law.parameters(at), law.tokens(at))[0])
    return _line(law.name, budgets, figures)


def _valley(loss_law: LossLaw, parameters: Drawn, tokens: Drawn) -> Line:
    product = through(lambda n, d: n * d, parameters, tokens)
    sizes = parameters.value * np.geomspace(1 / _SPAN, _SPAN, _SIZES)
    figures = [loss_law.loss(Drawn.given(size), through(lambda nd, n=size: nd / n, product)).figure() for size in sizes]
    return _line(loss_law.name, [float(size) for size in sizes], figures)


def _line(name: str, x: list[float], figures: list[Figure]) -> Line:
    value, low, high = (tuple(getattr(figure, end) for figure in figures) for end in ("value", "low", "high"))
    return Line(name=name, x=tuple(x), value=value, low=low, high=high, level=figures[0].level)
