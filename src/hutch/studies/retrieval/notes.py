"""What a reader must know before quoting the study's figures."""

from collections.abc import Mapping, Sequence
from typing import Any

from hutch.runs import LedgerRow
from hutch.studies.counting import human
from hutch.studies.retrieval.configuration import RetrievalConfig


def notes(config: RetrievalConfig, rows: Sequence[LedgerRow], facts: Mapping[str, Any]) -> list[str]:
    """Caveats, each a sentence or two."""
    database, holdout = facts["database"], facts["holdout_tokens"]
    found = [
        "Bits per byte are over all held-out bytes together, each document cut to "
        f"{config.holdout_document_tokens} tokens and read in windows of {config.context} that do not overlap: tokens "
        "early in a window see little before them, and the first chunk of a window has no neighbours. Same for all "
        "models.",
        f"Intervals ({config.level:.0%}) come from resampling the held-out documents ({human(holdout)} tokens), the "
        "same draws for all models. They do not hold the spread between seeds of training: each run was made once.",
        f"The database is the training text itself, {human(database['tokens'])} tokens; the paper's has 600 billion in "
        "training and 1.75 trillion at evaluation. With at most 4 billion tokens the paper's gain on C4 is at most "
        "0.01 bits per byte, so a small gain is what is to be expected here, and a large one would point at leakage.",
        "A training window finds no neighbour in any document that it touches, and no held-out document is in the "
        "database; near copies among other documents stay, as the overlaps show.",
        "Smaller databases are the first chunks of the whole one, whose documents stand in random order. The models "
        "were trained with the whole database.",
        "FLOPs of a run hold encoder, cross-attention, and the search for its training neighbours. The database itself "
        "is a one-off cost, given apart; learning the static word vectors is not counted.",
    ]
    if len(config.budgets) == 1:
        found.append("One budget only: how the best size moves with compute is not measured at this scale.")
    if facts["join"]["short"]:
        found.append(f"{facts['join']['short']} training chunks have fewer than {config.neighbours} neighbours.")
    found += _epochs(rows, facts["corpus"]["train"]["tokens"])
    found += [f"The subset {name} was left out: {reason}" for name, reason in facts["corpus"]["missing"].items()]
    found += _troubled(rows)
    return found


def _epochs(rows: Sequence[LedgerRow], available: int) -> list[str]:
    most = max((row.tokens or 0 for row in rows), default=0) / available
    return [f"Some runs read the corpus more than once, {most:.1f} times at most."] if most > 1 else []


def _troubled(rows: Sequence[LedgerRow]) -> list[str]:
    found = []
    for row in rows:
        if row.status == "done" and row.attempts > 1:
            found.append(f"Run {row.id} took {row.attempts} attempts (first: {row.error}).")
        elif row.status in ("diverged", "failed"):
            found.append(f"Run {row.id} ({row.role}) is not in the figures: {row.error}.")
    return found
