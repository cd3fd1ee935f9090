"""What a reader must know before quoting the study's figures."""

from collections.abc import Sequence
from typing import Any

from hutch.runs import LedgerRow
from hutch.studies.compute_optimal.analysis import Fits, done, model_of
from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig
from hutch.studies.counting import count


def notes(config: ComputeOptimalConfig, fits: Fits, rows: Sequence[LedgerRow], facts: dict[str, Any]) -> list[str]:
    """Caveats, each a sentence or two."""
    found = [
        "FLOPs follow Hoffmann et al. 2022, Appendix F, less the embedding look-up, which multiplies nothing; a run's "
        f"FLOPs are {fits.flops_per_nd:.2f} times parameters times tokens here, where the usual estimate has 6.",
        "Losses are on held-out documents, each subset weighted by its share of the training text. Approach 1 reads "
        "the training losses instead: no text repeats within an epoch, so both estimate the same.",
        "Parameters include the embedding, as Hoffmann et al. count them. " + _embedding_share(rows),
        "Each budget's runs share seed, data order and batch size. Intervals come from resampling these runs; they do "
        "not hold the spread between seeds, nor the bias of a parabola on a lopsided valley.",
        *_refused(fits),
        *_epochs(rows, facts),
        *_troubled(rows),
    ]
    skipped = ", ".join(
        f"{count} {ending or 'without an ending'}" for ending, count in facts["corpus"]["skipped"].items()
    )
    if skipped:
        found.append(f"Files of kinds that are not read were left out: {skipped}.")
    missing = facts["corpus"]["missing"]
    found += [f"The subset {name} was left out: {reason}" for name, reason in missing.items()]
    if any("code" in name for name in facts["corpus"]["subsets"]) and config.source.startswith("embedded"):
        found.append(f"The code subset is the standard library of Python {facts['python']}, and differs by version.")
    return found


def _embedding_share(rows: Sequence[LedgerRow]) -> str:
    shares = [(m.vocabulary * m.width) / count(m) for m in (model_of(row) for row in rows)]
    return f"It holds {min(shares):.0%} to {max(shares):.0%} of them in these small models; in Gopher, under 1 %."


def _refused(fits: Fits) -> list[str]:
    profiles = fits.profiles.profiles if fits.profiles is not None else ()
    return [f"The budget {p.budget:.3g} is not used: {p.reason}." for p in profiles if not p.used]


def _epochs(rows: Sequence[LedgerRow], facts: dict[str, Any]) -> list[str]:
    available = facts["corpus"]["train"]["tokens"]
    repeats = [
        row for row in done(rows, "profile", "holdout", "optimal", "gopher-like") if (row.tokens or 0) > available
    ]
    if not repeats:
        return []
    most = max(row.tokens or 0 for row in repeats) / available
    return [f"{len(repeats)} runs read the corpus more than once, {most:.1f} times at most."]


def _troubled(rows: Sequence[LedgerRow]) -> list[str]:
    found = []
    for row in rows:
        if row.status == "done" and row.attempts > 1:
            rate = row.metrics.get("peak_rate")
            found.append(f"Run {row.id} took {row.attempts} attempts (first: {row.error}); peak rate {rate:g}.")
        elif row.status in ("diverged", "failed"):
            found.append(f"Run {row.id} is not in the fits: {row.error}.")
    return found
