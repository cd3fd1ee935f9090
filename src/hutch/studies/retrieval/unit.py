"""One run of the study, in a worker process: train, score every held-out token in every setting, leave the result."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hutch.lm import Diverged, Progress, Transformer, keep_freed_memory, load_model, train
from hutch.retrieval.database import ChunkDatabase, NeighbourTable
from hutch.retrieval.retro import Retro, load_trained
from hutch.retrieval.training.retrieved_likelihood import HeldOutWindows, token_nats
from hutch.retrieval.training.retro_train_config import RetroTrainConfig
from hutch.retrieval.training.retro_training import WEIGHTS, retro_model_of, train_retro
from hutch.runs import Heartbeat, digest, write_heartbeat
from hutch.runs.atomic import read_json, write_json
from hutch.runs.machine import peak_memory_mb
from hutch.studies.retrieval.grid import PlainRun
from hutch.studies.retrieval.materials import evaluation_file, save_array
from hutch.studies.retrieval.scores import NATS
from hutch.studies.retrieval.settings import Setting
from hutch.text import Corpus

RETRY_RATE = 0.5
"""A run that diverged is tried once more at this multiple of its learning rate."""


def run_unit(folder: Path, payload: dict[str, Any]) -> dict[str, Any]:
    """Train `payload["train"]` on what lies in the study's folder `payload["study"]`, or finish what an earlier
    process began.

    Leaves the weights, `curve.npy` (float32 loss of each step) and `nats.npy` (`NATS`, a row for each of
    `payload["settings"]`) in `folder`; returns what the ledger needs of them.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    for left_by_a_killed_process in folder.glob(".*.tmp"):
        left_by_a_killed_process.unlink(missing_ok=True)
    config, study = gentler(payload["train"], payload["divergences"]), Path(payload["study"])
    corpus = Corpus.open(study / "corpus")
    model, seconds = trained(folder, config, corpus, payload)
    began = time.perf_counter()
    nats_st = scored(model, corpus, study, payload["settings"])
    if not np.isfinite(nats_st).all():
        (folder / "trained.json").unlink()
        raise Diverged(f"the weights after the last of {config.train.steps} steps give no finite loss")
    save_array(folder / NATS, nats_st.astype(np.float32))
    (folder / "checkpoint.safetensors").unlink(missing_ok=True)
    return {
        "seconds": seconds,
        "scoring_seconds": time.perf_counter() - began,
        "peak_rate": config.train.peak_rate,
        "peak_memory_mb": peak_memory_mb(),
        "parameters_all": sum(parameter.numel() for parameter in model.parameters()),
    }


def gentler(config: RetroTrainConfig | PlainRun, divergences: int) -> RetroTrainConfig | PlainRun:
    """The run at the learning rate that is left after so many divergences."""
    rate = config.train.peak_rate * RETRY_RATE**divergences
    return dataclasses.replace(config, train=dataclasses.replace(config.train, peak_rate=rate))


def scored(model: Retro | Transformer, corpus: Corpus, study: Path, settings: list[Setting]) -> np.ndarray:
    """Nats of each held-out token in each setting, float64 [s, t]."""
    database = ChunkDatabase.open(study / "database")
    context = settings_context(model)
    windows = HeldOutWindows.of(corpus.holdout, context, corpus.tokenizer.end_of_document)
    rows = []
    for setting in settings:
        ids_wlk = None
        if setting.neighbours:
            found = np.load(evaluation_file(study, setting.chunks), mmap_mode="r")
            ids_wlk = np.asarray(found[:, :, : setting.neighbours])
        rows.append(token_nats(model, windows, ids_wlk, database.values))
    return np.stack(rows)


def settings_context(model: Retro | Transformer) -> int:
    """Tokens that the model sees."""
    return model.config.decoder.context if isinstance(model, Retro) else model.config.context


def trained(
    folder: Path, config: RetroTrainConfig | PlainRun, corpus: Corpus, payload: dict[str, Any]
) -> tuple[Retro | Transformer, float]:
    """The trained model and its seconds in training steps. `trained.json` is written after weights and curve, so that
    it says that this very configuration is trained and only the scoring may be missing."""
    owner, marker = digest(config), folder / "trained.json"
    if marker.exists() and (known := read_json(marker))["owner"] == owner:
        return opened(folder, config), known["seconds"]

    def beat(progress: Progress) -> None:
        write_heartbeat(
            folder,
            Heartbeat(
                step=progress.step,
                steps=progress.steps,
                tokens=progress.step * config.train.batch_tokens,
                loss=progress.loss,
                tokens_per_second=progress.tokens_per_second,
                flops_per_second=progress.tokens_per_second * payload["flops_per_token"],
            ),
        )

    options = {"on_progress": beat, "checkpoint_seconds": payload["checkpoint_seconds"]}
    tokens = corpus.train.tokens
    if isinstance(config, RetroTrainConfig):
        study = Path(payload["study"])
        database = ChunkDatabase.open(study / "database")
        table = NeighbourTable.open(study / "neighbours", corpus.train, database)
        model, result = train_retro(config, tokens, table.ids, database.values, folder, **options)
    else:
        model, result = train(config.train, tokens, folder, grain=config.grain, **options)
    save_array(folder / "curve.npy", result.losses)
    write_json(marker, {"owner": owner, "seconds": result.seconds})
    return model, result.seconds


def opened(folder: Path, config: RetroTrainConfig | PlainRun) -> Retro | Transformer:
    """The weights of a run that is trained."""
    if isinstance(config, PlainRun):
        return load_model(folder / "model.safetensors")
    exact = dataclasses.replace(config, train=dataclasses.replace(config.train, precision="float32"))
    model = retro_model_of(exact)
    load_trained(folder / WEIGHTS, model)
    return model
