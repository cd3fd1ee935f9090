"""From a budget to a training run that can be started.

plan(PlanRequest(flops=5.76e23))    size, tokens, loss, shape, batch, memory, time, money, alternatives
"""

from hutch.scaling.plans.architectures import ShapeChoice, choose_shape
from hutch.scaling.plans.document import Plan
from hutch.scaling.plans.planning import plan
from hutch.scaling.plans.request import PlanRequest

__all__ = ["Plan", "PlanRequest", "ShapeChoice", "choose_shape", "plan"]
