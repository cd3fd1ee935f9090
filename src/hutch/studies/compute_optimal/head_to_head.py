"""The Chinchilla test: at one budget, the predicted optimum against a model of four times its parameters.

Gopher had four times Chinchilla's parameters and about a quarter of its tokens, at the same compute. Both models
score the same held-out documents, so that the difference is paired over documents.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hutch.runs import LedgerRow
from hutch.scaling import Interval, paired_ratio_difference
from hutch.studies.claims import Verdict
from hutch.studies.compute_optimal.analysis import done
from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig
from hutch.studies.compute_optimal.scores import Holdout

MINIMUM_DOCUMENTS = 2


def chinchilla_test(
    config: ComputeOptimalConfig, holdout: Holdout, rows: Sequence[LedgerRow], trouble: str | None = None
) -> dict[str, Any]:
    """Bits per byte of both models over all held-out documents and over each subset, with paired intervals.

    `trouble` is what kept the models from being trained, where something did.
    """
    document: dict[str, Any] = {"budget": config.holdout_budget, "reason": None}
    optimal, gopher = done(rows, "optimal"), done(rows, "gopher-like")
    if not optimal or not gopher:
        missing = [name for name, found in (("predicted optimum", optimal), ("Gopher-like model", gopher)) if not found]
        why = f"there is no trained {' and no '.join(missing)}" + (f": {trouble}" if trouble else "")
        return document | {"verdict": "not measured", "reason": why}
    nats = tuple(np.asarray(run[0].metrics["document_nats"]) for run in (optimal, gopher))
    weights = holdout.mixture_weights()
    everything = holdout.scored()
    overall = _compared("all, mixed as in training", holdout, nats, everything, weights, config)
    subsets = [
        _compared(name, holdout, nats, holdout.rows(name), np.ones_like(weights), config)
        for name in holdout.names
        if holdout.rows(name).sum() >= MINIMUM_DOCUMENTS
    ]
    return document | {
        "optimal": optimal[0].id,
        "gopher_like": gopher[0].id,
        "overall": overall,
        "subsets": subsets,
        "verdict": verdict(overall["difference"], [subset["difference"] for subset in subsets]),
    }


def verdict(overall: dict[str, float], subsets: Sequence[dict[str, float]]) -> Verdict:
    """The paper's claim is a win on every subset: reproduced if the whole is won beyond doubt and no subset is lost
    beyond doubt, contradicted if the whole is lost beyond doubt; else the documents cannot tell."""
    if overall["high"] < 0 and all(subset["low"] <= 0 for subset in subsets):
        return "reproduced"
    return "contradicted" if overall["low"] > 0 else "not at this scale"


def _compared(
    name: str,
    holdout: Holdout,
    nats: tuple[np.ndarray, ...],
    rows: np.ndarray,
    weights: np.ndarray,
    config: ComputeOptimalConfig,
) -> dict[str, Any]:
    """Both models on the documents `rows`; a document of weight 2 counts as two."""
    size = (holdout.bytes * weights)[rows]
    ours, theirs = ((values * weights)[rows] for values in nats)
    difference: Interval = paired_ratio_difference(
        ours, theirs, size, bootstraps=config.bootstraps, level=config.level, seed=config.seed
    )
    return {
        "name": name,
        "documents": int(rows.sum()),
        "bytes": int(holdout.bytes[rows].sum()),
        "optimal_bpb": float(ours.sum() / size.sum() / np.log(2)),
        "gopher_like_bpb": float(theirs.sum() / size.sum() / np.log(2)),
        "difference": difference.as_dict(),
    }
