"""Runs: configuration, ledger, executors, progress, atomic files, seeds. The ground floor of the house."""

from hutch.runs.configuration import canonical_json, digest, plain
from hutch.runs.errors import BadInput, HutchError
from hutch.runs.executors import Outcome, Task, result_of, run_tasks
from hutch.runs.ledger import Ledger, LedgerRow
from hutch.runs.locks import exclusive
from hutch.runs.progress import Heartbeat, RunProgress, StudyClock, StudySnapshot, write_heartbeat
from hutch.runs.seeds import generator, seed_of

__all__ = [
    "BadInput",
    "Heartbeat",
    "HutchError",
    "Ledger",
    "LedgerRow",
    "Outcome",
    "RunProgress",
    "StudyClock",
    "StudySnapshot",
    "Task",
    "canonical_json",
    "digest",
    "exclusive",
    "generator",
    "plain",
    "result_of",
    "run_tasks",
    "seed_of",
    "write_heartbeat",
]
