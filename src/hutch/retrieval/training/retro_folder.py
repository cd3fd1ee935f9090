"""A folder in which a model that retrieves is trained.

    retro.json           what is trained, from what it retrieves, whether it is done, and then what it took
    corpus/              token shards, if the text was not a corpus already
    database/            what it retrieves from, if no database was given
    neighbours/          of each chunk of the corpus, where all of it is read
    tokenizer.json       the corpus's
    checkpoint*          the last state, gone at the end
    retro.safetensors    the trained weights: all, or those that a retrofit added
    curve.npy            float32 loss of each step, nats per token

The same request again goes on where it stopped.
"""

import shutil
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hutch.lm.exchange import load_language_model
from hutch.lm.exchange.imported import ImportedModel
from hutch.lm.exchange.model_tokenizer import tokenizer_of
from hutch.lm.own_model import OwnModel
from hutch.lm.run_folder import (
    RunSession,
    account,
    chosen_precision,
    close_run,
    known_run,
    prepared_corpus,
    refuse_small_corpus,
)
from hutch.lm.speed import gemm_peak
from hutch.lm.train_costs import Costs
from hutch.lm.training import refuse_idle_processes
from hutch.retrieval.database import ChunkDatabase, JoinConfig, NeighbourTable, build_database, join_neighbours
from hutch.retrieval.database.config import Progress, silent
from hutch.retrieval.retro.decoders import HookedDecoder, OwnDecoder
from hutch.retrieval.retro.retro_model import Retro, retrofit
from hutch.retrieval.retro.trained_weights import fingerprint, load_trained
from hutch.retrieval.training.neighbour_batches import Found, looked_up
from hutch.retrieval.training.retro_request import Retrieval, RetrofitRequest, RetroRequest
from hutch.retrieval.training.retro_train_config import RetroTrainConfig, read_train_config
from hutch.retrieval.training.retro_training import WEIGHTS, retro_model_of, train_retro
from hutch.runs import exclusive, plain
from hutch.runs.atomic import read_json, write_json
from hutch.runs.errors import BadInput, HutchError
from hutch.scaling.flops import flops_6nd
from hutch.text import Corpus, Tokenizer

RETRO_JSON = "retro.json"

Decoder = OwnDecoder | HookedDecoder


@dataclass(frozen=True, kw_only=True)
class RetroSession:
    """What one call brings along that the weights do not depend on."""

    run: RunSession
    database: Path | None = None
    """None: one is built of the corpus, in the run's folder."""
    workers: int = 1
    """Processes that embed and join."""
    on_work: Progress = silent
    """Told how far the database and the neighbours are."""


@dataclass(frozen=True)
class Opened:
    """A trained decoder, and the tokenizer that it was trained with."""

    decoder: Decoder
    tokenizer: Tokenizer


def open_decoder(name: str) -> Opened:
    """The model that `load_language_model` opens by that name, ready to be retrofitted."""
    model = load_language_model(name)
    if isinstance(model, OwnModel):
        return Opened(OwnDecoder(model.model), model.tokenizer)
    assert isinstance(model, ImportedModel)
    return Opened(HookedDecoder(model.model), tokenizer_of(model))


def train_retro_in_folder(request: RetroRequest, retrieval: Retrieval, session: RetroSession) -> dict[str, Any]:
    """Build what is not built yet, train what is not trained yet; the content of retro.json. Every process of the
    group must call it.

    Raises `BadInput` for a corpus that is too small or of another tokenizer, a database that does not fit it, a folder
    that is in use or belongs to another configuration, and what building and training raise.
    """
    run = session.run
    refuse_idle_processes(run.group.world, request.sequences)
    with exclusive(run.folder, "run") if run.is_first else nullcontext():
        opened = open_decoder(request.model) if isinstance(request, RetrofitRequest) else None
        vocabulary = None if isinstance(request, RetrofitRequest) else request.vocabulary
        corpus = prepared_corpus(run, vocabulary, opened.tokenizer if opened else None)
        database = _database(corpus, session)
        config = config_of(request, retrieval, opened, corpus, database, session)
        known = known_run(run.folder / RETRO_JSON, config)
        refuse_small_corpus(config.train, corpus, run.max_epochs)
        run.group.any(False)  # all have read the folder before one writes in it
        if known.get("status") == "done":
            run.on_message(f"{run.folder} is trained already")
            return known
        document = {
            "status": "running",
            "config": plain(config),
            "model": request.model if isinstance(request, RetrofitRequest) else None,
            "database": _beside(database.folder, run.folder),
            "corpus": {"digest": corpus.digest, "folder": _beside(corpus.folder, run.folder)},
        }
        if run.is_first:
            for left_by_a_killed_process in run.folder.glob(".*.tmp"):
                left_by_a_killed_process.unlink(missing_ok=True)
            write_json(run.folder / RETRO_JSON, document)
            shutil.copyfile(corpus.folder / "tokenizer.json", run.folder / "tokenizer.json")
        found = _neighbours(corpus, database, config, session)
        return _trained(config, opened, corpus, database, found, document, session)


def config_of(
    request: RetroRequest,
    retrieval: Retrieval,
    opened: Opened | None,
    corpus: Corpus,
    database: ChunkDatabase,
    session: RetroSession,
) -> RetroTrainConfig:
    """The whole configuration. Raises BadInput where the parts do not fit each other."""
    run = session.run
    kept = read_json(run.folder / RETRO_JSON) if (run.folder / RETRO_JSON).exists() else {}
    precision = chosen_precision(request.precision, {"config": kept.get("config", {}).get("train", {})}, run)
    if database.tokenizer.digest != corpus.tokenizer.digest:
        raise BadInput(f"{database.folder} was made with another tokenizer than {corpus.folder}: build it of this text")
    if (database.config.chunk, database.config.value) != (retrieval.chunk, retrieval.value):
        raise BadInput(
            f"{database.folder} holds chunks of {database.config.chunk} tokens in values of {database.config.value}, "
            f"not {retrieval.chunk} and {retrieval.value}"
        )
    if isinstance(request, RetrofitRequest):
        assert opened is not None
        decoder = opened.decoder.config
        train = request.train_config(decoder, precision=precision, corpus=corpus.digest)
        retro = retrieval.config(decoder)
        frozen = fingerprint(retrofit(opened.decoder, retro, 0))
    else:
        train = request.config(vocabulary=corpus.tokenizer.vocabulary, precision=precision, corpus=corpus.digest)
        retro, frozen = retrieval.config(train.model), ""
    return RetroTrainConfig(
        train=train,
        retro=retro,
        database=database.digest,
        retriever=database.config.retriever,
        neighbours=retrieval.neighbours,
        decoder=frozen,
    )


def costs_of(config: RetroTrainConfig, model: Retro) -> Costs:
    """What a run costs; parameters are those that training changes."""
    train, size = config.train, sum(tensor.numel() for tensor in model.trainable_state().values())
    tokens = train.steps * train.batch_tokens
    flops = config.flops_per_token * tokens
    return Costs(
        parameters=size,
        tokens=tokens,
        steps=train.steps,
        flops_per_token=config.flops_per_token,
        flops=flops,
        flops_recomputed=flops,
        flops_6nd=int(flops_6nd(size, tokens)),
    )


@dataclass(frozen=True)
class TrainedRetro:
    """A run, opened: its model, what it retrieves from, its tokenizer."""

    folder: Path
    model: Retro
    database: ChunkDatabase
    tokenizer: Tokenizer
    config: RetroTrainConfig
    corpus: Path
    """The folder of the corpus that it was trained on."""

    @classmethod
    def open(cls, folder: Path | str, *, database: Path | None = None) -> "TrainedRetro":
        """Open what `train_retro_in_folder` left; another database of the same tokenizer may be given.

        Raises BadInput where there is no such run or the database does not fit it, HutchError where the run has not
        ended or a file is damaged.
        """
        folder = Path(folder)
        if not (folder / RETRO_JSON).is_file():
            raise BadInput(f"{folder} holds no {RETRO_JSON}: it is no model that retrieves")
        kept = read_json(folder / RETRO_JSON)
        if kept.get("status") != "done":
            raise HutchError(f"{folder} is not trained to its end: run the same command again to go on")
        config = read_train_config(kept["config"])
        tokenizer = Tokenizer.load(folder / "tokenizer.json")
        place = database or folder / kept["database"]
        found = ChunkDatabase.open(place, tokenizer_digest=tokenizer.digest)
        if (found.config.chunk, found.config.value) != (config.retro.chunk, config.retro.neighbour_tokens):
            raise BadInput(f"{place} holds other chunks than the model was trained with ({config.retro.chunk} tokens)")
        opened = None if kept["model"] is None else open_decoder(kept["model"])
        model = retro_model_of(config, opened.decoder if opened else None)
        load_trained(folder / WEIGHTS, model)
        if isinstance(model.decoder, OwnDecoder):
            model.decoder.model.compute_dtype = torch.float32
        return cls(folder, model.eval(), found, tokenizer, config, folder / kept["corpus"]["folder"])


def _database(corpus: Corpus, session: RetroSession) -> ChunkDatabase:
    """The database, built by the first process while the others wait."""
    run, place = session.run, session.database or session.run.folder / "database"
    if run.is_first and session.database is None:
        build_database(corpus, corpus.tokenizer, place, workers=session.workers, on_progress=session.on_work)
    run.group.any(False)
    return ChunkDatabase.open(place)


def _neighbours(corpus: Corpus, database: ChunkDatabase, config: RetroTrainConfig, session: RetroSession) -> Found:
    """A table of all, joined by the first process while the others wait; where less than half of the corpus is read,
    each process looks up what it needs."""
    run, place = session.run, session.run.folder / "neighbours"
    wanted = JoinConfig(k=config.neighbours, context=config.train.model.context)
    if config.train.tokens < len(corpus.train.tokens) // 2:
        return looked_up(corpus.train, database, wanted)
    if run.is_first:
        join_neighbours(
            corpus.train, database, place, config=wanted, workers=session.workers, on_progress=session.on_work
        )
    run.group.any(False)
    return NeighbourTable.open(place, corpus.train, database).ids


def _trained(
    config: RetroTrainConfig,
    opened: Opened | None,
    corpus: Corpus,
    database: ChunkDatabase,
    found: Found,
    document: dict[str, Any],
    session: RetroSession,
) -> dict[str, Any]:
    run, decoder = session.run, opened.decoder if opened else None
    costs = costs_of(config, retro_model_of(config, decoder))
    peak = run.group.total(gemm_peak(run.device, config.train.precision))
    run.on_start(costs, peak)
    _, result = train_retro(
        config,
        corpus.train.tokens,
        found,
        database.values,
        run.folder,
        decoder=decoder,
        group=run.group,
        device=run.device,
        on_progress=run.on_progress,
        checkpoint_seconds=run.checkpoint_seconds,
    )
    document |= account(costs, result, peak, run)
    if run.is_first:
        close_run(run.folder / RETRO_JSON, document, result)
    return document


def _beside(place: Path, folder: Path) -> str:
    """A place inside the folder by its relative path, so that the folder can be moved; another by its whole one."""
    inside = place.resolve().is_relative_to(folder.resolve())
    return str(place.resolve().relative_to(folder.resolve()) if inside else place.resolve())
