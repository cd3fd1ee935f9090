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


def chinchilla_test(config: ComputeOptimalConfig, holdout: Holdout, rows: Sequence[LedgerRow]) -> dict[str, Any]:
    """Bits per byte of both models over all held-out documents and over each subset, with paired intervals."""
    document: dict[str, Any] = {"budget": config.holdout_budget, "reason": None}
    optimal, gopher = done(rows, "optimal"), done(rows, "gopher-like")
    if not optimal or not gopher:
        missing = [name for name, found in (("predicted optimum", optimal), ("Gopher-like model", gopher)) if not found]
        return document | {"verdict": "not measured", "reason": f"there is no trained {' and no '.join(missing)}"}
    nats = tuple(np.asarray(run[0].metrics["document_nats"]) for run in (optimal, gopher))
    everything = np.ones(len(holdout.subset), bool)
    overall = _compared("all held-out text", holdout, nats, everything, config)
    subsets = [
        _compared(name, holdout, nats, holdout.rows(name), config)
        for name in holdout.names
        if holdout.rows(name).sum() >= MINIMUM_DOCUMENTS
    ]
    return document | {
        "optimal": optimal[0].id,
        "gopher_like": gopher[0].id,
        "overall": overall,
        "subsets": subsets,
        "verdict": verdict(overall["difference"]),
    }


def verdict(difference: dict[str, float]) -> Verdict:
    """Chinchilla wins, loses, or the documents cannot tell."""
    if difference["high"] < 0:
        return "reproduced"
    return "contradicted" if difference["low"] > 0 else "not at this scale"


def _compared(
    name: str, holdout: Holdout, nats: tuple[np.ndarray, ...], rows: np.ndarray, config: ComputeOptimalConfig
) -> dict[str, Any]:
    size = holdout.bytes[rows]
    ours, theirs = (values[rows] for values in nats)
    difference: Interval = paired_ratio_difference(
        ours, theirs, size, bootstraps=config.bootstraps, level=config.level, seed=config.seed
    )
    return {
        "name": name,
        "documents": int(rows.sum()),
        "bytes": int(size.sum()),
        "optimal_bpb": float(ours.sum() / size.sum() / np.log(2)),
        "gopher_like_bpb": float(theirs.sum() / size.sum() / np.log(2)),
        "difference": difference.as_dict(),
    }
