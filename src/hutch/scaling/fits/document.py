"""A fit as one JSON document: what was asked, what came out, and, for pictures, the lines to draw."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from hutch.scaling.columns import Array
from hutch.scaling.fits.envelope import EnvelopeFit
from hutch.scaling.fits.parametric_fit import ParametricFit
from hutch.scaling.fits.request import FitRequest, Fitted
from hutch.scaling.fits.saved import Fit
from hutch.scaling.intervals import json_numbers
from hutch.scaling.published import LAWS
from hutch.scaling.run_table import RunTable

FAR = 1e3
"""Beyond the data by more than this factor in FLOP, a figure carries a warning."""
_POINTS = 60
_CLOUD = 2000


def fit_document(
    fitted: Fitted,
    request: FitRequest,
    table: Mapping[str, Any],
    *,
    title: str,
    command: str = "",
    drawing: bool = False,
) -> dict[str, Any]:
    """{"kind", "title", "command", "table", "options", "runs", "fits", "reasons", "optima", "holdout",
    "warnings"} and, with `drawing`, "drawing". `table` says where the runs come from (`TableReading.as_dict`)."""
    document = {
        "kind": "fit",
        "title": title,
        "command": command,
        "table": dict(table),
        "options": request.as_dict(),
        "runs": runs_dict(fitted.runs),
        "fits": {name: _fit_dict(fit) for name, fit in fitted.fits.items()},
        "reasons": dict(fitted.reasons),
        "optima": [_optimum(fitted, flops) for flops in request.at],
        "holdout": _holdout(fitted, request),
        "warnings": warnings(fitted, request),
    }
    return document | ({"drawing": drawing_of(fitted)} if drawing else {})


def runs_dict(runs: RunTable) -> dict[str, Any]:
    """The columns of the table, as lists."""
    names = ("parameters", "tokens", "flops", "loss", "budget", "lines")
    return {name: json_numbers(getattr(runs, name)) for name in names} | {"flops_per_nd": runs.flops_per_nd}


def warnings(fitted: Fitted, request: FitRequest) -> list[str]:
    """What a reader must know: the fits' own notes, and figures far beyond the data."""
    found = [f"{name}: {note}" for name, fit in fitted.fits.items() if fit is not None for note in fit.notes]
    found += _contradictions(fitted)
    least, most = float(fitted.runs.flops.min()), float(fitted.runs.flops.max())
    for flops in request.at:
        orders = np.log10(flops / most) if flops > most else np.log10(least / flops)
        if orders > np.log10(FAR):
            side = "above the largest" if flops > most else "below the smallest"
            found.append(f"{flops:.3g} FLOP is {orders:.1f} orders of magnitude {side} run of the table")
    return found


def _contradictions(fitted: Fitted) -> list[str]:
    """Pairs of approaches whose intervals of a do not meet."""
    said = {name: fit.a for name, fit in fitted.lawful.items() if fit.a is not None}
    return [
        f"{one} and {other} contradict each other: a is {a.value:.3f} [{a.low:.3f}, {a.high:.3f}] and {b.value:.3f} "
        f"[{b.low:.3f}, {b.high:.3f}], intervals that do not meet"
        for (one, a), (other, b) in combinations(said.items(), 2)
        if a.high < b.low or b.high < a.low
    ]


def _fit_dict(fit: Fit | None) -> dict[str, Any] | None:
    if isinstance(fit, EnvelopeFit):
        return fit.as_dict(points=200)
    return fit.as_dict() if fit else None


def _optimum(fitted: Fitted, flops: float) -> dict[str, Any]:
    return {"flops": flops, "fits": {name: fit.optimal(flops).as_dict() for name, fit in fitted.lawful.items()}}


def _holdout(fitted: Fitted, request: FitRequest) -> dict[str, Any] | None:
    """By approach; the lowest losses of profiles under "isoflop_loss"."""
    if request.holdout_above is None:
        return None
    fits = {}
    for name, holdouts in fitted.holdouts.items():
        fits |= {name if i == 0 else f"{name}_{one.quantity}": one.as_dict() for i, one in enumerate(holdouts)}
    return {"above": request.holdout_above, "fits": fits}


def drawing_of(fitted: Fitted) -> dict[str, Any]:
    """Lines, bands and clouds for pictures, from the lowest FLOP of the table to a hundred times its highest."""
    runs = fitted.runs
    compute = np.geomspace(runs.flops.min(), 100 * runs.flops.max(), _POINTS)
    parametric, envelope = fitted.fits.get("parametric"), fitted.fits.get("envelope")
    return {
        "compute": compute.tolist(),
        "laws": {name: fit.optimal(compute).as_dict() for name, fit in fitted.lawful.items()},
        "published": [_published(key, compute) for key in LAWS],
        "parametric": _parametric(parametric, runs, compute) if isinstance(parametric, ParametricFit) else None,
        "envelope_points": envelope.as_dict(points=300)["points"] if isinstance(envelope, EnvelopeFit) else None,
        "curves": _curves(runs),
    }


def _published(key: str, compute: Array) -> dict[str, Any]:
    law = LAWS[key]
    sizes = {"parameters": law.n_opt(compute).tolist(), "tokens": law.d_opt(compute).tolist()}
    return {"key": key, "name": law.name, **sizes}


def _parametric(fit: ParametricFit, runs: RunTable, compute: Array) -> dict[str, Any] | None:
    if fit.law is None:
        return None
    predicted = fit.law.loss(runs.parameters, runs.tokens)
    document = {"predicted": predicted.tolist(), "residuals": np.log(predicted / runs.loss).tolist()}
    if fit.allocation is None:
        return document | {"cloud": None, "contours": None}
    held = np.isfinite(fit.draws).all(1)
    a, E = fit.allocation.draws[held, 1][:_CLOUD], fit.draws[held, 0][:_CLOUD]
    return document | {"cloud": {"a": a.tolist(), "E": E.tolist()}, "contours": _contours(fit, runs, compute)}


def _contours(fit: ParametricFit, runs: RunTable, compute: Array) -> dict[str, Any]:
    """Loss on a grid of (C, N), as in Hoffmann et al. 2022, Figure 4, left; rows are sizes."""
    assert fit.law is not None
    best = np.asarray(fit.law.n_opt(compute, fit.flops_per_nd))
    low, high = min(runs.parameters.min(), best.min()) / 2, max(runs.parameters.max(), best.max()) * 2
    sizes = np.geomspace(low, high, _POINTS)
    tokens = compute[None] / (fit.flops_per_nd * sizes[:, None])
    loss = fit.law.loss(np.broadcast_to(sizes[:, None], tokens.shape), tokens)
    return {"compute": compute.tolist(), "parameters": sizes.tolist(), "loss": loss.tolist()}


def _curves(runs: RunTable, points: int = 120) -> list[dict[str, Any]] | None:
    """The training curves, thinned."""
    if runs.curves is None:
        return None
    thinned = []
    for curve in runs.curves:
        picked = np.unique(np.linspace(0, len(curve.flops) - 1, points).astype(int))
        smooth = curve.smoothed(10.0)[picked]
        thinned.append({"parameters": curve.parameters, "flops": curve.flops[picked].tolist(), "loss": smooth.tolist()})
    return thinned
