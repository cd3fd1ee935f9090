"""Any target as a budget: FLOP, device hours, dollars, tokens, parameters, or a loss to reach."""

import math
from typing import Any, Literal, get_args

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.columns import positive_number
from hutch.scaling.plans.cost import Hire
from hutch.scaling.plans.figures import Drawn, Figure, scaled, through
from hutch.scaling.plans.law_choice import AllocationLaw
from hutch.scaling.plans.loss_laws import FrontierLaw, LossLaw
from hutch.scaling.roots import falling_root

Target = Literal["flops", "gpu_hours", "dollars", "tokens", "parameters", "loss"]
TARGETS: tuple[Target, ...] = get_args(Target)

LARGEST = 1e60
"""FLOP beyond which no budget is looked for; far above anything that will be built."""


def the_target(given: dict[str, float | None]) -> tuple[Target, float]:
    """The one of `TARGETS` that is not None, and its value; `BadInput` for none, several, or a value not above 0."""
    named = [name for name in TARGETS if given.get(name) is not None]
    if len(named) != 1:
        raise BadInput(f"exactly one of {', '.join(TARGETS)} is needed, not {' and '.join(named) or 'none'}")
    return named[0], positive_number(named[0], given[named[0]])


def budget_of(
    target: Target, value: float, law: AllocationLaw, loss_law: LossLaw | FrontierLaw | str, hired: Hire
) -> tuple[Drawn, Figure]:
    """The budget in FLOP of the law's own count, with draws where the law has them, and as a figure (with the ends
    of a range of mfu). Hours and money buy FLOP of training, 6·N·D, of which the law counts κ/6."""
    if target in ("gpu_hours", "dollars"):
        hours = value if target == "gpu_hours" else hired.hours_of_dollars(value)
        figure = scaled(hired.compute_of_hours(hours), 1 / law.flops_of_training)
        assert figure.value is not None
        return Drawn.following(figure.value), figure
    compute = _budget(target, value, law, loss_law)
    return compute, compute.figure()


def _budget(target: Target, value: float, law: AllocationLaw, loss_law: LossLaw | FrontierLaw | str) -> Drawn:
    if target == "flops":
        return Drawn.given(value)
    if target == "tokens":
        return law.compute_for_tokens(Drawn.given(value))
    if target == "parameters":
        return law.compute_for_parameters(Drawn.given(value))
    if isinstance(loss_law, str):
        raise BadInput(f"a loss cannot be aimed at: {loss_law}")
    return compute_for_loss(value, law, loss_law)


def compute_for_loss(loss: float, law: AllocationLaw, loss_law: LossLaw | FrontierLaw) -> Drawn:
    """The FLOP at which the law's own allocation reaches `loss`; draws that never reach it are lost.

    `BadInput` for a loss at or below the floor E, with both numbers, and for one beyond 1e60 FLOP or below 1.
    """
    gap = loss_law.floor - loss
    if gap >= 0:
        raise BadInput(
            f"a loss of {loss:.10g} cannot be reached: it lies {gap:.4g} nats per token below {loss_law.floor:.4f}, "
            f"the loss E that {loss_law.name} leaves to a model without limits"
            if gap > 0
            else f"a loss of {loss:.10g} cannot be reached: it is the loss E that {loss_law.name} leaves at any compute"
        )
    compute = reaching(Drawn.given(loss), law, loss_law)
    if not math.isfinite(compute.value) or not 1 < compute.value < LARGEST:
        side = "less than 1" if _loss_at(1.0, law, loss_law) <= loss else f"more than {LARGEST:g}"
        raise BadInput(f"a loss of {loss:.10g} takes {side} FLOP under {loss_law.name}; no plan can be made of that")
    return compute


def reaching(loss: Drawn, law: AllocationLaw, loss_law: LossLaw | FrontierLaw) -> Drawn:
    """FLOP at which the law's allocation has `loss`, NaN where it has it nowhere from 1 to 1e60 FLOP."""
    if isinstance(loss_law, FrontierLaw):
        return loss_law.compute_for(loss)
    power = loss_law.power

    def solve(target: Any, ln_n: Any, a: Any, ln_d: Any, b: Any, E: Any, A: Any, B: Any, alpha: Any, beta: Any) -> Any:
        inner = np.asarray(target) ** (1 / power)

        def excess(ln_c: Any) -> Any:
            return E + A * np.exp(-alpha * (ln_n + a * ln_c)) + B * np.exp(-beta * (ln_d + b * ln_c)) - inner

        low, high = np.zeros_like(inner), np.full_like(inner, math.log(LARGEST))
        inside = (excess(low) > 0) & (excess(high) < 0)
        return np.where(inside, np.exp(falling_root(excess, low, high)), np.nan)

    return through(solve, loss, *law.lines, *loss_law.constants)


def _loss_at(compute: float, law: AllocationLaw, loss_law: LossLaw | FrontierLaw) -> float:
    budget = Drawn.given(compute)
    if isinstance(loss_law, FrontierLaw):
        return loss_law.lowest(budget).value
    return loss_law.loss(law.parameters(budget), law.tokens(budget)).value
