"""A run's state on disk: weights, the optimizer's moments, the step and the losses so far, in one safetensors file.

The file appears by rename, so a run that is killed while it writes goes on from the checkpoint before.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from hutch.lm.model import ModelConfig, Transformer
from hutch.lm.optimizer import Optimizer
from hutch.lm.trainable import Trainable, trained_parameters
from hutch.runs.atomic import atomic_path
from hutch.runs.configuration import canonical_json
from hutch.runs.errors import HutchError

FORMAT, OLD_FORMAT = "hutch model 2", "config"
"""What the weights mean: the name under which a file holds its configuration. In the old one a head's dimensions were
paired by halves for the rotation, now each with its neighbour."""


def save_weights(path: Path, model: Transformer) -> None:
    """Write the weights, with the model's configuration in the header. Tied weights are written once."""
    with atomic_path(path) as temporary:
        # One entry: safetensors writes several in any order, and equal weights should be equal files.
        save_file(model.state_dict(), temporary, metadata={FORMAT: canonical_json(model.config)})


def load_model(path: Path) -> Transformer:
    """Read a model that `save_weights` wrote; a missing or broken file is a `HutchError` that names it."""
    try:
        with safe_open(path, framework="pt") as handle:
            metadata = handle.metadata()
        if OLD_FORMAT in metadata:
            raise HutchError(f"{path} was written by an older Hutch, whose weights mean something else: train it anew")
        config = ModelConfig(**json.loads(metadata[FORMAT]))
        model = Transformer(config)
        model.load_state_dict(load_file(path))
    except (OSError, SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise HutchError(f"{path} is not a model of Hutch: {error}") from error
    return model


def state_of_run(model: Trainable, optimizer: Optimizer, losses: np.ndarray, seconds: float) -> dict[str, Tensor]:
    """Everything that the next step depends on: `model.NAME` and `MOMENT.NAME` for each trained parameter, not copied,
    and `losses` [steps so far] and `seconds`. Of a sharded model the tensors are sharded as well."""
    parameters = trained_parameters(model)
    tensors = {f"model.{name}": p.detach() for name, p in parameters.items()}
    for name, parameter in parameters.items():
        for moment, value in optimizer.state_of(parameter).items():
            tensors[f"{moment}.{name}"] = value
    tensors["losses"] = torch.from_numpy(losses.copy())
    tensors["seconds"] = torch.tensor(seconds, dtype=torch.float64)
    return tensors


def restore(tensors: dict[str, Tensor], model: Trainable, optimizer: Optimizer) -> tuple[np.ndarray, float]:
    """Put what `state_of_run` gave back in place; the losses and the seconds. A sharded model takes whole tensors too,
    each process its part."""
    parameters = trained_parameters(model)
    with torch.no_grad():
        for key, value in tensors.items():
            kind, _, name = key.partition(".")
            if not name:
                continue
            parameter = parameters[name]
            if kind == "model":
                parameter.copy_(_laid_out_as(parameter, value))
            else:
                optimizer.state_of(parameter)[kind] = _laid_out_as(parameter, value)
    return tensors["losses"].numpy(), tensors["seconds"].item()


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """`value` on the parameter's device, and sharded as it is where the value has its shape."""
    if hasattr(parameter, "placements") and not hasattr(value, "placements") and value.shape == parameter.shape:
        from torch.distributed.tensor import DTensor, distribute_tensor

        assert isinstance(parameter, DTensor)
        return distribute_tensor(value.to(parameter.device), parameter.device_mesh, parameter.placements)
    return value.to(parameter.device)


class CheckpointFile:
    """One process's checkpoint at `path`, of the configuration whose digest is `owner`."""

    def __init__(self, path: Path, owner: str) -> None:
        self.path, self.owner = path, owner

    def exists(self) -> bool:
        return self.path.exists()

    def steps(self) -> int:
        """Steps behind the checkpoint; 0 where there is none of this very configuration."""
        with self._readable():
            if checkpoint_owner(self.path) != self.owner:
                return 0
            with safe_open(self.path, framework="pt") as handle:
                return handle.get_slice("losses").get_shape()[0]

    def save(self, model: Trainable, optimizer: Optimizer, losses: np.ndarray, seconds: float) -> None:
        """Write everything that the next step depends on. `losses` [steps so far] are the training losses, `seconds`
        what they took."""
        with atomic_path(self.path) as temporary:
            save_file(state_of_run(model, optimizer, losses, seconds), temporary, metadata={"owner": self.owner})

    def load(self, model: Trainable, optimizer: Optimizer) -> tuple[np.ndarray, float]:
        """Restore `model` and `optimizer` in place; the losses so far, one a step, and the seconds they took. Nothing
        where no checkpoint of this very configuration is there; a broken one is a `HutchError` that names it."""
        with self._readable():
            if checkpoint_owner(self.path) != self.owner:
                return np.zeros(0, np.float32), 0.0
            return restore(load_file(self.path), model, optimizer)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, SafetensorError, KeyError, RuntimeError) as error:
            raise HutchError(f"{self.path} cannot be read ({error}): remove it to train this run anew") from error

    def close(self) -> None:
        """Every save is whole when it returns."""


def checkpoint_owner(path: Path) -> str | None:
    """The digest of the configuration whose checkpoint stands at `path`; None where there is none."""
    if not path.exists():
        return None
    with safe_open(path, framework="pt") as handle:
        return (handle.metadata() or {}).get("owner")
