"""What training changed in a RETRO model, in one safetensors file: all weights, or those that a retrofit added.

A retrofit's file is of use with its frozen decoder alone, so it holds a fingerprint of that.
"""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from hutch.retrieval.retro.configuration import RetroConfig, read_config
from hutch.retrieval.retro.retro_model import Retro
from hutch.runs.atomic import atomic_path
from hutch.runs.configuration import canonical_json, plain
from hutch.runs.errors import BadInput, HutchError

FORMAT = "hutch retro 1"
"""The name under which a file holds its configuration."""

SAMPLE = 64
"""Values of each frozen tensor that go into the fingerprint."""


def save_trained(path: Path, model: Retro) -> None:
    """Write `model.trainable_state()`, with the configuration in the header; whole or not at all."""
    # One entry: safetensors writes several in any order, and equal weights should be equal files.
    header = {FORMAT: canonical_json({"retro": plain(model.config), "frozen": fingerprint(model)})}
    with atomic_path(path) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in model.trainable_state().items()}, temporary, header)


def load_trained(path: Path, model: Retro) -> None:
    """Put what `save_trained` wrote back in place.

    Raises BadInput for a file of another configuration or of another frozen decoder, HutchError for a missing or
    damaged one; the model is then as it was.
    """
    config, frozen = _header(path)
    _refuse_differences(path, config, model.config)
    state = model.trainable_state()
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise _damaged(path, error) from error
    if {name: t.shape for name, t in tensors.items()} != {name: t.shape for name, t in state.items()}:
        raise BadInput(
            f"{path} holds {len(tensors)} tensors and the model trains {len(state)}: one of them is a retrofit around "
            "a frozen decoder, the other was trained whole"
        )
    if frozen != fingerprint(model):
        raise BadInput(f"{path} was trained around another decoder: open the one that was retrofitted")
    with torch.no_grad():
        for name, tensor in tensors.items():
            state[name].copy_(tensor)


def retro_config_of(path: Path) -> RetroConfig:
    """The configuration of the model whose weights are in a file of `save_trained`. Raises HutchError for a missing or
    damaged one."""
    return _header(path)[0]


def fingerprint(model: Retro) -> str:
    """A digest of the weights that training leaves alone, by a sample of each; "" where there are none.

    Rounded to bfloat16, so that a decoder opened in that type is the same as in float32.
    """
    frozen = [(name, p) for name, p in model.named_parameters() if not p.requires_grad]
    digest = hashlib.blake2b(digest_size=8)
    for name, parameter in frozen:
        values = parameter.detach().flatten()
        sample = values[:: max(1, len(values) // SAMPLE)].bfloat16().float().cpu()
        digest.update(f"{name} {tuple(parameter.shape)}".encode() + sample.numpy().tobytes())
    return digest.hexdigest() if frozen else ""


def _header(path: Path) -> tuple[RetroConfig, str]:
    """The configuration, and the fingerprint of what was frozen."""
    try:
        with safe_open(path, framework="pt") as handle:
            header = json.loads((handle.metadata() or {})[FORMAT])
        return read_config(json.dumps(header["retro"])), header["frozen"]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> HutchError:
    return HutchError(f"{path} is no whole file of RETRO weights: {str(error).splitlines()[0]}")


def _refuse_differences(path: Path, theirs: RetroConfig, ours: RetroConfig) -> None:
    if theirs == ours:
        return
    found, wanted = ({**plain(config.decoder), **plain(config)} for config in (theirs, ours))
    differences = [
        f"{name} {found[name]} and not {wanted[name]}"
        for name in found
        if name != "decoder" and found[name] != wanted[name]
    ]
    raise BadInput(f"{path} is of a model with {', '.join(differences)}")
