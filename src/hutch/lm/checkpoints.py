"""A run's state on disk: weights, AdamW's moments, the step and the losses so far, in one safetensors file.

The file appears by rename, so a run that is killed while it writes goes on from the checkpoint before.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from hutch.lm.model import ModelConfig, Transformer
from hutch.runs.atomic import atomic_path
from hutch.runs.configuration import canonical_json
from hutch.runs.errors import HutchError

MOMENTS = ("exp_avg", "exp_avg_sq")


def save_weights(path: Path, model: Transformer) -> None:
    """Write the weights, with the model's configuration in the header. Tied weights are written once."""
    with atomic_path(path) as temporary:
        save_file(model.state_dict(), temporary, metadata={"config": canonical_json(model.config)})


def load_model(path: Path) -> Transformer:
    """Read a model that `save_weights` wrote; a missing or broken file is a `HutchError` that names it."""
    try:
        with safe_open(path, framework="pt") as handle:
            config = ModelConfig(**json.loads(handle.metadata()["config"]))
        model = Transformer(config)
        model.load_state_dict(load_file(path))
    except (OSError, SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise HutchError(f"{path} is not a model of Hutch: {error}") from error
    return model


def save_checkpoint(
    path: Path,
    model: Transformer,
    optimizer: torch.optim.AdamW,
    *,
    owner: str,
    losses: np.ndarray,
    seconds: float,
) -> None:
    """Write everything that the next step depends on. `losses` [steps so far] are the training losses, `seconds` what
    they took, `owner` the digest of the configuration that is being trained."""
    tensors = {f"model.{name}": p.detach() for name, p in model.named_parameters()}
    for name, parameter in model.named_parameters():
        for moment in MOMENTS if len(losses) else ():
            tensors[f"{moment}.{name}"] = optimizer.state[parameter][moment]
    tensors["losses"] = torch.from_numpy(losses.copy())
    tensors["seconds"] = torch.tensor(seconds, dtype=torch.float64)
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={"owner": owner})


def checkpoint_owner(path: Path) -> str | None:
    """The digest of the configuration whose checkpoint stands at `path`; None where there is none."""
    if not path.exists():
        return None
    with safe_open(path, framework="pt") as handle:
        return (handle.metadata() or {}).get("owner")


def load_checkpoint(path: Path, model: Transformer, optimizer: torch.optim.AdamW) -> tuple[np.ndarray, float]:
    """Restore `model` and `optimizer` in place; return the losses so far, one a step, and the seconds they took."""
    tensors = load_file(path)
    losses = tensors.pop("losses").numpy()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
            if len(losses):
                state = {moment: tensors[f"{moment}.{name}"] for moment in MOMENTS}
                optimizer.state[parameter] = {"step": torch.tensor(float(len(losses))), **state}
    return losses, tensors["seconds"].item()
