"""How a study was made and on which text: parts of every study's document."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hutch.runs import LedgerRow


def how_made(facts: Mapping[str, Any], rows: Sequence[LedgerRow]) -> dict[str, Any]:
    """Command, machine, versions, time and memory."""
    trained = sum(row.seconds or 0.0 for row in rows)
    seconds = facts.get("seconds")
    return {
        "command": facts["command"],
        "machine": facts["machine"],
        "precision": facts["precision"],
        "python": facts["python"],
        "torch": facts["torch"],
        "workers": facts["workers"],
        "git": next((row.revision for row in rows if row.revision), None),
        "seconds": seconds,
        "training_seconds": trained,
        "train_share": trained / (seconds * facts["workers"]) if seconds else None,
        "peak_memory_mb": facts.get("peak_memory_mb"),
        "peak_gflops": facts["peak_flops_per_second"] / 1e9,
        "started": _when(facts["started"]),
        "finished": _when(facts.get("finished")),
    }


def text_read(manifest: Mapping[str, Any], rows: Sequence[LedgerRow]) -> dict[str, Any]:
    """Subsets with their licences, those that are missing, and how often the text was read."""
    found = [{"name": name, "missing": None, **facts} for name, facts in manifest["subsets"].items()]
    missing = [{"name": name, "missing": reason} for name, reason in manifest["missing"].items()]
    return {
        "subsets": found + missing,
        "train_tokens": manifest["train"]["tokens"],
        "bytes_per_token": manifest["bytes_per_token"],
        "vocabulary": manifest["config"]["vocabulary"],
        "duplicates_removed": sum(facts["duplicates"] for facts in manifest["subsets"].values()),
        "max_epochs": max((row.tokens or 0 for row in rows), default=0) / manifest["train"]["tokens"],
    }


def _when(seconds: float | None) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else None
