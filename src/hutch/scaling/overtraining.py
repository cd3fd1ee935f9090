"""Training past the compute-optimal ratio, and what the loss means downstream (Gadre et al. 2024,
arXiv:2403.08540, §2 and §3)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput
from hutch.scaling.columns import positive_number, positive_values
from hutch.scaling.laws import FLOPS_PER_ND, ParametricLaw
from hutch.scaling.scalars import plain


@dataclass(frozen=True)
class OverTrainingLaw:
    """L(C, M) = E + (a·M^η + b·M^−η)·C^−η, M tokens per parameter, C training FLOP, L nats per token.

    At fixed M the reducible loss is a power law in C whose exponent does not depend on M: over-training shifts the
    line and leaves its slope. It is the parametric law with α = β = 2η.
    """

    E: float
    a: float
    b: float
    eta: float

    @classmethod
    def from_parametric(cls, law: ParametricLaw, flops_per_nd: float = FLOPS_PER_ND) -> "OverTrainingLaw":
        """a = A·κ^η, b = B·κ^η, η = α/2; `BadInput` unless α = β."""
        if not np.isclose(law.alpha, law.beta, rtol=1e-9, atol=0):
            raise BadInput(f"α is {law.alpha:g} and β {law.beta:g}; the over-training law needs them equal")
        scale = positive_number("flops_per_nd", flops_per_nd) ** (law.alpha / 2)
        return cls(law.E, law.A * scale, law.B * scale, law.alpha / 2)

    def parametric(self, flops_per_nd: float = FLOPS_PER_ND) -> ParametricLaw:
        """The same law in N and D: the inverse of `from_parametric`."""
        scale = positive_number("flops_per_nd", flops_per_nd) ** -self.eta
        return ParametricLaw(self.E, self.a * scale, self.b * scale, 2 * self.eta, 2 * self.eta)

    def loss(self, compute: ArrayLike, tokens_per_parameter: ArrayLike) -> Any:
        """Nats per token after `compute` FLOP at M = `tokens_per_parameter`."""
        m = positive_values("tokens_per_parameter", tokens_per_parameter)
        shape = self.a * m**self.eta + self.b * m**-self.eta
        return plain(self.E + shape * positive_values("compute", compute) ** -self.eta)

    @property
    def best_ratio(self) -> float:
        """M* = (b/a)^(1/(2η)), the same at every budget."""
        return float((self.b / self.a) ** (1 / (2 * self.eta)))

    def compute_factor(self, tokens_per_parameter: ArrayLike) -> Any:
        """How many times the compute of the best ratio it takes to reach the same loss at this one, from 1 up."""
        m = positive_values("tokens_per_parameter", tokens_per_parameter)
        shape = self.a * m**self.eta + self.b * m**-self.eta
        return plain((shape / (2 * np.sqrt(self.a * self.b))) ** (1 / self.eta))

    def as_dict(self) -> dict[str, float]:
        return {"E": self.E, "a": self.a, "b": self.b, "eta": self.eta, "best_ratio": self.best_ratio}


@dataclass(frozen=True)
class DownstreamLaw:
    """Err(L) = ε − k·exp(−γ·L): average top-1 error of a set of tasks at a loss of L nats per token.

    ε is the error towards which a model without skill tends; k, γ > 0, so the error rises with the loss.
    """

    epsilon: float
    k: float
    gamma: float

    def error(self, loss: ArrayLike) -> Any:
        """Error at `loss`, a share from 0 to 1 if the law was fitted to one."""
        return plain(self.epsilon - self.k * np.exp(-self.gamma * positive_values("loss", loss)))

    def as_dict(self) -> dict[str, float]:
        return {"epsilon": self.epsilon, "k": self.k, "gamma": self.gamma}
