"""From one target to a training run that can be started: `plan(PlanRequest(flops=5.76e23))`."""

from hutch.runs.errors import BadInput
from hutch.scaling.flops import flops_6nd
from hutch.scaling.plans import cautions
from hutch.scaling.plans.alternatives import other_sizes, tenfold
from hutch.scaling.plans.architectures import ShapeChoice, choose_shape
from hutch.scaling.plans.cost import Hire, cost_of, hire
from hutch.scaling.plans.curves import curves_of
from hutch.scaling.plans.document import Absent, Plan, TrainingCount
from hutch.scaling.plans.figures import Drawn, Figure
from hutch.scaling.plans.hyperparameters import suggestions
from hutch.scaling.plans.law_choice import DEFAULT_LAW, AllocationLaw, choose_law
from hutch.scaling.plans.limits import LimitedOptimum, ServedOptimum, limited, served
from hutch.scaling.plans.loss_laws import FrontierLaw, LossLaw, choose_loss_law
from hutch.scaling.plans.memory import memory_of
from hutch.scaling.plans.request import PlanRequest
from hutch.scaling.plans.targets import Target, budget_of


def plan(request: PlanRequest) -> Plan:
    """The plan of a request. `BadInput` for no target or several, for bad numbers, an unknown law or device, a file
    that holds no fit, a loss that no model reaches, and a budget too small for one parameter and one token."""
    target, value = request.target()
    hired = hire(request.device, mfu=request.mfu, count=request.devices, dollars_per_hour=request.price)
    law = choose_law(request.law or DEFAULT_LAW)
    loss_law = choose_loss_law(law, request.loss_law)
    compute, flops = budget_of(target, value, law, loss_law, hired)
    parameters = Drawn.given(value) if target == "parameters" else law.parameters(compute)
    tokens = Drawn.given(value) if target == "tokens" else law.tokens(compute)
    _check_sensible(compute, parameters, tokens)
    return _complete(request, target, hired, law, loss_law, compute, flops, parameters, tokens)


def _complete(
    request: PlanRequest,
    target: Target,
    hired: Hire,
    law: AllocationLaw,
    loss_law: LossLaw | FrontierLaw | str,
    compute: Drawn,
    flops: Figure,
    parameters: Drawn,
    tokens: Drawn,
) -> Plan:
    everywhere = loss_law if isinstance(loss_law, LossLaw) else None
    nowhere = loss_law if isinstance(loss_law, str) else "approach 2 gives the loss at the optimum alone; --loss-law"
    loss = _loss(request, loss_law, compute, parameters, tokens)
    choice = _shape(request, parameters.value, law)
    shape = None if isinstance(choice, str) else choice
    size = float(shape.parameters) if shape else parameters.value
    cost = cost_of(flops, hired)
    n, d, ratio = law.figures(compute, parameters, tokens)
    inference = _served(request, everywhere, nowhere, loss, law)
    short = _limited(request, everywhere, nowhere, compute, law)
    warnings = [
        *cautions.of_the_law(law, compute, parameters, tokens),
        *(cautions.of_the_loss_law(law, everywhere, parameters, tokens) if everywhere else []),
        *(cautions.of_the_loss(loss.value, request.vocabulary) if loss else []),
        *cautions.of_the_shape(choice),
        *(cautions.of_the_limit(short) if isinstance(short, LimitedOptimum) else []),
    ]
    return Plan(
        request=request,
        target=target,
        law=law,
        loss_law=Absent(reason=loss_law) if isinstance(loss_law, str) else loss_law,
        flops=flops,
        parameters=n,
        tokens=d,
        tokens_per_parameter=ratio,
        loss=Figure.missing(loss_law) if loss is None and isinstance(loss_law, str) else _figure(loss),
        shape=Absent(reason=choice) if isinstance(choice, str) else choice,
        training=_training(shape, tokens.value),
        hyperparameters=suggestions(
            compute.value, parameters.value, tokens.value, loss.value if loss else None, shape, request.context
        ),
        memory=memory_of(
            size,
            shape.shape if shape else None,
            hired.device,
            precision=request.precision,
            why=choice if isinstance(choice, str) else None,
        ),
        time=cost,
        half_size=other_sizes(law, everywhere, compute, parameters, tokens) if everywhere else Absent(reason=nowhere),
        tenfold=tenfold(law),
        inference=inference,
        limited_data=short,
        curves=curves_of(law, everywhere, compute, parameters, tokens),
        warnings=tuple(warnings),
        assumptions=cautions.assumptions(
            law,
            hired,
            flops,
            law_assumed=request.law is None,
            mfu_assumed=request.mfu is None,
            device_assumed=request.device is None,
            price_assumed=request.price is None,
            precision=request.precision,
        ),
    )


def _check_sensible(compute: Drawn, parameters: Drawn, tokens: Drawn) -> None:
    """Nothing silently absurd: at least one parameter and one token."""
    for name, figure in (("parameters", parameters), ("tokens", tokens)):
        if not figure.value >= 1:
            raise BadInput(
                f"{compute.value:.3g} FLOP would be optimal with {figure.value:.3g} {name}, which is no model; "
                "the law does not reach down to such a budget"
            )


def _loss(
    request: PlanRequest, loss_law: LossLaw | FrontierLaw | str, compute: Drawn, parameters: Drawn, tokens: Drawn
) -> Drawn | None:
    if isinstance(loss_law, str):
        return None
    if request.loss is not None:
        return Drawn.given(request.loss)
    if isinstance(loss_law, FrontierLaw):
        return loss_law.lowest(compute)
    return loss_law.loss(parameters, tokens)


def _figure(loss: Drawn | None) -> Figure:
    return Figure.missing("no loss law") if loss is None else loss.figure()


def _shape(request: PlanRequest, size: float, law: AllocationLaw) -> ShapeChoice | str:
    """The shape, or why there is none."""
    try:
        return choose_shape(
            size,
            vocabulary=request.vocabulary,
            context=request.context,
            positions=request.positions,
            count=law.counts,
        )
    except BadInput as none:
        return str(none)


def _training(choice: ShapeChoice | None, tokens: float) -> tuple[TrainingCount, ...]:
    if choice is None:
        return ()
    whole = float(flops_6nd(choice.parameters, tokens))
    return tuple(
        TrainingCount(convention=name, flops_per_token=each, flops=each * tokens, over_6nd=each * tokens / whole)
        for name, each in choice.flops_per_token.items()
    )


def _served(
    request: PlanRequest, loss_law: LossLaw | None, nowhere: str, loss: Drawn | None, law: AllocationLaw
) -> ServedOptimum | Absent | None:
    if request.inference_tokens is None:
        return None
    if loss_law is None or loss is None:
        return Absent(reason=nowhere)
    if loss_law.power != 1:
        return Absent(reason=f"{loss_law.name} is not of the form E + A·N^−α + B·D^−β that this needs")
    return served(loss_law, loss, request.inference_tokens, law.flops_per_nd)


def _limited(
    request: PlanRequest, loss_law: LossLaw | None, nowhere: str, compute: Drawn, law: AllocationLaw
) -> LimitedOptimum | Absent | None:
    if request.unique_tokens is None:
        return None
    if loss_law is None:
        return Absent(reason=nowhere)
    if loss_law.power != 1:
        return Absent(reason=f"{loss_law.name} is not of the form E + A·N^−α + B·D^−β that this needs")
    return limited(loss_law, compute, request.unique_tokens, law.flops_per_nd)
