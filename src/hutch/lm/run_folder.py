"""A folder in which one model is trained, by one process or by several.

    train.json           what is trained, whether it is done, and then what it took
    corpus/              token shards, if the text was not a corpus already
    tokenizer.json       the corpus's
    checkpoint*          the last state, gone at the end
    model.safetensors    the trained weights
    curve.npy            float32 loss of each step, nats per token

The same request again goes on where it stopped.
"""

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from hutch.lm.compiling import compiling_pays
from hutch.lm.groups import CHECKPOINT_FILE, CHECKPOINT_FOLDER, Group
from hutch.lm.speed import fastest_precision, gemm_peak
from hutch.lm.train_config import Precision, TrainConfig
from hutch.lm.train_costs import Costs, achieved, costs_of, expected_minutes
from hutch.lm.train_request import DEFAULT_VOCABULARY, TrainRequest
from hutch.lm.training import Progress, TrainResult, refuse_idle_processes, train
from hutch.runs import digest, exclusive, plain
from hutch.runs.atomic import atomic_path, read_json, write_json
from hutch.runs.errors import BadInput
from hutch.runs.machine import git_revision, machine_class
from hutch.text import Batches, Corpus, CorpusConfig, Tokenizer, build_corpus

TRAIN_JSON = "train.json"
LAST_STEPS = 20
"""Steps whose mean is the training loss of a finished run."""


@dataclass(frozen=True, kw_only=True)
class RunSession:
    """What one call brings along that the weights do not depend on."""

    folder: Path
    corpus: str
    """A corpus's folder, or text to make one of (`hutch.text.read_source`)."""
    group: Group
    device: str = "cpu"
    """This process's."""
    max_epochs: float = 4.0
    """Passes over the corpus that are allowed."""
    checkpoint_seconds: float = 60.0
    command: str = ""
    on_start: Callable[[Costs, float], None] = lambda costs, peak: None
    """Told the costs, and the FLOP/s of matrix products of all devices, before the first step."""
    on_progress: Callable[[Progress], None] = lambda progress: None
    on_message: Callable[[str], None] = lambda message: None

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes and talks."""
        return self.group.rank == 0


def train_in_folder(request: TrainRequest, session: RunSession) -> dict[str, Any]:
    """Train what is not trained yet; the content of train.json. Every process of the group must call it.

    Raises `BadInput` for a corpus that is too small or has another vocabulary than was asked for, for a folder that is
    in use or belongs to another configuration, and what `train` raises.
    """
    refuse_idle_processes(session.group.world, request.sequences)
    with exclusive(session.folder, "run") if session.is_first else nullcontext():
        corpus = prepared_corpus(session, request.vocabulary)
        precision = chosen_precision(request.precision, _train_json(session.folder), session)
        config = request.config(vocabulary=corpus.tokenizer.vocabulary, precision=precision, corpus=corpus.digest)
        refuse_small_corpus(config, corpus, session.max_epochs)
        config = replace(config, compiled=_chosen_compiled(request, config, session))
        known = known_run(session.folder / TRAIN_JSON, config)
        session.group.any(False)  # all have read the folder before one writes in it
        if known.get("status") == "done":
            session.on_message(f"{session.folder} is trained already")
            return known
        if session.is_first:
            for left_by_a_killed_process in session.folder.glob(".*.tmp"):
                left_by_a_killed_process.unlink(missing_ok=True)
            write_json(session.folder / TRAIN_JSON, {"status": "running", "config": plain(config)})
            shutil.copyfile(corpus.folder / "tokenizer.json", session.folder / "tokenizer.json")
        return _trained(config, corpus, session)


def plan_run(request: TrainRequest, session: RunSession) -> dict[str, Any]:
    """What the run would cost; nothing is written. Every process of the group must call it."""
    opened = opened_corpus(session.corpus, request.vocabulary)
    vocabulary = opened.tokenizer.vocabulary if opened else request.vocabulary or DEFAULT_VOCABULARY
    precision = chosen_precision(request.precision, _train_json(session.folder), session)
    config = request.config(vocabulary=vocabulary, precision=precision, corpus=opened.digest if opened else "")
    if opened:
        refuse_small_corpus(config, opened, session.max_epochs)
    minutes = expected_minutes(config, session.group, session.device)
    return {
        **asdict(costs_of(config)),
        "model": plain(config.model),
        "batch_tokens": config.batch_tokens,
        "precision": precision,
        "processes": session.group.world,
        "minutes": minutes,
    }


def _trained(config: TrainConfig, corpus: Corpus, session: RunSession) -> dict[str, Any]:
    folder, costs = session.folder, costs_of(config)
    peak = session.group.total(gemm_peak(session.device, config.precision))
    session.on_start(costs, peak)
    _, result = train(
        config,
        corpus.train.tokens,
        folder,
        group=session.group,
        device=session.device,
        on_progress=session.on_progress,
        checkpoint_seconds=session.checkpoint_seconds,
    )
    document = {
        "config": plain(config),
        "corpus": {"digest": corpus.digest, "source": corpus.manifest["config"]["source"]},
        **account(costs, result, peak, session),
    }
    if session.is_first:
        close_run(folder / TRAIN_JSON, document, result)
    return document


def account(costs: Costs, result: TrainResult, peak: float, session: RunSession) -> dict[str, Any]:
    """What a run that is done took, and where: for its file."""
    return {
        "status": "done",
        "costs": asdict(costs),
        "loss": float(result.losses[-LAST_STEPS:].mean()),
        **achieved(costs, result.seconds, peak),
        "processes": session.group.world,
        "threads": torch.get_num_threads(),
        "device": torch.device(session.device).type,
        "machine": machine_class(),
        "revision": git_revision(),
        "command": session.command,
    }


def close_run(path: Path, document: dict[str, Any], result: TrainResult) -> None:
    """Write the file of a run that is done at `path` and its losses beside, and remove its checkpoints."""
    folder = path.parent
    with atomic_path(folder / "curve.npy") as temporary, temporary.open("wb") as handle:
        np.save(handle, result.losses)
    write_json(path, document)
    (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
    shutil.rmtree(folder / CHECKPOINT_FOLDER, ignore_errors=True)


def known_run(path: Path, config: Any) -> dict[str, Any]:
    """What the file of a run in its folder tells, empty where there is none. Raises `BadInput` with the first
    difference if it is of another configuration."""
    known = read_json(path) if path.exists() else {}
    if known and digest(known["config"]) != digest(config):
        name, there, asked = next(_differences(known["config"], plain(config)))
        raise BadInput(
            f"{path.parent} holds a run with {name}={there!r}, not {asked!r}: choose another folder, or remove this one"
        )
    return known


def _train_json(folder: Path) -> dict[str, Any]:
    path = folder / TRAIN_JSON
    return read_json(path) if path.exists() else {}


def _differences(there: dict[str, Any], asked: dict[str, Any], prefix: str = "") -> Any:
    for name in sorted(there.keys() | asked.keys()):
        old, new = there.get(name), asked.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{prefix}{name}.")
        elif old != new:
            yield prefix + name, old, new


def prepared_corpus(session: RunSession, vocabulary: int | None, tokenizer: Tokenizer | None = None) -> Corpus:
    """The corpus, built by the first process while the others wait: with `vocabulary` tokens, or by `tokenizer`."""
    corpus = None
    if session.is_first:
        corpus = opened_corpus(session.corpus, vocabulary)
        if corpus is None:
            place = session.folder / "corpus"
            if not (place / "manifest.json").exists():
                session.on_message(f"preparing the text of {session.corpus}")
            wanted = CorpusConfig(source=session.corpus, vocabulary=vocabulary or DEFAULT_VOCABULARY)
            corpus = build_corpus(wanted.encoded_by(tokenizer) if tokenizer else wanted, place, tokenizer=tokenizer)
    session.group.any(False)
    if corpus is None:
        corpus = opened_corpus(session.corpus, vocabulary) or Corpus.open(session.folder / "corpus")
    if tokenizer is not None and corpus.tokenizer.digest != tokenizer.digest:
        raise BadInput(f"{corpus.folder} was encoded by another tokenizer than the model's: give its text instead")
    return corpus


def opened_corpus(place: str, vocabulary: int | None) -> Corpus | None:
    """The corpus at `place`; None where that is text. Raises BadInput for another vocabulary than was asked for."""
    if not (Path(place) / "manifest.json").is_file():
        return None
    corpus = Corpus.open(place)
    found = corpus.tokenizer.vocabulary
    if vocabulary not in (None, found):
        raise BadInput(f"the tokenizer of {place} has {found} tokens, not {vocabulary}: leave --vocabulary out")
    return corpus


def chosen_precision(asked: Precision | None, known: dict[str, Any], session: RunSession) -> Precision:
    """What was asked for; else that of the `known` run in the folder; else what the first process finds to be
    fastest. Every process of the group must call it."""
    names = get_args(Precision)
    asked = asked or known.get("config", {}).get("precision")
    if asked is None and session.is_first:
        asked = fastest_precision(session.device)
    return names[round(session.group.total(names.index(asked) if session.is_first else 0))]


def _chosen_compiled(request: TrainRequest, config: TrainConfig, session: RunSession) -> bool:
    """What was asked for; else that of the run in the folder; else whether it pays for itself."""
    known = _train_json(session.folder).get("config", {}).get("compiled")
    # A run of another configuration is refused before anything is timed for it.
    known_run(session.folder / TRAIN_JSON, replace(config, compiled=bool(known)))
    asked = request.compiled if known is None or request.compiled is not None else known
    if not session.group.any(asked is None):
        return bool(asked)
    return compiling_pays(config, session.group, session.device)


def refuse_small_corpus(config: TrainConfig, corpus: Corpus, max_epochs: float) -> None:
    """Raise BadInput where the tokens are more than so many passes over the corpus, or one sequence is."""
    there = len(corpus.train.tokens)
    Batches(corpus.train.tokens, config.model.context, config.sequences, config.seed)  # refuses too long a context
    if config.tokens > max_epochs * there:
        raise BadInput(
            f"{config.tokens:,} tokens are {config.tokens / there:.1f} passes over the {there:,} of {corpus.folder}, "
            f"and at most {max_epochs:g} are allowed: ask for fewer tokens, or give more text"
        )
