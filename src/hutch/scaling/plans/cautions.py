"""What a reader of a plan must know before trusting it: warnings, and what was assumed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hutch.scaling.intervals import LOST
from hutch.scaling.plans.alternatives import OtherSize
from hutch.scaling.plans.architectures import SIZE_TOLERANCE, ShapeChoice
from hutch.scaling.plans.cost import Hire
from hutch.scaling.plans.figures import Drawn, Figure, through
from hutch.scaling.plans.law_choice import AllocationLaw
from hutch.scaling.plans.limits import C4_ONLY, LimitedOptimum
from hutch.scaling.plans.loss_laws import LossLaw
from hutch.scaling.plans.request import PlanRequest

FAR = 3.0
"""Orders of magnitude beyond the law's data from which a plan says so."""
_APART = 0.1
_OTHER_COUNT = 0.02
"""How far κ may lie from 6 in silence."""
_FADED_EPOCHS = 16.0


@dataclass(frozen=True, kw_only=True)
class Caution:
    """A warning: its kind for programs, one line for people, and the number behind it."""

    kind: str
    message: str
    value: float | None = None


def extrapolation(law: AllocationLaw, compute: float) -> float | None:
    """Orders of magnitude from `compute` to the nearer end of the law's data, 0 inside; None where it is unknown."""
    if law.compute_range is None:
        return None
    return _outside(compute, law.compute_range)


def _outside(compute: float, covered: tuple[float, float]) -> float:
    return max(0.0, math.log10(covered[0] / compute), math.log10(compute / covered[1]))


def of_the_law(law: AllocationLaw, compute: Drawn, parameters: Drawn, tokens: Drawn) -> list[Caution]:
    """Far from the law's data; another count of compute than 6·N·D; draws that were lost on the way."""
    found = []
    orders = extrapolation(law, compute.value)
    if orders is not None and orders > FAR and law.compute_range is not None:
        low, high = law.compute_range
        found.append(
            Caution(
                kind="extrapolation",
                message=f"{_short(compute.value)} FLOP lie {orders:.1f} orders of magnitude outside the data behind "
                f"{law.name} ({_short(low)} to {_short(high)} FLOP, {law.compute_range_source})",
                value=orders,
            )
        )
    found += _of_the_count(law, compute, parameters, tokens)
    if compute.lost_share > LOST:
        found.append(
            Caution(
                kind="lost-draws",
                message=f"{compute.lost_share:.0%} of the law's draws never reach what was asked for, such as a loss "
                "below their floor: the intervals are too narrow, and their upper ends too low",
                value=compute.lost_share,
            )
        )
    return found


def _of_the_count(law: AllocationLaw, compute: Drawn, parameters: Drawn, tokens: Drawn) -> list[Caution]:
    """C is not 6·N·D: by the law's κ, or because its N and D do not spend its C."""
    real = compute.value * law.flops_of_training
    if abs(law.flops_of_training - 1) > _OTHER_COUNT:
        message = (
            f"{law.name} counts compute as {law.flops_per_nd:.3g}·N·D, not 6·N·D: {_short(compute.value)} FLOP are in "
            f"that count; hours, money and serving are those of 6·N·D, {_short(real)} FLOP"
        )
        return [Caution(kind="compute-convention", message=message, value=law.flops_per_nd)]
    ratio = 6 * parameters.value * tokens.value / real
    if abs(ratio - 1) <= _APART:
        return []
    why = f" ({law.note})" if law.note else ""
    message = (
        f"6·N·D of this plan is {ratio:.2f} times its {_short(compute.value)} FLOP: {law.name} counts "
        f"compute differently{why}; time and money are those of the {_short(compute.value)} FLOP"
    )
    return [Caution(kind="compute-convention", message=message, value=ratio)]


def of_the_loss_law(
    law: AllocationLaw, loss_law: LossLaw, compute: Drawn, parameters: Drawn, tokens: Drawn, rows: Sequence[OtherSize]
) -> list[Caution]:
    """The loss law is far from its own data, has its own optimum elsewhere, or counts parameters otherwise."""
    found = [*_of_its_data(law, loss_law, compute), *_of_its_optimum(law, loss_law, parameters, tokens, rows)]
    if (loss_law.key == "kaplan") != (law.counts == "non-embedding"):
        message = f"{loss_law.name} and {law.name} count parameters differently (with and without embeddings)"
        found.append(Caution(kind="count", message=message))
    return found


def _of_its_data(law: AllocationLaw, loss_law: LossLaw, compute: Drawn) -> list[Caution]:
    """Far from the data of the loss law, where they are not those of the law itself. In FLOP of training, 6·N·D."""
    if loss_law.compute_range is None:
        return []
    low, high = loss_law.compute_range
    theirs = [end * law.flops_of_training for end in law.compute_range or ()]
    if len(theirs) == 2 and math.isclose(low, theirs[0]) and math.isclose(high, theirs[1]):
        return []
    real = compute.value * law.flops_of_training
    orders = _outside(real, (low, high))
    if orders <= FAR:
        return []
    message = (
        f"{_short(real)} FLOP lie {orders:.1f} orders of magnitude outside the data behind {loss_law.name}, the loss "
        f"law ({_short(low)} to {_short(high)} FLOP): the losses are extrapolated"
    )
    return [Caution(kind="loss-extrapolation", message=message, value=orders)]


def _of_its_optimum(
    law: AllocationLaw, loss_law: LossLaw, parameters: Drawn, tokens: Drawn, rows: Sequence[OtherSize]
) -> list[Caution]:
    """The split is not the minimum of the loss law."""
    best = loss_law.best_size(through(lambda n, d: n * d, parameters, tokens)).value
    ratio = best / parameters.value
    if abs(ratio - 1) <= _APART:
        return []
    better = " and ".join(f"{row.factor:g}×" for row in rows if (row.difference.value or 0.0) < 0)
    shown = f"; at {better} the size the loss is lower than the plan's" if better else ""
    message = (
        f"the split of {law.name} is not the minimum of {loss_law.name}, the loss law, which has its own optimum at "
        f"{_short(best)} parameters here, {ratio:.2f} times the size of the plan{shown}"
    )
    return [Caution(kind="loss-law", message=message, value=ratio)]


def of_the_loss(loss: float, vocabulary: int) -> list[Caution]:
    """A loss that guessing evenly over the vocabulary would beat."""
    even = math.log(vocabulary)
    if loss <= even:
        return []
    message = (
        f"a loss of {loss:.4g} is worse than an even guess over {vocabulary:,} tokens, {even:.4g}: "
        "the loss law does not hold at this size"
    )
    return [Caution(kind="loss", message=message, value=loss)]


def of_the_shape(choice: ShapeChoice | str) -> list[Caution]:
    """No shape, or none within 1 % of the size."""
    if isinstance(choice, str):
        return [Caution(kind="shape", message=choice)]
    if abs(choice.size_error) <= SIZE_TOLERANCE:
        return []
    message = f"the nearest sensible shape is {choice.size_error:+.1%} off the optimal size"
    return [Caution(kind="shape", message=message, value=choice.size_error)]


def of_the_limit(found: LimitedOptimum) -> list[Caution]:
    """Where the constants come from, and many epochs."""
    if found.enough or found.epochs.value is None:
        return []
    cautions = [Caution(kind="repeated-data", message=C4_ONLY)]
    if found.epochs.value > _FADED_EPOCHS:
        message = f"{_short(found.epochs.value)} epochs: returns of repeated data fade around 16, and runs over-fit"
        cautions.append(Caution(kind="epochs", message=message, value=found.epochs.value))
    return cautions


def assumptions(law: AllocationLaw, hired: Hire, flops: Figure, request: PlanRequest) -> tuple[str, ...]:
    """What nobody said and the plan needs, in words."""
    lines = []
    if request.law is None:
        lines.append(f"law: {law.key}, whose loss law and allocation agree; --law chooses another")
    if request.mfu is None:
        lines.append(
            f"mfu: {hired.middle * 100:.0f} % of the device's peak, a usual figure for large runs, not a measurement"
        )
    if flops.low is not None and flops.high is not None and flops.level is None:
        low, high = (law.parameters(Drawn.given(end)).value for end in (flops.low, flops.high))
        lines.append(
            f"mfu of {hired.mfu[0]:g} to {hired.mfu[1]:g}: {_short(flops.low)} to {_short(flops.high)} FLOP, optimal "
            f"at {_short(low)} to {_short(high)} parameters; all other figures are those of {hired.middle:g}"
        )
    if request.device is None:
        lines.append(f"device: {hired.device.name}; --device chooses another")
    if request.price is None and hired.dollars_per_hour is not None:
        lines.append(f"price: ${hired.dollars_per_hour:.2f} an hour ({hired.device.source.split('price: ')[-1]})")
    if request.precision == "float32":
        lines.append("time and money take the device's 16-bit peak, which float32 does not reach")
    if law.fit is not None:
        lines.append("parameters: counted as in the table of the fit, taken here to include the embedding")
    lines.append("shape: tied embedding, feed-forward 4·d, norms and biases not counted")
    return tuple(lines)


def _short(value: float) -> str:
    """Three figures: `6.1e10`."""
    return f"{value:.3g}".replace("e+", "e")
