"""A plan, and the document that it makes."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from hutch.scaling.plans.alternatives import OtherSize, Tenfold
from hutch.scaling.plans.architectures import ShapeChoice
from hutch.scaling.plans.cautions import Caution, extrapolation
from hutch.scaling.plans.cost import Cost
from hutch.scaling.plans.curves import Curves
from hutch.scaling.plans.figures import Figure, plain
from hutch.scaling.plans.hyperparameters import Suggestion
from hutch.scaling.plans.law_choice import AllocationLaw
from hutch.scaling.plans.limits import LimitedOptimum, ServedOptimum
from hutch.scaling.plans.loss_laws import FrontierLaw, LossLaw
from hutch.scaling.plans.memory import Memory
from hutch.scaling.plans.request import PlanRequest
from hutch.scaling.plans.targets import Target


@dataclass(frozen=True, kw_only=True)
class TrainingCount:
    """Exact FLOP of training the shape on the plan's tokens, under one convention of `hutch.scaling.flops`."""

    convention: str
    flops_per_token: int
    flops: float
    over_6nd: float
    """`flops` over 6·N·D, N being the exact parameters of the shape."""


@dataclass(frozen=True, kw_only=True)
class Absent:
    """A part of the plan that cannot be worked out."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The answer; `as_dict` is the document that `hutch plan --json` prints.

    A part is `Absent`, with its reason, where it cannot be worked out, and None where it was not asked for.
    """

    request: PlanRequest
    target: Target
    law: AllocationLaw
    loss_law: LossLaw | FrontierLaw | Absent
    flops: Figure
    """In the law's own count, κ·N·D."""
    flops_6nd: Figure
    """The same budget as FLOP of training, 6·N·D: what time and money are of."""
    parameters: Figure
    tokens: Figure
    tokens_per_parameter: Figure
    loss: Figure
    shape: ShapeChoice | Absent
    training: tuple[TrainingCount, ...]
    hyperparameters: tuple[Suggestion, ...]
    memory: Memory
    time: Cost
    other_sizes: tuple[OtherSize, ...] | Absent
    tenfold: Tenfold
    inference: ServedOptimum | Absent | None
    limited_data: LimitedOptimum | Absent | None
    curves: Curves
    warnings: tuple[Caution, ...]
    assumptions: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, one key a field but `target`, which is in "request", and `training`, which is in "shape".

        "other_sizes" is {"rows", "reason"}. Figures are {"value", "low", "high", "level", "reason"}.
        """
        document = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        del document["target"], document["training"]
        rows = () if isinstance(self.other_sizes, Absent) else self.other_sizes
        why = self.other_sizes.reason if isinstance(self.other_sizes, Absent) else None
        orders = extrapolation(self.law, self.flops.value or 1.0)
        return plain(
            document
            | {
                "request": {"target": self.target} | dataclasses.asdict(self.request),
                "law": self.law.as_dict() | {"extrapolation_orders": orders},
                "loss_law": self.loss_law if isinstance(self.loss_law, Absent) else self.loss_law.as_dict(),
                "shape": self._shape(),
                "other_sizes": {"rows": rows, "reason": why},
            }
        )

    def _shape(self) -> dict[str, Any]:
        if isinstance(self.shape, Absent):
            return {"reason": self.shape.reason}
        fields = {f.name: getattr(self.shape, f.name) for f in dataclasses.fields(self.shape)}
        del fields["shape"], fields["flops_per_token"]
        return dataclasses.asdict(self.shape.shape) | fields | {"training": self.training, "reason": None}
