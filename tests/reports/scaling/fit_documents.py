"""Documents of fits to a known law with noise: a sweep of budgets with training curves, one budget lopsided."""

import copy
import json
from functools import cache
from typing import Any

import numpy as np

from hutch.scaling.curves import Curve
from hutch.scaling.fits.document import fit_document
from hutch.scaling.fits.request import FitRequest, fit_table
from hutch.scaling.laws import ParametricLaw
from hutch.scaling.run_table import RunTable

LAW = ParametricLaw(E=1.7, A=420.0, B=1100.0, alpha=0.34, beta=0.36)
BUDGETS = (1e17, 3e17, 1e18, 3e18, 1e19, 3e19)
LOPSIDED = 3e17
HELD_OUT = 8e18


def sweep(curves: bool = True) -> RunTable:
    """Seven sizes a budget around the law's optimum, at one budget only larger ones; lines count from 2."""
    random = np.random.default_rng(5)
    sizes, spent = [], []
    for budget in BUDGETS:
        factors = np.geomspace(3, 12, 7) if budget == LOPSIDED else np.geomspace(1 / 3, 3, 7)
        sizes += list(factors * LAW.n_opt(budget))
        spent += [budget] * 7
    n, c = np.array(sizes), np.array(spent)
    loss = LAW.loss(n, c / 6 / n) * np.exp(0.002 * random.standard_normal(len(n)))
    return RunTable.of(
        parameters=n,
        flops=c,
        loss=loss,
        budget=c,
        lines=np.arange(2, len(n) + 2),
        curves=[_curve(size, budget, random) for size, budget in zip(n, c, strict=True)] if curves else None,
    )


def _curve(size: float, budget: float, random: np.random.Generator) -> Curve:
    tokens = np.geomspace(budget / 6 / size / 300, budget / 6 / size, 60)
    losses = LAW.loss(np.full(60, size), tokens) + 0.003 * random.standard_normal(60)
    return Curve(size, 6 * size * tokens, tokens, losses)


@cache
def _whole() -> str:
    request = FitRequest(
        bootstraps=40, points=150, window=2.0, minimum_budgets=3, keep_edges=True, holdout_above=HELD_OUT, at=(1e21,)
    )
    table = {
        "source": "runs/sweep.csv",
        "rows": 44,
        "left_out": 0,
        "runs": 42,
        "columns": {"parameters": "n_params", "flops": "compute", "loss": "val_loss", "budget": "compute"},
        "dropped": [{"line": 44, "reason": "val_loss: empty"}],
        "notes": ["equal runs are counted as independent: lines 3 and 4"],
    }
    fitted = fit_table(sweep(), request)
    document = fit_document(
        fitted, request, table, title="sweep.csv", command="hutch fit sweep.csv --at 1e21", drawing=True
    )
    return json.dumps(document, allow_nan=False)


def whole() -> dict[str, Any]:
    """A document in which every approach gave a law and runs were held out; a copy that may be changed."""
    return copy.deepcopy(json.loads(_whole()))


def without(document: dict[str, Any], *path: str) -> dict[str, Any]:
    """The document with null at `path`."""
    here = document
    for name in path[:-1]:
        here = here[name]
    here[path[-1]] = None
    return document
