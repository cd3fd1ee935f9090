"""What a study has cost so far, kept while it runs, so that one that is killed has not forgotten."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from hutch.runs import Ledger, StudySnapshot
from hutch.runs.machine import peak_memory_mb
from hutch.studies.session import Session

SAVE_SECONDS = 15.0


class Accounting:
    """Seconds and memory, added to those of earlier calls, among the ledger's facts."""

    def __init__(self, ledger: Ledger, session: Session, began: float | None = None) -> None:
        """`began`: when the call did, seconds since the epoch; None: now."""
        self.ledger, self.session = ledger, session
        self.began = self.saved = time.time() if began is None else began
        self.seconds_before = ledger.facts().get("seconds", 0.0)
        self.attempts_before = attempts(ledger)

    def on_snapshot(self, snapshot: StudySnapshot) -> None:
        """Pass a snapshot on, and save now and then."""
        if time.time() - self.saved > SAVE_SECONDS:
            self.save()
        self.session.on_snapshot(snapshot)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the cost of a call that is interrupted; one that ends well saves it before its analysis."""
        try:
            yield
        except BaseException:
            self.save()
            raise

    def save(self) -> None:
        """Write down what it cost. A call that trains nothing costs nothing."""
        rows = self.ledger.rows()
        if attempts(self.ledger) == self.attempts_before and not any(row.status == "running" for row in rows):
            return
        largest = max((row.metrics.get("peak_memory_mb", 0.0) for row in rows), default=0.0)
        self.saved = time.time()
        self.ledger.set_facts(
            {
                "seconds": self.seconds_before + self.saved - self.began,
                "finished": self.saved,
                "peak_memory_mb": peak_memory_mb() + self.session.workers * largest,
            }
        )


def attempts(ledger: Ledger) -> int:
    """Runs that were begun, again and again counted."""
    return sum(row.attempts for row in ledger.rows())
