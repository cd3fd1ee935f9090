"""One run of the study, in a worker process: train, score the held-out documents, leave the result."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hutch.lm import (
    Diverged,
    Progress,
    TrainConfig,
    Transformer,
    document_nats,
    keep_freed_memory,
    load_model,
    sample_tokens,
    train,
)
from hutch.runs import Heartbeat, digest, seed_of, write_heartbeat
from hutch.runs.atomic import atomic_path, read_json, write_json
from hutch.runs.machine import peak_memory_mb
from hutch.text import Corpus

PROMPT_TOKENS, SAMPLE_TOKENS, TEMPERATURE = 16, 96, 0.7

RETRY_RATE = 0.5
"""A run that diverged is tried once more at this multiple of its learning rate."""


def run_unit(folder: Path, payload: dict[str, Any]) -> dict[str, Any]:
    """Train `payload["train"]` on the corpus at `payload["corpus"]`, or finish what an earlier process began.

    Leaves `model.safetensors`, `curve.npy` (float32 loss of each step) and `documents.npy` (float64 nats of each
    held-out document) in `folder`; returns what the ledger needs of them. After a divergence
    (`payload["divergences"]`) it trains anew at a lower rate.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    for left_by_a_killed_process in folder.glob(".*.tmp"):
        left_by_a_killed_process.unlink(missing_ok=True)
    config: TrainConfig = payload["train"]
    corpus = Corpus.open(payload["corpus"])
    config = dataclasses.replace(config, peak_rate=config.peak_rate * RETRY_RATE ** payload["divergences"])
    model, seconds = trained(folder, config, corpus, payload)
    nats = document_nats(model, corpus.holdout, corpus.tokenizer.end_of_document)
    if not np.isfinite(nats).all():
        (folder / "trained.json").unlink()
        raise Diverged(f"the weights after the last of {config.steps} steps give no finite loss on held-out text")
    _save_array(folder / "documents.npy", nats)
    samples = [] if payload["sample_seed"] is None else samples_of(model, corpus, payload["sample_seed"])
    (folder / "checkpoint.safetensors").unlink(missing_ok=True)
    return {
        "seconds": seconds,
        "peak_rate": config.peak_rate,
        "peak_memory_mb": peak_memory_mb(),
        "samples": samples,
    }


def samples_of(model: Transformer, corpus: Corpus, seed: int) -> list[dict[str, Any]]:
    """A continuation of the first words of one held-out document from each subset."""
    shard, tokenizer = corpus.holdout, corpus.tokenizer
    samples = []
    for name in shard.subsets:
        documents = shard.indices(name)
        if not len(documents):
            continue
        prompt = shard.document(int(documents[0]))[:PROMPT_TOKENS].tolist()
        sample_seed = seed_of(seed, "sample", name) % 2**31
        ids = sample_tokens(
            model,
            [tokenizer.end_of_document, *prompt],
            tokens=SAMPLE_TOKENS,
            seed=sample_seed,
            temperature=TEMPERATURE,
            stop=tokenizer.end_of_document,
        )
        samples.append(
            {
                "subset": name,
                "prompt": tokenizer.decode(prompt),
                "text": tokenizer.decode([i for i in ids if i != tokenizer.end_of_document]),
                "temperature": TEMPERATURE,
                "seed": sample_seed,
            }
        )
    return samples


def trained(folder: Path, config: TrainConfig, corpus: Corpus, payload: dict[str, Any]) -> tuple[Transformer, float]:
    """The trained model and its seconds in training steps. `trained.json` is written after weights and curve, so that
    it says that this very configuration is trained and only the scoring may be missing."""
    owner, marker = digest(config), folder / "trained.json"
    if marker.exists() and (known := read_json(marker))["owner"] == owner:
        return load_model(folder / "model.safetensors"), known["seconds"]

    def beat(progress: Progress) -> None:
        write_heartbeat(
            folder,
            Heartbeat(
                step=progress.step,
                steps=progress.steps,
                tokens=progress.step * config.batch_tokens,
                loss=progress.loss,
                tokens_per_second=progress.tokens_per_second,
                flops_per_second=progress.tokens_per_second * payload["flops_per_token"],
            ),
        )

    model, result = train(
        config, corpus.train.tokens, folder, on_progress=beat, checkpoint_seconds=payload["checkpoint_seconds"]
    )
    _save_array(folder / "curve.npy", result.losses)
    write_json(marker, {"owner": owner, "seconds": result.seconds})
    return model, result.seconds


def _save_array(path: Path, values: np.ndarray) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.save(handle, values)
