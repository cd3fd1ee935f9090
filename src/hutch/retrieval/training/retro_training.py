"""Train a RETRO model from scratch, or what a retrofit adds to a frozen decoder, by the language models' own loop."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from hutch.lm.groups import Alone, Group
from hutch.lm.training import Progress, TrainResult, learner_of, recompute_blocks, run_steps
from hutch.retrieval.retro.decoders import HookedDecoder, OwnDecoder
from hutch.retrieval.retro.retro_model import Retro, build_retro, retrofit
from hutch.retrieval.retro.trained_weights import FORMAT, fingerprint, save_trained
from hutch.retrieval.training.neighbour_batches import Found, NeighbourBatches, Values
from hutch.retrieval.training.retro_train_config import RetroTrainConfig
from hutch.runs.configuration import digest
from hutch.runs.errors import BadInput
from hutch.runs.seeds import seed_of
from hutch.text import Batches

WEIGHTS = "retro.safetensors"


def train_retro(
    config: RetroTrainConfig,
    tokens: np.ndarray,
    found: Found,
    values: Values,
    folder: Path,
    *,
    decoder: OwnDecoder | HookedDecoder | None = None,
    group: Group | None = None,
    device: str = "cpu",
    on_progress: Callable[[Progress], None] = lambda progress: None,
    checkpoint_seconds: float = 20.0,
) -> tuple[Retro, TrainResult]:
    """Train from this configuration's checkpoint in `folder`, if there is one, to the end; write `retro.safetensors`.

    Args:
        tokens: the flat token file; `found` the neighbours of its chunks and `values` their tokens.
        decoder: the trained decoder that a retrofit keeps frozen; its fingerprint must be `config.decoder`.

    A run that was killed goes on from its last checkpoint and ends with the same bits, as `hutch.lm.train` does.
    Raises BadInput for a decoder or neighbours that are not the configuration's, and what `hutch.lm.train` raises.
    """
    train, group = config.train, group or Alone()
    model = retro_model_of(config, decoder).to(device)
    windows = Batches(tokens, train.model.context, train.sequences, train.seed, grain=config.retro.chunk)
    batches = NeighbourBatches(windows, found, values, config.neighbours)
    store = group.store(Path(folder), f"{FORMAT}, {digest(config)}")
    learner = learner_of(train, group, device, model)
    result = run_steps(learner, batches.batch, train, store, on_progress, checkpoint_seconds)
    if isinstance(model.decoder, OwnDecoder):
        model.decoder.model.compute_dtype = torch.float32
    if group.rank == 0:
        save_trained(Path(folder) / WEIGHTS, model)
    group.any(False)
    return model, result


def retro_model_of(config: RetroTrainConfig, decoder: OwnDecoder | HookedDecoder | None = None) -> Retro:
    """The configuration's model before training: fresh, or around a trained decoder, which is frozen."""
    train, seed = config.train, seed_of(config.train.seed, "weights")
    model = build_retro(config.retro, seed) if decoder is None else retrofit(decoder, config.retro, seed)
    if fingerprint(model) != config.decoder:
        raise BadInput("the decoder is another one than the run's: name the model that the run was begun with")
    if isinstance(model.decoder, OwnDecoder):
        if train.recompute:
            recompute_blocks(model.decoder.model)
        if train.precision == "bfloat16":
            model.decoder.model.compute_dtype = torch.bfloat16
    return model
