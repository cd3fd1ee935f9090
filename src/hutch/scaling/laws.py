"""The laws: power laws by log–log least squares, and the parametric loss with its optimum in closed form."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, positive_columns, positive_values
from hutch.scaling.scalars import plain

FLOPS_PER_ND = 6.0
"""Training FLOP per parameter and token in C = 6·N·D."""


@dataclass(frozen=True)
class PowerLaw:
    """y = k·x^exponent."""

    k: float
    exponent: float

    def __call__(self, x: ArrayLike) -> Any:
        """y at x > 0: a float for a scalar, else an array of the same shape."""
        return plain(self.k * positive_values("x", x) ** self.exponent)

    def inverse(self, y: ArrayLike) -> Any:
        """x at which the law gives y > 0."""
        if self.exponent == 0:
            raise BadInput("a power law with exponent 0 has no inverse")
        return plain((positive_values("y", y) / self.k) ** (1 / self.exponent))

    def as_dict(self) -> dict[str, float]:
        return {"k": self.k, "exponent": self.exponent}


def fit_power_law(x: ArrayLike, y: ArrayLike, *, weights: ArrayLike | None = None) -> PowerLaw:
    """Least squares of ln y on ln x, each row weighted. `BadInput` with fewer than two distinct x."""
    x, y = positive_columns(x=x, y=y)
    weights = np.ones_like(x) if weights is None else positive_columns(x=x, weights=weights)[1]
    if np.ptp(np.log(x)) == 0:
        raise BadInput("a power law needs at least two distinct x")
    intercept, slope = log_log_lines(np.log(x), np.log(y), weights)
    return PowerLaw(float(np.exp(intercept)), float(slope))


def log_log_lines(ln_x: Array, ln_y: Array, weights: Array) -> tuple[Array, Array]:
    """Intercepts and slopes of many weighted least-squares lines at once.

    The three arrays broadcast to [..., points]; the results are [...]. A batch member whose weights leave
    fewer than two distinct x gives NaN.
    """
    ln_x, ln_y, weights = np.broadcast_arrays(ln_x, ln_y, weights)
    total = weights.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_x = (weights * ln_x).sum(-1) / total
        mean_y = (weights * ln_y).sum(-1) / total
        deviation = weights * (ln_x - mean_x[..., None])
        spread = (deviation * ln_x).sum(-1)
        spread = np.where(spread > 1e-12 * total, spread, np.nan)
        slope = (deviation * ln_y).sum(-1) / spread
    return mean_y - slope * mean_x, slope


@dataclass(frozen=True)
class ParametricLaw:
    """L(N, D) = E + A·N^−α + B·D^−β, nats per token (Hoffmann et al. 2022, eq. 2), and its optimum (eq. 4).

    `flops_per_nd` is κ in the constraint κ·N·D = C. Every method takes scalars or arrays.
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    @property
    def a(self) -> float:
        """N_opt ∝ C^a, a = β/(α + β)."""
        return self.beta / (self.alpha + self.beta)

    @property
    def b(self) -> float:
        """D_opt ∝ C^b, b = α/(α + β)."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def G(self) -> float:
        """(αA / βB)^(1/(α+β)); the exponent is on the whole ratio."""
        return float(np.exp(ln_g(self.A, self.B, self.alpha, self.beta)))

    def loss(self, parameters: ArrayLike, tokens: ArrayLike) -> Any:
        """Nats per token of a model of N parameters after D tokens."""
        n, d = positive_values("parameters", parameters), positive_values("tokens", tokens)
        return plain(self.E + self.A * n**-self.alpha + self.B * d**-self.beta)

    def n_opt(self, compute: ArrayLike, flops_per_nd: float = FLOPS_PER_ND) -> Any:
        """N_opt = G·(C/κ)^a."""
        return plain(self.G * (positive_values("compute", compute) / flops_per_nd) ** self.a)

    def d_opt(self, compute: ArrayLike, flops_per_nd: float = FLOPS_PER_ND) -> Any:
        """D_opt = (C/κ)^b / G."""
        return plain((positive_values("compute", compute) / flops_per_nd) ** self.b / self.G)

    def loss_opt(self, compute: ArrayLike, flops_per_nd: float = FLOPS_PER_ND) -> Any:
        """The lowest loss that `compute` FLOP can reach, E + A·N_opt^−α·(1 + α/β)."""
        ln_c = np.log(positive_values("compute", compute) / flops_per_nd)
        return plain(frontier_loss(self.E, self.A, self.B, self.alpha, self.beta, ln_c))

    def compute_for_parameters(self, parameters: ArrayLike, flops_per_nd: float = FLOPS_PER_ND) -> Any:
        """C at which N parameters are optimal, κ·(N/G)^(1/a)."""
        return plain(flops_per_nd * (positive_values("parameters", parameters) / self.G) ** (1 / self.a))

    def compute_for_tokens(self, tokens: ArrayLike, flops_per_nd: float = FLOPS_PER_ND) -> Any:
        """C at which D tokens are optimal, κ·(G·D)^(1/b)."""
        return plain(flops_per_nd * (self.G * positive_values("tokens", tokens)) ** (1 / self.b))

    def as_dict(self) -> dict[str, float]:
        return {"E": self.E, "A": self.A, "B": self.B, "alpha": self.alpha, "beta": self.beta}


def ln_g(A: Any, B: Any, alpha: Any, beta: Any) -> Any:
    """ln G = ln(αA / βB)/(α + β), for floats or arrays; NaN where it does not exist."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (np.log(alpha) + np.log(A) - np.log(beta) - np.log(B)) / (np.asarray(alpha) + beta)


def frontier_loss(E: Any, A: Any, B: Any, alpha: Any, beta: Any, ln_c: Any) -> Any:
    """E + A·N_opt^−α·(1 + α/β) at ln(C/κ), in logs so that wild bootstrap draws cannot trip it; broadcasts."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        ln_n = ln_g(A, B, alpha, beta) + beta / (alpha + beta) * ln_c
        return E + np.exp(np.log(A) - alpha * ln_n) * (1 + alpha / beta)
