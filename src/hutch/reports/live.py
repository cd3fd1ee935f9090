"""The live view: a study while it runs, on stderr, of fixed height, so that nothing on the screen jumps.

On a pipe or in a log there is no screen to redraw; there it prints one plain line for each finished run.
"""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hutch.reports.formats import DASH, count, decimal, duration, percent, power

if TYPE_CHECKING:
    from hutch.runs.progress import RunProgress, StudySnapshot

SIGNS = {"done": ("✓", "green"), "diverged": ("✗", "red"), "failed": ("✗", "red"), "running": ("▸", "cyan")}
ENDED = ("done", "diverged", "failed")
RUNNING_ROWS, DONE_ROWS, LOST_ROWS = 6, 4, 2


class LiveView:
    """A context manager; `update` it with each new snapshot, as often as you like."""

    def __init__(self, console: Console | None = None) -> None:
        """Draw on `console`, by default the terminal behind stderr."""
        self.console = console or Console(stderr=True)
        self._live: Live | None = None
        self._ended: dict[str, str] = {}
        self._last: StudySnapshot | None = None
        self._message = ""

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(console=self.console, auto_refresh=False, transient=True, vertical_overflow="crop")
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
            if self._last is not None:
                self._line(epitaph(self._last))

    def update(self, snapshot: "StudySnapshot") -> None:
        """Show `snapshot`; runs that ended since the last one are remembered in the order of their end."""
        self._last = snapshot
        if any(run.status == "running" for run in snapshot.runs):
            # What was said before these runs began is over.
            self._message = ""
        now = {run.run_id: run.status for run in snapshot.runs}
        # A run that diverged may be tried again; it is then no longer among the ended.
        self._ended = {i: status for i, status in self._ended.items() if now.get(i) == status}
        fresh = [run for run in snapshot.runs if run.status in ENDED and run.run_id not in self._ended]
        self._ended |= {run.run_id: run.status for run in fresh}
        if self._live is not None:
            self._draw()
            return
        for place, run in enumerate(fresh, start=snapshot.done - len(fresh) + 1):
            self._line(finished_line(run, max(place, 1), snapshot.total))

    def message(self, text: str) -> None:
        """Say what is being done outside of runs: a line of the frame, or a line of the log."""
        self._message = text
        if self._live is None:
            self._line(text)
        else:
            self._draw()

    def _draw(self) -> None:
        if self._live is None:
            return
        frame: RenderableType = Text(self._message, style="dim", no_wrap=True, overflow="ellipsis")
        if self._last is not None:
            frame = Group(screen(self._last, list(self._ended)), frame)
        self._live.update(frame, refresh=True)

    def _line(self, text: str) -> None:
        """One line as it is: no markup, no colour by guess, no wrapping at a width that a log lacks."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def finished_line(run: "RunProgress", place: int, total: int) -> str:
    """A finished run on one plain line, for logs."""
    head = f"[{place}/{total}] {run.label} {run.status}"
    if run.status != "done":
        return f"{head}: {' '.join(run.note.split()) or 'no reason given'}"
    speed = f", {count(run.tokens_per_second)} tokens/s" if run.tokens_per_second else ""
    return f"{head}: loss {decimal(run.loss)}, {count(run.tokens)} tokens{speed}"


def epitaph(snapshot: "StudySnapshot") -> str:
    """What stays on the terminal when the view goes."""
    lost = sum(run.status in ("diverged", "failed") for run in snapshot.runs)
    words = f"{snapshot.title}: {snapshot.done} of {snapshot.total} runs in {duration(snapshot.elapsed_s)}"
    return f"{words}, {lost} lost" if lost else words


def screen(snapshot: "StudySnapshot", ended: list[str]) -> RenderableType:
    """One frame. Its height depends on nothing but the three row counts at the top of this module."""
    runs = {run.run_id: run for run in snapshot.runs}
    running = [run for run in snapshot.runs if run.status == "running"]
    finished = [runs[i] for i in reversed(ended) if i in runs]
    done = [run for run in finished if run.status == "done"]
    lost = [run for run in finished if run.status != "done"]
    return Group(
        _header(snapshot),
        Text(""),
        _running(running, snapshot.peak_flops_per_second),
        Text(f"  and {len(running) - RUNNING_ROWS} more" if len(running) > RUNNING_ROWS else "", style="dim"),
        *_padded([_finished(run) for run in done[:DONE_ROWS]], DONE_ROWS),
        *_padded([_lost(run) for run in lost[:LOST_ROWS]], LOST_ROWS),
    )


def _padded(lines: list[Text], height: int) -> list[Text]:
    return lines + [Text("")] * (height - len(lines))


def _header(snapshot: "StudySnapshot") -> RenderableType:
    """Title, the bar of the whole study by FLOPs, the clock."""
    share = snapshot.flops_done / snapshot.flops_total if snapshot.flops_total else 0.0
    title = Table.grid(expand=True)
    title.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    title.add_column(justify="right", no_wrap=True)
    title.add_row(Text(snapshot.title, style="bold"), f"{snapshot.done} of {snapshot.total} runs")
    bar = Table.grid(expand=True, padding=(0, 1))
    bar.add_column(ratio=1)
    bar.add_column(justify="right", no_wrap=True, width=5)
    bar.add_row(ProgressBar(total=1.0, completed=min(share, 1.0)), percent(share))
    clock = Table.grid(expand=True)
    clock.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    clock.add_column(justify="right", no_wrap=True)
    left = "estimating the time left" if snapshot.seconds_left is None else f"{duration(snapshot.seconds_left)} left"
    spent = f"{power(snapshot.flops_done)} of {power(snapshot.flops_total)} FLOPs"
    clock.add_row(Text(spent, style="dim"), Text(f"{duration(snapshot.elapsed_s)} elapsed, {left}", style="dim"))
    return Group(title, bar, clock)


def _running(running: list["RunProgress"], peak: float | None) -> Table:
    """The runs in progress: label, bar, step, loss, speed, share of the speed that this machine reached."""
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("run", ratio=2, no_wrap=True, overflow="ellipsis")
    table.add_column("", ratio=1, min_width=8)
    for head, width in (("step", 11), ("loss", 6), ("tokens/s", 8), ("of peak", 7)):
        table.add_column(head, justify="right", no_wrap=True, width=width)
    for run in running[:RUNNING_ROWS]:
        table.add_row(
            Text(f"▸ {run.label}"),
            ProgressBar(total=max(run.steps, 1), completed=min(run.step, run.steps)),
            f"{run.step}/{run.steps}",
            decimal(run.loss),
            count(run.tokens_per_second),
            percent(run.flops_per_second / peak) if peak else DASH,
        )
    for _ in range(RUNNING_ROWS - len(running)):
        table.add_row(*[""] * 6)
    return table


def _finished(run: "RunProgress") -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append("✓ ", style="green").append(run.label)
    return line.append(f"  loss {decimal(run.loss)}  {count(run.tokens)} tokens", style="dim")


def _lost(run: "RunProgress") -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append("✗ ", style="red").append(run.label)
    # A note may be a whole traceback; its first line is what fits.
    note = (run.note or "no reason given").strip().splitlines()
    return line.append(f"  {run.status}: {note[0] if note else ''}", style="red")
