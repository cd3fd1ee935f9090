"""The heart of a plan: the budget of a request, split by its law into N and D, and the loss of that."""

from dataclasses import dataclass

from hutch.runs.errors import BadInput
from hutch.scaling.plans.cost import Hire, hire
from hutch.scaling.plans.figures import Drawn, Figure, scaled
from hutch.scaling.plans.law_choice import DEFAULT_LAW, AllocationLaw, choose_law
from hutch.scaling.plans.loss_laws import FrontierLaw, LossLaw, choose_loss_law
from hutch.scaling.plans.request import PlanRequest
from hutch.scaling.plans.targets import Target, budget_of

LEAST = 1000.0
"""Parameters, and tokens, below which nothing is a language model."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Optimum:
    """What everything else in a plan follows from."""

    target: Target
    hired: Hire
    law: AllocationLaw
    loss_law: LossLaw | FrontierLaw | str
    """A string says why there is none."""
    compute: Drawn
    """FLOP in the law's own count."""
    flops: Figure
    """The same, with the ends of a range of mfu where hours or money were asked for."""
    parameters: Drawn
    tokens: Drawn
    loss: Drawn | None

    @property
    def flops_6nd(self) -> Figure:
        """The budget as FLOP of training, 6·N·D."""
        one = self.law.flops_of_training
        return self.flops if one == 1 else scaled(self.flops, one)

    @property
    def everywhere(self) -> LossLaw | None:
        """The loss law where it gives the loss at any N and D."""
        return self.loss_law if isinstance(self.loss_law, LossLaw) else None

    @property
    def nowhere(self) -> str:
        """Why there is no loss beside the optimum."""
        if isinstance(self.loss_law, str):
            return self.loss_law
        return "approach 2 gives the loss at the optimum alone; --loss-law"


def optimum_of(request: PlanRequest) -> Optimum:
    """`BadInput` as for `hutch.scaling.plans.plan`."""
    target, value = request.target()
    hired = hire(request.device, mfu=request.mfu, count=request.devices, dollars_per_hour=request.price)
    law = choose_law(request.law or DEFAULT_LAW)
    loss_law = choose_loss_law(law, request.loss_law)
    compute, flops = budget_of(target, value, law, loss_law, hired)
    parameters = Drawn.given(value) if target == "parameters" else law.parameters(compute)
    tokens = Drawn.given(value) if target == "tokens" else law.tokens(compute)
    _check_sensible(compute, parameters, tokens)
    return Optimum(
        target=target,
        hired=hired,
        law=law,
        loss_law=loss_law,
        compute=compute,
        flops=flops,
        parameters=parameters,
        tokens=tokens,
        loss=Drawn.given(value) if target == "loss" else _loss(loss_law, compute, parameters, tokens),
    )


def _check_sensible(compute: Drawn, parameters: Drawn, tokens: Drawn) -> None:
    """Nothing silently absurd."""
    for name, figure in (("parameters", parameters), ("tokens", tokens)):
        if not figure.value >= LEAST:
            raise BadInput(
                f"{compute.value:.3g} FLOP would be optimal with {figure.value:.3g} {name}, which is no model: "
                f"a plan needs at least {LEAST:,.0f}; ask for more"
            )


def _loss(loss_law: LossLaw | FrontierLaw | str, compute: Drawn, parameters: Drawn, tokens: Drawn) -> Drawn | None:
    if isinstance(loss_law, str):
        return None
    return loss_law.lowest(compute) if isinstance(loss_law, FrontierLaw) else loss_law.loss(parameters, tokens)
