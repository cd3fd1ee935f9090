"""The loss that goes with an allocation: at any N and D, or, for approach 2, at the optimum alone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.fits.parametric_fit import ParametricFit
from hutch.scaling.fits.profiles import ProfilesFit
from hutch.scaling.kaplan import KAPLAN_LAWS
from hutch.scaling.laws import FLOPS_PER_ND, ParametricLaw, ln_g
from hutch.scaling.plans.figures import Drawn, through
from hutch.scaling.plans.law_choice import AllocationLaw, compute_of, data_of, range_of, read_fit
from hutch.scaling.published import BESIROGLU, BESIROGLU_LAW, HOFFMANN_3, HOFFMANN_UNROUNDED, MUENNIGHOFF_LAW

_NO_DRAWS = "no draws of the loss law's constants were published"

LOSS_LAWS: dict[str, tuple[ParametricLaw, str, str]] = {
    "hoffmann-3": (HOFFMANN_UNROUNDED, HOFFMANN_3.name, HOFFMANN_3.source),
    "besiroglu": (BESIROGLU_LAW, BESIROGLU.name, BESIROGLU.source),
    "muennighoff": (MUENNIGHOFF_LAW, "Muennighoff, one epoch", "Muennighoff et al. 2023 (arXiv:2305.16264), on C4"),
}
"""Published laws of the form E + A·N^−α + B·D^−β, by key: law, name, source. "kaplan" is a fourth, of another form."""

KEYS = (*LOSS_LAWS, "kaplan")

_MUENNIGHOFF_DATA = (4.26e15, 9.26e21)
"""FLOP of the smallest and largest run on C4 that its authors released (datablations)."""

_OWN = {
    "hoffmann-1": ("hoffmann-3", "approach 1 gives no loss; approach 3 of the same paper does"),
    "hoffmann-2": ("hoffmann-3", "approach 2 gives no loss; approach 3 of the same paper does"),
    "hoffmann-3": ("hoffmann-3", "the law itself"),
    "besiroglu": ("besiroglu", "the law itself"),
    "kaplan": ("kaplan", "L(N, D) of the same paper"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class LossLaw:
    """L(N, D) = (E + A·N^−α + B·D^−β)^power, nats per token.

    power is 1 but for Kaplan's L(N, D) = [(N_c/N)^(α_N/α_D) + D_c/D]^α_D, which has E = 0, A = N_c^α, α = α_N/α_D,
    B = D_c, β = 1 and power α_D (arXiv:2001.08361, eq. 1.5).
    """

    key: str
    name: str
    source: str
    why: str
    """Why this law goes with the allocation."""
    constants: tuple[Drawn, Drawn, Drawn, Drawn, Drawn] = field(repr=False)
    """E, A, B, α, β."""
    power: float = 1.0
    own: bool = True
    """Whether the allocation is this law's own optimum."""
    compute_range: tuple[float, float] | None = None
    """FLOP of training, 6·N·D, of the runs behind the law; None where they are not known."""

    @property
    def floor(self) -> float:
        """The loss that no model reaches."""
        return self.constants[0].value ** self.power

    @property
    def parametric(self) -> ParametricLaw:
        """The point as E + A·N^−α + B·D^−β; `BadInput` for Kaplan's form."""
        if self.power != 1:
            raise BadInput(f"{self.name} is not of the form E + A·N^−α + B·D^−β that this needs")
        return ParametricLaw(*(constant.value for constant in self.constants))

    def loss(self, parameters: Drawn, tokens: Drawn) -> Drawn:
        """Nats per token of N parameters after D tokens."""
        return through(self._loss, *self.constants, parameters, tokens)

    def best_size(self, product: Drawn) -> Drawn:
        """The N of least loss where N·D is `product`: G·(N·D)^(β/(α+β))."""
        return through(_best_size, *self.constants, product)

    def _loss(self, E: Any, A: Any, B: Any, alpha: Any, beta: Any, n: Any, d: Any) -> Any:
        return (E + A * n**-alpha + B * d**-beta) ** self.power

    def as_dict(self) -> dict[str, Any]:
        names = ("E", "A", "B", "alpha", "beta")
        constants = {name: c.figure() for name, c in zip(names, self.constants, strict=True)}
        fields = {
            name: getattr(self, name) for name in ("key", "name", "source", "why", "power", "own", "compute_range")
        }
        return fields | {"form": "(E + A·N^−alpha + B·D^−beta)^power", "constants": constants, "reason": None}


@dataclass(frozen=True, kw_only=True, eq=False)
class FrontierLaw:
    """L_opt(C) = E + k·C^−γ through the minima of approach 2: the loss at the optimum, and nowhere else."""

    key: str
    name: str
    source: str
    why: str = "the minima of the same profiles"
    form: str
    constants: tuple[Drawn, Drawn, Drawn] = field(repr=False)
    """E, ln k, γ."""

    @property
    def floor(self) -> float:
        return self.constants[0].value

    def lowest(self, compute: Drawn) -> Drawn:
        """Nats per token at the optimum of `compute` FLOP."""
        return through(lambda c, E, ln_k, gamma: E + np.exp(ln_k - gamma * np.log(c)), compute, *self.constants)

    def compute_for(self, loss: Drawn) -> Drawn:
        """FLOP at which the lowest loss is `loss`; lost where it lies at or below E."""
        return through(lambda x, E, ln_k, gamma: np.exp((ln_k - np.log(x - E)) / gamma), loss, *self.constants)

    def as_dict(self) -> dict[str, Any]:
        E, ln_k, gamma = self.constants
        constants = {"E": E.figure(), "k": through(np.exp, ln_k).figure(), "gamma": gamma.figure()}
        fields = {name: getattr(self, name) for name in ("key", "name", "source", "why", "form")}
        return fields | {"constants": constants, "reason": None}


def choose_loss_law(law: AllocationLaw, choice: str | None) -> LossLaw | FrontierLaw | str:
    """The loss law of `choice`, or the one that goes with `law`; a string says why there is none.

    `BadInput` for a choice that is neither a key of `KEYS` nor the file of a parametric fit.
    """
    if choice is not None:
        return _chosen(choice, law)
    if law.fit is not None:
        return _of_fit(law)
    if law.key not in _OWN:
        return f"{law.name} publishes no loss law in nats per token; choose one with --loss-law"
    key, why = _OWN[law.key]
    return _published(key, why, own=key == law.key != "kaplan")


def _chosen(choice: str, law: AllocationLaw) -> LossLaw:
    key = choice.lower()
    if key in KEYS:
        return _published(key, "chosen", own=key == law.key != "kaplan")
    fit = law.fit if choice == law.key else read_fit(choice, "loss law", ", ".join(KEYS))
    if not isinstance(fit, ParametricFit):
        raise BadInput(f"{choice} holds no loss at any N and D: that takes a parametric fit, approach 3")
    return _of_parametric(fit, choice, own=choice == law.key)


def _of_fit(law: AllocationLaw) -> LossLaw | FrontierLaw | str:
    if isinstance(law.fit, ParametricFit):
        return _of_parametric(law.fit, law.key, own=True)
    if isinstance(law.fit, ProfilesFit) and law.fit.frontier is not None:
        frontier = law.fit.frontier
        columns = zip(frontier.point, frontier.draws.T, strict=True)
        E, ln_k, gamma = (_drawn(float(value), draws, frontier.level) for value, draws in columns)
        return FrontierLaw(
            key=law.key, name=law.name, source=law.source, form=frontier.form, constants=(E, ln_k, gamma)
        )
    return f"{law.name} holds no law of the loss; choose one with --loss-law"


def _of_parametric(fit: ParametricFit, choice: str, *, own: bool) -> LossLaw:
    if fit.law is None:
        raise BadInput(f"{choice} holds a fit without a loss law: {fit.reason}")
    values = (fit.law.E, fit.law.A, fit.law.B, fit.law.alpha, fit.law.beta)
    E, A, B, alpha, beta = (_drawn(v, d, fit.level) for v, d in zip(values, fit.draws.T, strict=True))
    return LossLaw(
        key=choice,
        name=f"{Path(choice).name}, approach 3",
        source=f"{choice}, fitted by approach 3 of Hoffmann et al. 2022 (arXiv:2203.15556)",
        why="the law itself" if own else "chosen",
        constants=(E, A, B, alpha, beta),
        own=own,
        compute_range=range_of(compute_of(fit) * (FLOPS_PER_ND / fit.flops_per_nd)),
    )


def _published(key: str, why: str, *, own: bool) -> LossLaw:
    if key == "kaplan":
        return _kaplan(why)
    law, name, source = LOSS_LAWS[key]
    E, A, B, alpha, beta = (Drawn(value=v, reason=_NO_DRAWS) for v in (law.E, law.A, law.B, law.alpha, law.beta))
    return LossLaw(
        key=key,
        name=name,
        source=source,
        why=why,
        constants=(E, A, B, alpha, beta),
        own=own,
        compute_range=_MUENNIGHOFF_DATA if key == "muennighoff" else data_of(key)[0],
    )


def _kaplan(why: str) -> LossLaw:
    """L(N, D) of eq. 1.5 in this form; N without embeddings."""
    power = KAPLAN_LAWS.joint_alpha_d
    ratio = KAPLAN_LAWS.joint_alpha_n / power
    values = (0.0, KAPLAN_LAWS.joint_n_c**ratio, KAPLAN_LAWS.joint_d_c, ratio, 1.0)
    E, A, B, alpha, beta = (Drawn(value=value, reason=_NO_DRAWS) for value in values)
    return LossLaw(
        key="kaplan",
        name="Kaplan, L(N, D)",
        source="Kaplan et al. 2020 (arXiv:2001.08361), eq. 1.5 and Table 2",
        why=why,
        constants=(E, A, B, alpha, beta),
        power=power,
        own=False,
        compute_range=data_of("kaplan")[0],
    )


def _drawn(value: float, draws: Any, level: float) -> Drawn:
    if not len(draws):
        return Drawn(value=value, reason="the fit was made without bootstraps")
    return Drawn(value=value, draws=draws, level=level)


def _best_size(E: Any, A: Any, B: Any, alpha: Any, beta: Any, product: Any) -> Any:
    return np.exp(ln_g(A, B, alpha, beta) + beta / (alpha + beta) * np.log(product))
