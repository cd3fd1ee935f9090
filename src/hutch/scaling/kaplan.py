"""The laws of Kaplan et al. 2020 (arXiv:2001.08361), and why their exponent is not Chinchilla's (Pearce and Song
2024, arXiv:2406.12907).

N leaves embeddings and positions out, D is in tokens, C in FLOP (the paper's PF-days are converted), L in nats.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array, positive_number, positive_values
from hutch.scaling.intervals import json_numbers
from hutch.scaling.laws import FLOPS_PER_ND, ParametricLaw, log_log_lines
from hutch.scaling.published import PF_DAY
from hutch.scaling.scalars import plain


@dataclass(frozen=True, kw_only=True)
class KaplanOptimum:
    """What C_min is best spent on: N, tokens D, batch B in tokens and steps S_min.

    S_min is the least number of steps, at a batch far above the critical one; at the critical batch it takes twice
    as many, which is why D ≈ 2·B·S_min.
    """

    parameters: Any
    tokens: Any
    batch_tokens: Any
    min_steps: Any

    def as_dict(self) -> dict[str, Any]:
        return {name: json_numbers(getattr(self, name)) for name in self.__dataclass_fields__}


@dataclass(frozen=True, kw_only=True)
class KaplanLaws:
    """The constants as printed (Tables 4–6 and §1.2); each law has its own, fitted apart."""

    alpha_n: float = 0.076
    """L(N) = (N_c/N)^α_N, trained to convergence."""
    n_c: float = 8.8e13
    alpha_d: float = 0.095
    """L(D) = (D_c/D)^α_D, early stopping."""
    d_c: float = 5.4e13
    alpha_c_min: float = 0.050
    """L(C_min) = (C_c/C_min)^α."""
    c_c_min: float = 3.1e8 * PF_DAY
    alpha_c: float = 0.057
    """L(C) at a naive fixed batch."""
    c_c: float = 1.6e7 * PF_DAY
    joint_alpha_n: float = 0.076
    """L(N, D) = [(N_c/N)^(α_N/α_D) + D_c/D]^α_D."""
    joint_alpha_d: float = 0.103
    joint_n_c: float = 6.4e13
    joint_d_c: float = 1.8e13
    step_alpha_n: float = 0.077
    """L(N, S_min) = (N_c/N)^α_N + (S_c/S_min)^α_S; this α_N and N_c were not read in the paper itself."""
    step_n_c: float = 6.5e13
    alpha_s: float = 0.76
    s_c: float = 2.1e3
    alpha_b: float = 0.21
    """B_crit(L) = B*/L^(1/α_B), tokens."""
    b_star: float = 2.1e8

    def loss_of_parameters(self, parameters: ArrayLike) -> Any:
        """L(N), data and training without end."""
        return plain((self.n_c / positive_values("parameters", parameters)) ** self.alpha_n)

    def loss_of_tokens(self, tokens: ArrayLike) -> Any:
        """L(D), a model large enough, stopped early."""
        return plain((self.d_c / positive_values("tokens", tokens)) ** self.alpha_d)

    def loss(self, parameters: ArrayLike, tokens: ArrayLike) -> Any:
        """L(N, D), eq. 1.5."""
        n, d = positive_values("parameters", parameters), positive_values("tokens", tokens)
        size = (self.joint_n_c / n) ** (self.joint_alpha_n / self.joint_alpha_d)
        return plain((size + self.joint_d_c / d) ** self.joint_alpha_d)

    def loss_of_min_compute(self, min_compute: ArrayLike) -> Any:
        """L(C_min), C_min in FLOP at a batch far below the critical one, the size being optimal."""
        return plain((self.c_c_min / positive_values("min_compute", min_compute)) ** self.alpha_c_min)

    def loss_of_compute(self, compute: ArrayLike) -> Any:
        """L(C), C in FLOP at the paper's fixed batch, the size being optimal."""
        return plain((self.c_c / positive_values("compute", compute)) ** self.alpha_c)

    def loss_of_steps(self, parameters: ArrayLike, min_steps: ArrayLike) -> Any:
        """L(N, S_min), eq. 1.6, after S_min steps at a batch far above the critical one, with data to spare."""
        n, s = positive_values("parameters", parameters), positive_values("min_steps", min_steps)
        return plain((self.step_n_c / n) ** self.step_alpha_n + (self.s_c / s) ** self.alpha_s)

    def critical_batch(self, loss: ArrayLike) -> Any:
        """B_crit(L) in tokens: where twice the least steps and twice the least compute meet."""
        return plain(self.b_star / positive_values("loss", loss) ** (1 / self.alpha_b))

    def min_compute(self, compute: ArrayLike, batch_tokens: ArrayLike, loss: ArrayLike) -> Any:
        """C_min = C/(1 + B/B_crit(L)): what the same loss costs at a batch far below the critical one."""
        batch = positive_values("batch_tokens", batch_tokens)
        return plain(positive_values("compute", compute) / (1 + batch / self.critical_batch(loss)))

    def min_steps(self, steps: ArrayLike, batch_tokens: ArrayLike, loss: ArrayLike) -> Any:
        """S_min = S/(1 + B_crit(L)/B): what the same loss takes at a batch far above the critical one."""
        batch = positive_values("batch_tokens", batch_tokens)
        return plain(positive_values("steps", steps) / (1 + self.critical_batch(loss) / batch))

    def optimum(self, min_compute: ArrayLike) -> KaplanOptimum:
        """N 1.3e9·C^0.73, D 2e10·C^0.27, B 2.0e6·C^0.24, S_min 5.4e3·C^0.03, C in PF-days of C_min (Table 6)."""
        pf_days = positive_values("min_compute", min_compute) / PF_DAY
        return KaplanOptimum(
            parameters=plain(1.3e9 * pf_days**0.73),
            tokens=plain(2e10 * pf_days**0.27),
            batch_tokens=plain(2.0e6 * pf_days**0.24),
            min_steps=plain(5.4e3 * pf_days**0.03),
        )


KAPLAN_LAWS = KaplanLaws()

EMBEDDING_GAMMA = 47_491.0
"""γ in N_total = N + γ·N^(1/3), fitted to Chinchilla's models by Pearce and Song."""
KAPLAN_SIZES = (768.0, 1.5e9)
"""The smallest and largest N of Kaplan's runs."""
_SIZES = 200


def total_parameters(non_embedding: ArrayLike, gamma: float = EMBEDDING_GAMMA) -> Any:
    """N_total = N + γ·N^(1/3)."""
    n = positive_values("non_embedding", non_embedding)
    return plain(n + positive_number("gamma", gamma) * np.cbrt(n))


def non_embedding_compute(law: ParametricLaw, non_embedding: ArrayLike, gamma: float = EMBEDDING_GAMMA) -> Any:
    """C'(N) = 6·N·D in FLOP, at which N non-embedding parameters are optimal though `law` counts all of them.

    The minimum of L(N + γ·N^(1/3), D) at 6·N·D = C':
    C' = 6·N·(N + (γ/3)·N^(1/3))^(−1/β)·(N + γ·N^(1/3))^((1+α)/β)·(βB/αA)^(1/β).
    """
    n = positive_values("non_embedding", non_embedding)
    gamma = positive_number("gamma", gamma)
    return plain(np.exp(_ln_compute(law, n, gamma)))


def local_exponent(
    law: ParametricLaw,
    n_low: float = KAPLAN_SIZES[0],
    n_high: float = KAPLAN_SIZES[1],
    gamma: float = EMBEDDING_GAMMA,
) -> float:
    """The exponent in N ∝ C'^x that `law` shows who leaves embeddings out: slope of ln N on ln C' over 200 log-spaced
    sizes. It tends to `law.a` at large sizes. `BadInput` unless n_low < n_high."""
    n_low, n_high = positive_number("n_low", n_low), positive_number("n_high", n_high)
    if not n_low < n_high:
        raise BadInput(f"n_low is {n_low:g} and n_high {n_high:g}; n_low must be the smaller")
    n = np.geomspace(n_low, n_high, _SIZES)
    _, slope = log_log_lines(_ln_compute(law, n, positive_number("gamma", gamma)), np.log(n), np.ones(_SIZES))
    return float(slope)


def _ln_compute(law: ParametricLaw, n: Array, gamma: float) -> Array:
    root = gamma * np.cbrt(n)
    ln_sides = np.log(law.beta * law.B) - np.log(law.alpha * law.A)
    ln_d = (ln_sides - np.log(n + root / 3) + (1 + law.alpha) * np.log(n + root)) / law.beta
    return np.log(FLOPS_PER_ND * n) + ln_d
