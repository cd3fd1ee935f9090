"""One line that says how a training run is doing: rewritten on a terminal, now and then in a log."""

import sys
import time
from typing import TYPE_CHECKING

from hutch.reports.formats import count, decimal, duration, percent, power

if TYPE_CHECKING:
    from hutch.lm import Progress
    from hutch.lm.train_costs import Costs

LOG_SECONDS = 15.0


class TrainLine:
    """Writes to stderr."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._told = float("-inf")
        self._costs: Costs | None = None
        self._peak = 0.0

    def start(self, costs: "Costs", peak: float) -> None:
        """The run begins; `peak` FLOP/s are 100 % MFU."""
        self._costs, self._peak = costs, peak
        self.message(
            f"{count(costs.parameters)} parameters, {count(costs.tokens)} tokens, {power(costs.flops)} FLOPs; matrix "
            f"products reach {power(peak)} FLOP/s here"
        )

    def update(self, progress: "Progress") -> None:
        """Show where the run stands."""
        now = time.monotonic()
        if not self._is_terminal and now - self._told < LOG_SECONDS:
            return
        self._told = now
        line = self._line(progress)
        print(f"\r\x1b[2K{line}" if self._is_terminal else line, end="" if self._is_terminal else "\n", file=sys.stderr)
        sys.stderr.flush()

    def message(self, text: str) -> None:
        """A line that stays."""
        print(f"\r\x1b[2K{text}" if self._is_terminal else text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the last line on the screen."""
        if self._is_terminal and self._told > 0:
            print(file=sys.stderr)

    def _line(self, progress: "Progress") -> str:
        assert self._costs is not None
        flops = progress.tokens_per_second * self._costs.flops_per_token
        left = (progress.steps - progress.step) * self._costs.tokens / self._costs.steps / progress.tokens_per_second
        return (
            f"step {progress.step}/{progress.steps}  loss {decimal(progress.loss)}  "
            f"{count(progress.tokens_per_second)} tokens/s  {power(flops)} FLOP/s  MFU {percent(flops / self._peak)}  "
            f"{duration(left)} left"
        )
