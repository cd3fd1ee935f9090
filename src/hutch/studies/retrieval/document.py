"""The study's analysis as one JSON document: what the report draws and `--json` prints."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hutch.runs import Ledger, LedgerRow
from hutch.studies.account_of_study import how_made, text_read
from hutch.studies.retrieval.claims import claims, shown_multiplier
from hutch.studies.retrieval.comparisons import (
    Scores,
    by_database,
    by_neighbours,
    by_seed,
    by_size,
    by_subset,
    compared,
)
from hutch.studies.retrieval.configuration import CHUNK, RetrievalConfig
from hutch.studies.retrieval.copying import copying, gain_at
from hutch.studies.retrieval.costs import database_flops, join_flops, search_flops
from hutch.studies.retrieval.examples import examples
from hutch.studies.retrieval.grid import sequences_at
from hutch.studies.retrieval.multiplier import frontier_points, multipliers
from hutch.studies.retrieval.notes import notes
from hutch.studies.retrieval.resampling import Resamples
from hutch.studies.retrieval.scores import HeldOut
from hutch.studies.retrieval.split import best_sizes, law

QUESTION = "At equal FLOPs, is retrieval worth more than parameters or tokens, and how much of its gain is copying?"


def analysis_document(config: RetrievalConfig, title: str, ledger: Ledger, folder: Path) -> dict[str, Any]:
    """Everything that the study found, from its ledger and the files of its folder alone."""
    rows, facts = ledger.rows(), ledger.facts()
    scores = scores_of(config, rows, facts, folder)
    cell, names = scores.reference(), facts["subsets"]
    document: dict[str, Any] = {
        "study": "retrieval",
        "title": title,
        "question": QUESTION,
        "scale": config.scale,
        "seed": config.seed,
        "level": config.level,
        "how": how_made(facts, rows),
        "corpus": text_read(facts["corpus"], rows),
        "model": _model(config, facts),
        "database": facts["database"],
        "budgets": list(config.budgets),
        "runs": [_run(row, facts["corpus"]["train"]["tokens"]) for row in rows],
        "reference": {"budget": cell.budget, "width": cell.width, "parameters": cell.retro.parameters,
                      **compared(scores, cell)},
        "cells": by_size(scores),
        "subsets": by_subset(scores, cell, names),
        "seeds": by_seed(scores),
        "neighbours_curve": by_neighbours(scores),
        "database_curve": by_database(scores),
        "copying": copying(scores, cell),
        "frontier": frontier_points(scores),
        "multiplier": multipliers(scores, facts["database"]),
        "gain_of_best": _gain_of_best(scores, cell.budget),
        "best_sizes": best_sizes(scores),
        "law": law(scores, facts["database"]),
        "costs": _costs(config, facts, rows),
        "examples": examples(scores, cell, names),
        "notes": notes(config, rows, facts),
    }  # fmt: skip
    document["claims"] = [claim.as_dict() for claim in claims(document)]
    document["answer"] = answer(document)
    return document


def scores_of(config: RetrievalConfig, rows: Sequence[LedgerRow], facts: Mapping[str, Any], folder: Path) -> Scores:
    """The finished runs with the held-out text and its resamples."""
    held_out = HeldOut.open(folder / "evaluation" / "chunks.npz")
    database = facts["database"]
    return Scores(
        config=config,
        rows=[row for row in rows if row.status == "done"],
        held_out=held_out,
        resamples=Resamples.draw(held_out.subset, held_out.document_bytes, config.bootstraps, config.seed),
        chunks=database["chunks"],
        sizes=facts["sizes"],
        tokens_per_chunk=(database["tokens"] - database["documents"]) / database["chunks"],
        folder=folder,
    )


def _gain_of_best(scores: Scores, budget: float) -> dict[str, Any] | None:
    """At one budget, the best size without retrieval minus the best size with it."""
    cells = [cell for cell in scores.cells() if cell.budget == budget]
    plain = [scores.figure(cell.plain) for cell in cells if cell.plain is not None]
    if not plain:
        return None
    retro = [scores.figure(cell.retro, scores.usual.name) for cell in cells]
    return scores.json(min(plain, key=lambda f: f.value) - min(retro, key=lambda f: f.value))


def answer(document: Mapping[str, Any]) -> str:
    """The result in three sentences; each says what its interval allows to say."""
    gain, curve = document["gain_of_best"], document["database_curve"]
    said = []
    if gain is not None:
        word = "beats" if gain["low"] > 0 else "loses to" if gain["high"] < 0 else "cannot be told from"
        worth = f"; one FLOP with it is worth {shown_multiplier(document['multiplier'][-1])} without"
        said.append(
            f"For {document['budgets'][-1]:.3g} FLOPs the best model with retrieval {word} the best one without, by "
            f"{in_words(gain)} bits per byte{worth if document['multiplier'] else ''}."
        )
    if curve["mean"]:
        same, line = curve["mean"][-1], curve["slope"]
        word = "gains" if same["low"] > 0 else "loses" if same["high"] < 0 else "gains nothing that can be told"
        if abs(same["value"]) <= (document["seeds"]["spread"] or 0.0):
            word = "changes less than another seed does"
        grown = "" if line is None else f", and {_growth(line)} with the size of the database"
        said.append(f"On the same tokens retrieval {word} ({in_words(same, signed=True)}){grown}.")
    left = gain_at(dict(document["copying"]), "exact", "off")
    if left is not None:
        word = "gains" if left["low"] > 0 else "loses" if left["high"] < 0 else "gains nothing that can be told"
        said.append(
            f"On text with at most 12.5 % in common with the training text, switching it on {word} "
            f"({in_words(left, signed=True)})."
        )
    return " ".join(said)


def in_words(gain: Mapping[str, Any], *, signed: bool = False) -> str:
    """A gain with its interval, three places, or four where three would leave nothing; without its sign unless
    `signed`."""
    ends = [gain[name] for name in ("value", "low", "high")]
    if not signed and ends[0] < 0:
        ends = [-ends[0], -ends[2], -ends[1]]
    places = 3 if abs(ends[0]) >= 0.001 else 4
    value, low, high = (f"{end:{'+' if signed else ''}.{places}f}".replace("-", "−") for end in ends)
    return f"{value} [{low}, {high}]"


def _growth(line: Mapping[str, Any]) -> str:
    per = f"by {in_words(line, signed=True)} a doubling"
    if line["low"] > 0:
        return f"the gain grows {per}"
    return (
        f"the gain shrinks {per}"
        if line["high"] < 0
        else f"no growth can be told ({in_words(line, signed=True)} a doubling)"
    )


def _model(config: RetrievalConfig, facts: Mapping[str, Any]) -> dict[str, Any]:
    batches = sorted({sequences_at(config, budget) * config.context for budget in config.budgets})
    return {
        "context": config.context,
        "positions": "rotary; relative in cross-attention",
        "batch_tokens": ", ".join(f"{batch:,}" for batch in batches),
        "learning_rate": config.peak_rate,
        "embedding_rate": config.embedding_rate * config.peak_rate,
        "schedule": "warm-up over 5 % of the steps, then a cosine to a tenth over the run's own length",
        "optimizer": "AdamW, betas 0.9 and 0.95, decay 0.1 on matrices, gradient norm clipped at 1",
        "sizes_and_rates": "64 units of width a layer, at least two layers; matrices' learning rate divided by width",
        "retro": f"encoder of two layers and half the decoder's width, k = {config.neighbours} in training, chunks of "
        f"{CHUNK} tokens and their continuations",
        "precision": facts["precision"],
    }


def _run(row: LedgerRow, available: int) -> dict[str, Any]:
    model = row.config["train"]["model"]
    rate = row.tokens / row.seconds if row.tokens and row.seconds else None
    return {
        "id": row.id,
        "role": row.role,
        "budget": row.budget,
        "layers": model["layers"],
        "width": model["width"],
        "parameters": row.parameters,
        "parameters_all": row.metrics.get("parameters_all"),
        "tokens": row.tokens,
        "tokens_per_parameter": row.tokens / row.parameters if row.tokens and row.parameters else None,
        "epochs": row.tokens / available if row.tokens else None,
        "flops": row.flops,
        "search_flops": row.metrics.get("search_flops"),
        "loss": row.loss,
        "bits_per_byte": row.metrics.get("bits_per_byte"),
        "seconds": row.seconds,
        "scoring_seconds": row.metrics.get("scoring_seconds"),
        "tokens_per_second": rate,
        "gflops": row.flops / row.seconds / 1e9 if row.flops and row.seconds else None,
        "status": row.status,
        "attempts": row.attempts,
        "error": row.error,
    }


def _costs(config: RetrievalConfig, facts: Mapping[str, Any], rows: Sequence[LedgerRow]) -> dict[str, Any]:
    """What retrieval costs: inside the budgets, once, and at evaluation."""
    database = facts["database"]
    done = [row for row in rows if row.status == "done"]
    plain = {row.config["train"]["model"]["width"]: row for row in done if row.role == "plain"}
    return {
        "sizes": [
            {
                "width": width,
                "budget": row.budget,
                "retro_flops_per_token": row.metrics["flops_per_token"],
                "plain_flops_per_token": plain[width].metrics["flops_per_token"] if width in plain else None,
                "search_flops_per_token": join_flops(database) / CHUNK,
                "search_share": row.metrics["search_flops"] / row.flops if row.flops else None,
                "tokens_per_second": row.tokens / row.seconds if row.tokens and row.seconds else None,
            }
            for row in done
            if row.role == "retro" and (width := row.config["train"]["model"]["width"])
        ],
        "database_flops": database_flops(database),
        "database_share": database_flops(database) / config.budgets[-1],
        "evaluation_search_flops_per_token": search_flops(database) / CHUNK,
        "distances": {
            "joining": database["distances_joining"],
            "searching": database["distances_searching"],
            "chunks": database["chunks"],
        },
        "seconds_by_stage": facts["seconds_by_stage"],
        "scoring_seconds": sum(row.metrics.get("scoring_seconds", 0.0) for row in done),
    }
