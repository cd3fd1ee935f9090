"""The state of a run that several processes train: a folder to which each writes its part, while training goes on.

    path/00000120/            a whole checkpoint after 120 steps; the one before goes when it appears
        run.json              whose it is, and the size of every other file
        .metadata, *.distcp   as torch.distributed.checkpoint writes them
    path/.00000140.writing/   one in the making, or what a killed group left; nobody reads it, nor .00000100.removing/

Any number of processes may read what any number wrote, sharded or not: tensors are put together by their names and
places. Parts are flushed to the disk before the folder gets its name, which happens once all of them are there.
(`.metadata` is a pickle, torch's choice: read checkpoints of people you trust.)
"""

import os
import shutil
import warnings
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from hutch.lm.checkpoints import restore, state_of_run
from hutch.lm.lost_processes import LostProcess, is_loss
from hutch.lm.optimizer import Optimizer
from hutch.lm.trainable import Trainable, trained_parameters
from hutch.runs.atomic import read_json, write_json
from hutch.runs.errors import HutchError

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

RUN = "run.json"


class CheckpointFolder:
    """The checkpoints in the folder `root` of the configuration whose digest is `owner`, written by the processes of
    `group`; a process alone can only read them."""

    def __init__(self, root: Path, owner: str, group: "ProcessGroup | None" = None) -> None:
        """`group` talks over CPU memory and is used for nothing else: it is at work while training goes on."""
        self.root, self.owner, self.group = root, owner, group
        self._saving: Future[Any] | None = None

    @property
    def path(self) -> Path:
        """The newest whole checkpoint; the folder of all where there is none."""
        return max(self._whole(), default=self.root)

    def exists(self) -> bool:
        return bool(self._whole())

    def steps(self) -> int:
        """Steps behind the newest checkpoint; 0 where there is none of this very configuration."""
        return int(self.path.name) if self.exists() else 0

    def _whole(self) -> list[Path]:
        return [path for path in sorted(self.root.glob("[0-9]*")) if self._is_own(path)]

    def _is_own(self, folder: Path) -> bool:
        try:
            return _described(folder)["owner"] == self.owner
        except HutchError:
            if folder.exists():
                raise
            return False  # a newer one took its place just now

    def save(self, model: Trainable, optimizer: Optimizer, losses: np.ndarray, seconds: float) -> None:
        """Begin to write everything that the next step depends on, and go on. Waits for the save before, and raises
        what went wrong with it."""
        from torch.distributed.checkpoint import async_save

        self.close()
        tensors = {key: _kept(value) for key, value in state_of_run(model, optimizer, losses, seconds).items()}
        writer = _publisher(self.root, len(losses), self.owner)
        saving = async_save(tensors, storage_writer=writer, process_group=self.group)
        assert isinstance(saving, Future)
        self._saving = saving

    def close(self) -> None:
        """Wait for what is still being written."""
        from torch.distributed.checkpoint import CheckpointException

        saving, self._saving = self._saving, None
        try:
            if saving is not None:
                saving.result()
        except (CheckpointException, OSError, RuntimeError) as error:
            if is_loss(error):
                raise LostProcess from error
            raise HutchError(f"cannot write a checkpoint in {self.root}: {_reason(error)}") from error

    def load(self, model: Trainable, optimizer: Optimizer) -> tuple[np.ndarray, float]:
        """Restore `model` and `optimizer` in place, each process its part; the losses so far, one a step, and the
        seconds they took. Nothing where no checkpoint of this very configuration is there; where a part is missing
        or cut short, a `HutchError` that names the folder."""
        if not self.exists():
            return np.zeros(0, np.float32), 0.0
        folder = self.path
        _check_sizes(folder)
        try:
            return restore(self._read(folder, model), model, optimizer)
        except Exception as error:
            raise HutchError(_damaged(folder, error)) from error

    def _read(self, folder: Path, model: Trainable) -> dict[str, Tensor]:
        """The tensors of a checkpoint, those of a sharded model sharded as it is."""
        from torch.distributed.checkpoint import CheckpointException, FileSystemReader
        from torch.distributed.checkpoint import load as load_tensors

        reader = FileSystemReader(folder)
        found = reader.read_metadata().state_dict_metadata
        parameters = trained_parameters(model)
        tensors = {key: _room(found[key], parameters.get(key.partition(".")[2])) for key in found}
        try:
            with warnings.catch_warnings():
                # One process alone is told, in vain, that it reads alone.
                warnings.filterwarnings("ignore", message="torch.distributed is disabled")
                load_tensors(tensors, storage_reader=reader, process_group=self.group, no_dist=self.group is None)
        except CheckpointException as error:  # no Exception, by torch's choice
            raise RuntimeError(_reason(error)) from error
        return tensors


def _kept(tensor: Tensor) -> Tensor:
    """The tensor as it is now: torch copies those of a GPU before it goes on, but not those in CPU memory."""
    return tensor.clone() if tensor.device.type == "cpu" else tensor


def _room(found: Any, parameter: Tensor | None) -> Tensor:
    """An empty tensor for what a checkpoint describes; laid out as the parameter that it belongs to, if it has its
    shape."""
    if parameter is not None and parameter.shape == found.size:
        return torch.empty_like(parameter.detach(), dtype=found.properties.dtype)
    return torch.empty(found.size, dtype=found.properties.dtype)


def _publisher(root: Path, steps: int, owner: str) -> Any:
    """A writer whose checkpoint gets its name once every process has written its part."""
    from torch.distributed.checkpoint import FileSystemWriter

    unfinished, whole = root / f".{steps:08d}.writing", root / f"{steps:08d}"

    class Publisher(FileSystemWriter):
        def finish(self, metadata: Any, results: Any) -> None:
            """Called in the first process, after all have written."""
            super().finish(metadata, results)
            sizes = {path.name: path.stat().st_size for path in unfinished.iterdir()}
            write_json(unfinished / RUN, {"owner": owner, "sizes": sizes})
            if whole.exists():  # of another configuration
                _remove(whole)
            os.replace(unfinished, whole)
            for before in root.glob("[0-9]*"):
                if before != whole:
                    _remove(before)

    return Publisher(unfinished)


def _remove(checkpoint: Path) -> None:
    """Under another name: a process that is killed meanwhile must not leave half of what reads as whole."""
    hidden = checkpoint.with_name(f".{checkpoint.name}.removing")
    os.replace(checkpoint, hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def remove_unfinished(root: Path) -> None:
    """Remove what a killed group left half written or half removed."""
    for path in [*root.glob(".*.writing"), *root.glob(".*.removing")]:
        shutil.rmtree(path, ignore_errors=True)


def _described(folder: Path) -> dict[str, Any]:
    try:
        description = read_json(folder / RUN)
    except HutchError as error:
        raise HutchError(_damaged(folder, error)) from error
    if not isinstance(description, dict) or not {"owner", "sizes"} <= set(description):
        raise HutchError(_damaged(folder, f"{RUN} does not describe one"))
    return description


def _check_sizes(folder: Path) -> None:
    for name, size in _described(folder)["sizes"].items():
        path = folder / name
        found = path.stat().st_size if path.exists() else None
        if found != size:
            state = "is missing" if found is None else f"has {found:,} bytes and should have {size:,}"
            raise HutchError(_damaged(folder, f"{name} {state}"))


def _damaged(folder: Path, reason: object) -> str:
    return f"the checkpoint {folder} is damaged ({reason}): remove it to train this run anew"


def _reason(error: BaseException) -> str:
    """What went wrong, in one line: of a failure in several processes the first one's."""
    failures = getattr(error, "failures", None)
    first = next(iter(failures.values()))[0] if failures else error
    return " ".join(str(first).split()) or type(first).__name__
