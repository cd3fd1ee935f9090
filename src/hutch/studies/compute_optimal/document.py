"""The study's analysis as one JSON document: what the report draws and `--json` prints."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hutch.lm import shape_of
from hutch.runs import Ledger, LedgerRow
from hutch.scaling import PUBLISHED, parameters_non_embedding
from hutch.studies.account_of_study import how_made, text_read
from hutch.studies.compute_optimal.analysis import Fits, bands, extrapolation, model_of
from hutch.studies.compute_optimal.claims import claims
from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig
from hutch.studies.compute_optimal.grid import sequences_at
from hutch.studies.compute_optimal.head_to_head import chinchilla_test
from hutch.studies.compute_optimal.notes import notes
from hutch.studies.compute_optimal.scores import Holdout
from hutch.studies.counting import count, human

QUESTION = "For a given amount of compute, how large should a language model be, and how much text should it read?"

CURVE_POINTS = 160
"""Points of each training curve in the document; the ledger keeps every step."""

ENVELOPE_POINTS = 240
"""Points of the envelope in the document; the fit uses many more."""


def analysis_document(config: ComputeOptimalConfig, title: str, ledger: Ledger, fits: Fits) -> dict[str, Any]:
    """Everything that the study found, from its ledger alone; `fits` are those of the ledger's profiles."""
    rows, facts = ledger.rows(), ledger.facts()
    test = chinchilla_test(config, Holdout.from_dict(facts["holdout"]), rows, facts.get("holdout_trouble"))
    beyond = extrapolation(config, fits, rows)
    corpus = facts["corpus"]
    return {
        "study": "compute-optimal",
        "title": title,
        "question": QUESTION,
        "answer": _answer(config, fits, test, beyond),
        "scale": config.scale,
        "seed": config.seed,
        "how": how_made(facts, rows),
        "corpus": text_read(corpus, rows),
        "model": _model(config, facts),
        "runs": [_run(row, corpus["train"]["tokens"]) for row in rows],
        "budgets": list(config.budgets),
        "holdout_budget": config.holdout_budget,
        "fits": _fits(fits),
        "bands": bands(config, fits),
        "published": [_published(law) for law in PUBLISHED if law.a_printed is not None],
        "extrapolation": beyond,
        "chinchilla_test": test,
        "samples": _samples(rows),
        "claims": [claim.as_dict() for claim in claims(config, fits, test)],
        "notes": notes(config, fits, rows, facts),
    }


def _answer(config: ComputeOptimalConfig, fits: Fits, test: dict[str, Any], beyond: dict[str, Any]) -> str:
    """The result in two sentences."""
    best = fits.best()
    if best is None:
        return f"No law came out of these runs: {beyond['reason']}."
    fit = best[1]
    a = f"C^{fit.a.value:.2f} ({100 * fit.a.level:.0f} % interval {fit.a.low:.2f} to {fit.a.high:.2f})"
    best_size = human(beyond["parameters_predicted"]["value"])
    first = (
        f"The best size grows as {a} over budgets from {config.budgets[0]:.3g} to {config.budgets[-1]:.3g} FLOPs, so "
        f"{config.holdout_budget:.3g} FLOPs are best spent on {best_size} parameters."
    )
    if test["reason"]:
        return first
    d = test["overall"]["difference"]
    better = "beats" if d["high"] < 0 else "loses to" if d["low"] > 0 else "cannot be told from"
    return (
        f"{first} There, the predicted optimum {better} a model four times its size on a quarter of the tokens: "
        f"{test['overall']['optimal_bpb']:.3f} against {test['overall']['gopher_like_bpb']:.3f} bits per byte."
    )


def _model(config: ComputeOptimalConfig, facts: dict[str, Any]) -> dict[str, Any]:
    smallest, largest = (sequences_at(config, b) * config.context for b in (config.budgets[0], config.holdout_budget))
    return {
        "context": config.context,
        "positions": config.positions,
        "batch_tokens": f"{smallest:,} to {largest:,}, growing as the cube root of the budget",
        "learning_rate": config.peak_rate,
        "embedding_rate": config.embedding_rate * config.peak_rate,
        "schedule": "warm-up over 5 % of the steps, then a cosine to a tenth over the run's own length",
        "optimizer": "AdamW, betas 0.9 and 0.95, decay 0.1 on matrices, gradient norm clipped at 1",
        "sizes_and_rates": "64 units of width a layer, at least two layers; matrices' learning rate divided by width",
        "precision": facts["precision"],
    }


def _run(row: LedgerRow, available: int) -> dict[str, Any]:
    model = model_of(row)
    size = count(model)
    rate = row.tokens / row.seconds if row.tokens and row.seconds else None
    return {
        "id": row.id,
        "role": row.role,
        "budget": row.budget,
        "layers": model.layers,
        "width": model.width,
        "heads": model.heads,
        "parameters": size,
        "parameters_non_embedding": parameters_non_embedding(shape_of(model), model.positions),
        "sequences": row.config["sequences"],
        "tokens": row.tokens,
        "tokens_per_parameter": row.tokens / size if row.tokens else None,
        "epochs": row.tokens / available if row.tokens else None,
        "flops": row.flops,
        "flops_6nd": 6.0 * size * row.tokens if row.tokens else None,
        "train_loss": _final_loss(row.curve),
        "loss": row.loss,
        "bits_per_byte": row.metrics.get("bits_per_byte"),
        "bits_per_byte_by_subset": row.metrics.get("bits_per_byte_by_subset"),
        "peak_rate": row.metrics.get("peak_rate"),
        "seconds": row.seconds,
        "tokens_per_second": rate,
        "gflops": row.flops / row.seconds / 1e9 if row.flops and row.seconds else None,
        "status": row.status,
        "attempts": row.attempts,
        "error": row.error,
        "curve": _thinned(row),
    }


def _final_loss(curve: np.ndarray | None) -> float | None:
    """Mean training loss of the last twentieth of the steps."""
    return float(curve[-max(1, len(curve) // 20) :].mean()) if curve is not None else None


def _thinned(row: LedgerRow) -> dict[str, list[float]] | None:
    """The curve as means over equal stretches, placed at their ends."""
    if row.curve is None or not row.tokens or row.flops is None:
        return None
    ends = np.unique(np.linspace(0, len(row.curve), min(CURVE_POINTS, len(row.curve)) + 1).astype(int))
    means = np.add.reduceat(row.curve.astype(float), ends[:-1]) / np.diff(ends)
    share = ends[1:] / len(row.curve)
    return {
        "tokens": (share * row.tokens).tolist(),
        "flops": (share * row.flops).tolist(),
        "loss": means.tolist(),
    }


def _fits(fits: Fits) -> dict[str, Any]:
    return {
        "profiles": _fit(fits, "profiles"),
        "envelope": _fit(fits, "envelope", points=ENVELOPE_POINTS),
        "parametric": _fit(fits, "parametric"),
        "flops_per_nd": fits.flops_per_nd,
    }


def _fit(fits: Fits, name: str, **options: Any) -> dict[str, Any]:
    """The fit as it describes itself, `options` to its `as_dict`; without one, the reason and no exponents."""
    fit = getattr(fits, name)
    told = fit.as_dict(**options) if fit is not None else dict.fromkeys(("a", "b", "k_n", "k_d"))
    return told | {"reason": fits.reasons.get(name)}


def _published(law: Any) -> dict[str, Any]:
    return {
        "name": law.name,
        "source": law.source,
        "a": law.a_printed,
        "b": law.b_printed,
        "a_low": law.a_low,
        "a_high": law.a_high,
    }


def _samples(rows: Sequence[LedgerRow]) -> list[dict[str, Any]]:
    return [
        {"run": row.id, "role": row.role, **sample}
        for row in rows
        if row.role in ("optimal", "gopher-like")
        for sample in row.metrics.get("samples", [])
    ]
