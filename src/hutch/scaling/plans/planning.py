"""From one target to a training run that can be started: `plan(PlanRequest(flops=5.76e23))`."""

from hutch.runs.errors import BadInput
from hutch.scaling.flops import flops_6nd
from hutch.scaling.plans import cautions
from hutch.scaling.plans.alternatives import OtherSize, other_sizes, tenfold
from hutch.scaling.plans.architectures import ShapeChoice, choose_shape
from hutch.scaling.plans.cautions import Caution
from hutch.scaling.plans.cost import cost_of
from hutch.scaling.plans.curves import curves_of
from hutch.scaling.plans.document import Absent, Plan, TrainingCount
from hutch.scaling.plans.figures import Figure
from hutch.scaling.plans.hyperparameters import Suggestion, suggestions
from hutch.scaling.plans.limits import LimitedOptimum, ServedOptimum, limited, served
from hutch.scaling.plans.loss_laws import LossLaw
from hutch.scaling.plans.memory import Memory, memory_of
from hutch.scaling.plans.optimum import Optimum, optimum_of
from hutch.scaling.plans.request import PlanRequest


def plan(request: PlanRequest) -> Plan:
    """The plan of a request. `BadInput` for no target or several, for bad numbers, an unknown law or device, a file
    that holds no fit, a loss that no model reaches, and a budget too small for a thousand parameters and tokens."""
    best = optimum_of(request)
    shape = _shape(request, best)
    parameters, tokens, ratio = best.law.figures(best.compute, best.parameters, best.tokens)
    sizes = _other_sizes(best)
    limit = _limited(request, best)
    return Plan(
        request=request,
        target=best.target,
        law=best.law,
        loss_law=Absent(reason=best.loss_law) if isinstance(best.loss_law, str) else best.loss_law,
        flops=best.flops,
        flops_6nd=best.flops_6nd,
        parameters=parameters,
        tokens=tokens,
        tokens_per_parameter=ratio,
        loss=Figure.missing(best.nowhere) if best.loss is None else best.loss.figure(),
        shape=shape,
        training=_training(shape, best.tokens.value),
        hyperparameters=_suggestions(request, best, shape),
        memory=_memory(request, best, shape),
        time=cost_of(best.flops_6nd, best.hired, best.target),
        other_sizes=sizes,
        tenfold=tenfold(best.law),
        inference=_served(request, best),
        limited_data=limit,
        curves=curves_of(best.law, best.everywhere, best.compute, best.parameters, best.tokens),
        warnings=_warnings(request, best, shape, sizes, limit),
        assumptions=cautions.assumptions(best.law, best.hired, best.flops, request),
    )


def _shape(request: PlanRequest, best: Optimum) -> ShapeChoice | Absent:
    """The shape, or why there is none."""
    try:
        return choose_shape(
            best.parameters.value,
            vocabulary=request.vocabulary,
            context=request.context,
            positions=request.positions,
            count=best.law.counts,
        )
    except BadInput as none:
        return Absent(reason=str(none))


def _training(shape: ShapeChoice | Absent, tokens: float) -> tuple[TrainingCount, ...]:
    if isinstance(shape, Absent):
        return ()
    whole = float(flops_6nd(shape.parameters, tokens))
    return tuple(
        TrainingCount(convention=name, flops_per_token=each, flops=each * tokens, over_6nd=each * tokens / whole)
        for name, each in shape.flops_per_token.items()
    )


def _suggestions(request: PlanRequest, best: Optimum, shape: ShapeChoice | Absent) -> tuple[Suggestion, ...]:
    return suggestions(
        best.compute.value * best.law.flops_of_training,
        best.parameters.value,
        best.tokens.value,
        None if best.loss is None else best.loss.value,
        None if isinstance(shape, Absent) else shape,
        request.context,
    )


def _memory(request: PlanRequest, best: Optimum, shape: ShapeChoice | Absent) -> Memory:
    device = best.hired.device
    if isinstance(shape, Absent):
        return memory_of(best.parameters.value, None, device, precision=request.precision, why=shape.reason)
    return memory_of(float(shape.parameters), shape.shape, device, precision=request.precision)


def _other_sizes(best: Optimum) -> tuple[OtherSize, ...] | Absent:
    if best.everywhere is None:
        return Absent(reason=best.nowhere)
    return other_sizes(best.law, best.everywhere, best.compute, best.parameters, best.tokens)


def _served(request: PlanRequest, best: Optimum) -> ServedOptimum | Absent | None:
    if request.inference_tokens is None:
        return None
    loss_law = _of_three_terms(best)
    if isinstance(loss_law, Absent) or best.loss is None:
        return loss_law if isinstance(loss_law, Absent) else Absent(reason=best.nowhere)
    return served(loss_law, best.loss, request.inference_tokens)


def _limited(request: PlanRequest, best: Optimum) -> LimitedOptimum | Absent | None:
    if request.unique_tokens is None:
        return None
    loss_law = _of_three_terms(best)
    if isinstance(loss_law, Absent):
        return loss_law
    return limited(loss_law, best.compute, request.unique_tokens, best.law.flops_per_nd)


def _of_three_terms(best: Optimum) -> LossLaw | Absent:
    """The loss law where it is E + A·N^−α + B·D^−β."""
    if best.everywhere is None:
        return Absent(reason=best.nowhere)
    if best.everywhere.power != 1:
        return Absent(reason=f"{best.everywhere.name} is not of the form E + A·N^−α + B·D^−β that this needs")
    return best.everywhere


def _warnings(
    request: PlanRequest,
    best: Optimum,
    shape: ShapeChoice | Absent,
    sizes: tuple[OtherSize, ...] | Absent,
    limit: LimitedOptimum | Absent | None,
) -> tuple[Caution, ...]:
    split = (best.compute, best.parameters, best.tokens)
    rows = () if isinstance(sizes, Absent) else sizes
    return (
        *cautions.of_the_law(best.law, *split),
        *(cautions.of_the_loss_law(best.law, best.everywhere, *split, rows) if best.everywhere else ()),
        *(cautions.of_the_loss(best.loss.value, request.vocabulary) if best.loss else ()),
        *cautions.of_the_shape(shape.reason if isinstance(shape, Absent) else shape),
        *(cautions.of_the_limit(limit) if isinstance(limit, LimitedOptimum) else ()),
    )
