"""A file that is filled in blocks of rows, by one process or several, and goes on from its whole blocks after a kill.

Blocks are written to their places in NAME.partial; an empty file NAME.blocks/INDEX appears once a block is on the
disk; at the end the file takes its name. So the result depends on neither the number of workers nor on kills.
"""

import importlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hutch.runs.atomic import atomic_path
from hutch.runs.errors import BadInput, HutchError
from hutch.runs.executors import Outcome, Task, run_tasks

MakeRows = Callable[[int, int], np.ndarray]
"""(start, stop) to those rows, a C-ordered array whose first axis counts them."""
TASKS_A_WORKER = 4
"""The blocks are dealt to so many tasks for each worker, so that all end at about the same time."""
ATTEMPTS = 3
"""A task whose process was killed is tried so often."""


@dataclass(frozen=True)
class BlockFile:
    """A file of `rows` rows behind a header."""

    path: Path
    header: bytes
    rows: int
    row_bytes: int
    block: int
    """Rows of a block; the last one may have fewer."""

    @property
    def partial(self) -> Path:
        """Where it lies until it is whole."""
        return self.path.with_name(f"{self.path.name}.partial")

    @property
    def done(self) -> Path:
        """The folder of the empty files that mark whole blocks."""
        return self.path.with_name(f"{self.path.name}.blocks")

    @property
    def tasks(self) -> Path:
        """The folder of what worker processes leave."""
        return self.path.with_name(f"{self.path.name}.tasks")

    def begin(self) -> None:
        """Make room, or keep what an earlier process wrote."""
        self.done.mkdir(parents=True, exist_ok=True)
        if not self.partial.exists():
            # Marks without the file they speak of would leave holes.
            shutil.rmtree(self.done)
            self.done.mkdir()
            with atomic_path(self.partial) as temporary, temporary.open("wb") as handle:
                handle.write(self.header)
                handle.truncate(len(self.header) + self.rows * self.row_bytes)

    def pending(self) -> list[int]:
        """Blocks that are not whole."""
        whole = {int(path.name) for path in self.done.iterdir()}
        return [index for index in range(-(-self.rows // self.block)) if index not in whole]

    def fill(self, index: int, make: MakeRows) -> None:
        """Make one block and write it; Raises HutchError where the disk does not take it."""
        start, stop = index * self.block, min((index + 1) * self.block, self.rows)
        data = make(start, stop).tobytes()
        if len(data) != (stop - start) * self.row_bytes:
            raise ValueError(f"block {index} has {len(data)} bytes, not {(stop - start) * self.row_bytes}")
        try:
            with self.partial.open("r+b") as handle:
                handle.seek(len(self.header) + start * self.row_bytes)
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
            (self.done / f"{index:08d}").touch()
        except OSError as error:
            raise HutchError(f"cannot write {self.path}: {error.strerror or error}") from error

    def end(self) -> None:
        """Give the whole file its name."""
        os.replace(self.partial, self.path)
        self.tidy()

    def tidy(self) -> None:
        """Remove what was of use until the file was whole."""
        for folder in (self.done, self.tasks):
            shutil.rmtree(folder, ignore_errors=True)

    def rows_done(self) -> int:
        """Rows in whole blocks, for a progress bar; the last block counts as a full one."""
        return min(self.rows, len(os.listdir(self.done)) * self.block)


def sweep(folder: Path) -> None:
    """Remove the temporary files of killed processes, while the folder is held by this one."""
    for path in folder.rglob(".*.tmp"):
        path.unlink(missing_ok=True)


def fill_here(file: BlockFile, make: MakeRows, tell: Callable[[int], None]) -> None:
    """Fill the file in this process; `tell` hears how many rows are done."""
    if file.path.exists():
        file.tidy()
        return
    file.begin()
    for index in file.pending():
        tell(file.rows_done())
        file.fill(index, make)
    tell(file.rows)
    file.end()


def fill_in_processes(
    file: BlockFile, opener: Callable[[Any], MakeRows], arguments: Any, *, workers: int, tell: Callable[[int], None]
) -> None:
    """The same by `workers` processes, each of which calls `opener(arguments)` for its `MakeRows`.

    A worker that is killed is tried again. Raises HutchError with its reason where one fails.
    """
    if file.path.exists():
        file.tidy()
        return
    file.begin()
    shutil.rmtree(file.tasks, ignore_errors=True)
    left: dict[str, int] = {}

    def on_end(outcome: Outcome) -> Task | None:
        name = outcome.task.id
        left[name] = left.get(name, ATTEMPTS) - 1
        if outcome.kind == "killed" and left[name]:
            return outcome.task
        if outcome.error:
            raise (BadInput if outcome.kind == "BadInput" else HutchError)(f"{file.path}: {outcome.error}")
        return None

    run_tasks(
        _tasks(file, opener, arguments, workers),
        workers=workers,
        on_end=on_end,
        on_tick=lambda: tell(file.rows_done()),
        preload=[opener.__module__, "torch"],
    )
    tell(file.rows)
    file.end()


def _tasks(file: BlockFile, opener: Callable[[Any], MakeRows], arguments: Any, workers: int) -> list[Task]:
    """The pending blocks, dealt out in runs of neighbours."""
    pending = file.pending()
    shares = np.array_split(np.array(pending, dtype=np.int64), min(len(pending), workers * TASKS_A_WORKER) or 1)
    named = f"{opener.__module__}:{opener.__name__}"
    return [
        Task(f"t{i}", __name__, "fill_blocks", file.tasks / f"t{i}", (file, share.tolist(), named, arguments))
        for i, share in enumerate(shares)
        if len(share)
    ]


def fill_blocks(folder: Path, payload: tuple[BlockFile, list[int], str, Any]) -> dict[str, int]:
    """What a worker does: the blocks of its task that are not whole."""
    file, blocks, named, arguments = payload
    module, _, function = named.partition(":")
    make = getattr(importlib.import_module(module), function)(arguments)
    for index in sorted(set(blocks) & set(file.pending())):
        file.fill(index, make)
    return {"blocks": len(blocks)}
