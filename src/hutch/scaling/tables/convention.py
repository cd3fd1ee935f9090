"""C/(N·D) of a table: whether its FLOPs are those of training, and by which count."""

import math
from collections.abc import Collection, Mapping
from typing import NoReturn

import numpy as np

from hutch.runs.errors import BadInput
from hutch.scaling.columns import Array
from hutch.scaling.laws import FLOPS_PER_ND
from hutch.scaling.run_table import RunTable

NOTED, REFUSED = 0.02, 0.25
"""How far the median may be from what is expected before it is noted, and before it is refused."""

CONTRADICTION = 2.0
"""A row this factor from the median is wrong in itself."""

NEAR_CAUSE = 0.15
"""How near to a cause's figure the median must be to be put down to it."""

PF_DAYS = FLOPS_PER_ND / 8.64e19

CAUSES = {
    1.0: "multiply–adds of the forward pass alone",
    2.0: "the FLOP of the forward pass alone, a third of training",
    3.0: "multiply–adds, which are 2 FLOP each",
    8.0: "FLOP with activations computed a second time for the backward pass",
}


def derived(sizes: Mapping[str, Array], kappa: float | None) -> tuple[str, Array, str]:
    """The missing one of parameters, tokens and flops by κ·N·D = C, κ = 6 where None: role, values, formula. What
    is out of the range of floats comes out as 0 or infinite."""
    k = kappa or FLOPS_PER_ND
    with np.errstate(all="ignore"):
        if "flops" not in sizes:
            return "flops", k * sizes["parameters"] * sizes["tokens"], f"{k:g} × parameters × tokens"
        role, other = ("tokens", "parameters") if "parameters" in sizes else ("parameters", "tokens")
        return role, sizes["flops"] / k / sizes[other], f"flops / ({k:g} × {other})"


def convention_faults(
    source: str, sizes: Mapping[str, Array], expected: float | None, faults: Collection[int]
) -> dict[int, str]:
    """Rows, beside those of `faults`, whose C/(N·D) is far from the table's. `BadInput` where the table's, the median,
    is not about `expected` (6 where None): it says what the cause may be."""
    rows = np.setdiff1d(np.arange(len(sizes["flops"])), list(faults))
    if not rows.size:
        return {}
    parameters, tokens, flops = (sizes[role][rows] for role in ("parameters", "tokens", "flops"))
    ratio = _ratio(parameters, tokens, flops)
    median = float(np.median(ratio))
    if not abs(median / (expected or FLOPS_PER_ND) - 1) <= REFUSED:
        _refuse(source, median, float(np.median(flops / parameters)), expected)
    with np.errstate(divide="ignore"):
        far = np.flatnonzero(np.abs(np.log(ratio / median)) > math.log(CONTRADICTION))
    return {int(rows[i]): f"C/(N·D) is {ratio[i]:.3g}, not about {median:.3g}" for i in far}


def convention_note(runs: RunTable, expected: float | None) -> list[str]:
    """A note where FLOPs are counted otherwise than as κ·N·D."""
    median, wanted = runs.flops_per_nd, expected or FLOPS_PER_ND
    if abs(median / wanted - 1) <= NOTED:
        return []
    ratio = _ratio(runs.parameters, runs.tokens, runs.flops)
    return [
        f"C/(N·D) is {median:.3g} (median; {ratio.min():.3g} to {ratio.max():.3g}), not {wanted:g}: C, N and D are in "
        "the table's own count, and so are the laws fitted to them"
    ]


def _ratio(parameters: Array, tokens: Array, flops: Array) -> Array:
    # N·D may be out of the range of floats where C/N/D is not.
    with np.errstate(over="ignore", under="ignore"):
        return flops / parameters / tokens


def _refuse(source: str, median: float, per_parameter: float, expected: float | None) -> NoReturn:
    start = f"{source}: C/(N·D) is {median:.3g} (median), not about {expected or FLOPS_PER_ND:g}"
    recompute = "--derive flops for C = κ·N·D"
    if expected is not None:
        raise BadInput(f"{start} as --flops-per-nd says: pass {median:.3g}, or {recompute}")
    power = math.log10(median / FLOPS_PER_ND) if 0 < median < math.inf else 0.0
    whole = round(power)
    if whole and abs(power - whole) < math.log10(1.05):
        if whole > 0:
            raise BadInput(f"{start}; are N or D in units, together 1e{whole}? Names such as params_M would say so")
        raise BadInput(f"{start}; C looks to be in units of 1e{-whole} FLOP: pass {recompute}")
    if abs(per_parameter / FLOPS_PER_ND - 1) < 0.5:
        raise BadInput(f"{start}; C looks to be FLOP for each token: pass {recompute}")
    if abs(median / PF_DAYS - 1) < NEAR_CAUSE:
        raise BadInput(f"{start}; C looks to be in PF-days, of 8.64e19 FLOP: pass {recompute}")
    causes = [cause for value, cause in CAUSES.items() if abs(median / value - 1) < NEAR_CAUSE]
    cause = f"; C looks to be {causes[0]}" if causes else ""
    raise BadInput(f"{start}{cause}: pass --flops-per-nd {median:.3g} if that is meant, or {recompute}")
