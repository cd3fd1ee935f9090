"""What other choices would cost: other sizes at the same compute, and ten times the compute."""

from dataclasses import dataclass

from hutch.scaling.plans.figures import Drawn, Figure, through
from hutch.scaling.plans.law_choice import AllocationLaw
from hutch.scaling.plans.loss_laws import LossLaw
from hutch.scaling.plans.targets import reaching
from hutch.scaling.published import LAWS

SIZES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Multiples of the optimal size."""
TENFOLD = 10.0


@dataclass(frozen=True, kw_only=True)
class OtherSize:
    """A model of `factor` times the size of the plan, on as many tokens as the same N·D leaves it."""

    factor: float
    parameters: float
    tokens: float
    loss: Figure
    difference: Figure
    """Its loss minus that of the plan, nats per token."""
    equal_compute: Figure
    """FLOP, in the law's own count, with which its split reaches the same loss."""
    wasted: Figure
    """Share of the compute that this size wastes, 1 − `equal_compute`/C; below 0 where this size does better."""


@dataclass(frozen=True, kw_only=True)
class TenfoldLaw:
    """What ten times the compute multiplies N and D with under a published law."""

    key: str
    name: str
    parameters: float
    tokens: float


@dataclass(frozen=True, kw_only=True)
class Tenfold:
    """The same for the law of the plan, beside the published ones."""

    parameters: Figure
    tokens: Figure
    published: tuple[TenfoldLaw, ...]
    note: str = "Hoffmann et al. 2022 (§1) quote 5.5 and 1.8 for Kaplan's law; its exponents, 0.73 and 0.27, give these"


def other_sizes(
    law: AllocationLaw, loss_law: LossLaw, compute: Drawn, parameters: Drawn, tokens: Drawn
) -> tuple[OtherSize, ...]:
    """One for each of `SIZES`, at the N·D of the plan."""
    return tuple(_other_size(factor, law, loss_law, compute, parameters, tokens) for factor in SIZES)


def _other_size(
    factor: float, law: AllocationLaw, loss_law: LossLaw, compute: Drawn, parameters: Drawn, tokens: Drawn
) -> OtherSize:
    n, d = (through(lambda x, f=f: x * f, figure) for figure, f in ((parameters, factor), (tokens, 1 / factor)))
    loss, least = loss_law.loss(n, d), loss_law.loss(parameters, tokens)
    difference = through(lambda worse, best: worse - best, loss, least)
    # The plan's own row is the compute itself; solving for it would only add rounding.
    equal = through(lambda spent: spent, compute) if factor == 1 else reaching(loss, law, loss_law)
    wasted = through(lambda spent, enough: 1 - enough / spent, compute, equal)
    figures = [figure.figure() for figure in (loss, difference, equal, wasted)]
    return OtherSize(
        factor=factor,
        parameters=n.value,
        tokens=d.value,
        loss=figures[0],
        difference=figures[1],
        equal_compute=figures[2],
        wasted=figures[3],
    )


def tenfold(law: AllocationLaw) -> Tenfold:
    """10^a and 10^b, with the ends that the interval of the exponent gives."""
    published = tuple(
        TenfoldLaw(key=key, name=one.name, parameters=TENFOLD**one.a, tokens=TENFOLD**one.b)
        for key, one in LAWS.items()
    )
    return Tenfold(
        parameters=_to_the_power(law.exponent("a")), tokens=_to_the_power(law.exponent("b")), published=published
    )


def _to_the_power(exponent: Figure) -> Figure:
    ends = {name: getattr(exponent, name) for name in ("value", "low", "high")}
    raised = {name: None if end is None else TENFOLD**end for name, end in ends.items()}
    return Figure(**raised, level=exponent.level, reason=exponent.reason)
