"""The ledger: one SQLite table with a row for every run of a study.

Only the process that holds the study's lock writes it; workers leave files in their run's folder, which that process
takes in. Readers (an analysis, a live view) may open it at any time.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hutch.runs.configuration import canonical_json
from hutch.runs.errors import HutchError

VERSION = 2
"""Of the table; a ledger of another version is refused, not misread."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id       TEXT PRIMARY KEY,
    role     TEXT NOT NULL,          -- what the study wants the run for
    config   TEXT NOT NULL,          -- canonical JSON; its hash is the id
    status   TEXT NOT NULL,          -- waiting, running, done, diverged, failed
    attempts INTEGER NOT NULL DEFAULT 0,
    divergences INTEGER NOT NULL DEFAULT 0, -- attempts that diverged; each makes the next one gentler
    error    TEXT,                   -- why the last attempt ended, where it did not end well
    budget   REAL NOT NULL,          -- FLOPs that the run may spend
    parameters REAL,                 -- of the model, the embedding once; NULL where a count says nothing
    flops    REAL,                   -- FLOPs spent
    tokens   INTEGER,                -- training tokens, repeats included
    loss     REAL,                   -- held-out loss, nats per token
    seconds  REAL,                   -- wall time of the training steps
    metrics  TEXT NOT NULL DEFAULT '{}',
    curve    BLOB,                   -- training loss of each step, float32, nats per token
    revision TEXT,
    updated  REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True)
class LedgerRow:
    """One run as the ledger knows it; the fields are the table's columns."""

    id: str
    role: str
    config: dict[str, Any]
    status: str
    attempts: int
    divergences: int
    error: str | None
    budget: float
    parameters: float | None
    flops: float | None
    tokens: int | None
    loss: float | None
    seconds: float | None
    metrics: dict[str, Any] = field(default_factory=dict)
    curve: np.ndarray | None = None
    revision: str | None = None


class Ledger:
    """The table of runs in `folder`/ledger.sqlite, or in the file that `folder` already is."""

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) if Path(folder).is_file() else Path(folder) / "ledger.sqlite"
        with self._connection() as db:
            ((version,),) = db.execute("PRAGMA user_version").fetchall()
            ((tables,),) = db.execute("SELECT count(*) FROM sqlite_master").fetchall()
            if not tables:
                # Only here, for a reader must never write: the mode, which the file keeps, and the tables in one
                # transaction.
                db.execute("PRAGMA journal_mode=WAL")
                db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
            elif version != VERSION:
                raise HutchError(
                    f"{self.path} was written by another version of Hutch: begin the study in a new folder"
                )

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=30)) as db, db:
                db.execute("PRAGMA synchronous=FULL")
                yield db
        except sqlite3.Error as error:
            hint = " (is the disk full?)" if "disk" in str(error) else ""
            raise HutchError(f"{self.path}: {error}{hint}") from error

    def add(self, run_id: str, role: str, config: Any, budget: float, parameters: float | None = None) -> None:
        """Enter a run as waiting; one that is already there stays as it is."""
        with self._connection() as db:
            db.execute(
                "INSERT OR IGNORE INTO runs (id, role, config, status, budget, parameters, updated) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (run_id, role, canonical_json(config), "waiting", budget, parameters, time.time()),
            )

    def update(self, run_id: str, **columns: Any) -> None:
        """Set columns of one run. `metrics` is given as a dictionary, `curve` as an array."""
        if "metrics" in columns:
            columns["metrics"] = canonical_json(columns["metrics"])
        if columns.get("curve") is not None:
            columns["curve"] = np.asarray(columns["curve"], np.float32).tobytes()
        columns["updated"] = time.time()
        names = ", ".join(f"{name} = ?" for name in columns)
        with self._connection() as db:
            done = db.execute(f"UPDATE runs SET {names} WHERE id = ?", (*columns.values(), run_id))
            if done.rowcount != 1:
                raise HutchError(f"{self.path} has no run {run_id}")

    def rows(self, *, whole: bool = True) -> list[LedgerRow]:
        """All runs in the order in which they were entered; unless `whole`, without their curves and metrics."""
        return self._select("", (), whole)

    def row(self, run_id: str) -> LedgerRow:
        """One run; a `HutchError` where there is none of this name."""
        found = self._select("WHERE id = ?", (run_id,), True)
        if not found:
            raise HutchError(f"{self.path} has no run {run_id}")
        return found[0]

    def _select(self, where: str, values: tuple[str, ...], whole: bool) -> list[LedgerRow]:
        names = list(LedgerRow.__dataclass_fields__)
        left_out = {} if whole else {"curve": "NULL", "metrics": "'{}'"}
        columns = [left_out.get(name, name) for name in names]
        with self._connection() as db:
            found = db.execute(f"SELECT {', '.join(columns)} FROM runs {where} ORDER BY rowid", values).fetchall()
        return [_row(dict(zip(names, values, strict=True))) for values in found]

    def set_facts(self, facts: dict[str, Any]) -> None:
        """Keep facts about the whole study, as JSON: all of them or, when the process is killed, none."""
        rows = [(name, canonical_json(value)) for name, value in facts.items()]
        with self._connection() as db:
            db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)

    def facts(self) -> dict[str, Any]:
        """Every fact about the whole study."""
        with self._connection() as db:
            return {name: json.loads(value) for name, value in db.execute("SELECT name, value FROM facts")}


def _row(values: dict[str, Any]) -> LedgerRow:
    values["config"], values["metrics"] = json.loads(values["config"]), json.loads(values["metrics"])
    if values["curve"] is not None:
        values["curve"] = np.frombuffer(values["curve"], np.float32)
    return LedgerRow(**values)
