"""One line that says how far a long piece of work is: rewritten on a terminal, now and then in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hutch.reports.formats import duration

LOG_SECONDS = 15.0
TERMINAL_SECONDS = 0.1


class WorkLine:
    """Writes to stderr. Call it with (stage, done, total); where the total is 0 it is unknown."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._stage = ""
        self._began = self._told = float("-inf")
        self._first = 0
        self._shown = (-1, -1)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show where the stage stands; a new stage is always shown, and so is its end."""
        now = time.monotonic()
        if stage != self._stage:
            self.close()
            self._stage, self._began, self._first = stage, now, done
        elif (done, total) == self._shown or not (
            done == total > 0 or now - self._told >= (TERMINAL_SECONDS if self._is_terminal else LOG_SECONDS)
        ):
            return
        self._told, self._shown = now, (done, total)
        line = self._line(done, total, now - self._began)
        print(f"\r\x1b[2K{line}" if self._is_terminal else line, end="" if self._is_terminal else "\n", file=sys.stderr)
        sys.stderr.flush()

    def message(self, text: str) -> None:
        """A line that stays."""
        self.close()
        print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the last line on the screen."""
        if self._is_terminal and self._stage:
            print(file=sys.stderr)
        self._stage = ""

    def _line(self, done: int, total: int, seconds: float) -> str:
        if not total:
            return f"{self._stage}: {done:,}"
        fresh = done - self._first
        left = f", {duration(seconds * (total - done) / fresh)} left" if fresh > 0 and done < total else ""
        return f"{self._stage}: {done:,} of {total:,}{left}"


@contextmanager
def working() -> Iterator[WorkLine]:
    """A line for some work; the terminal's cursor stands below it when the work has ended, however it ended."""
    line = WorkLine()
    try:
        yield line
    finally:
        line.close()
