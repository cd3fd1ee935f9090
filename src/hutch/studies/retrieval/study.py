"""The study from a corpus to its analysis: corpus, database, neighbours, runs, analysis."""

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np

from hutch.lm import measured_precision, refuse_dynamic_threads
from hutch.retrieval.training.retro_train_config import RetroTrainConfig
from hutch.runs import BadInput, HutchError, Ledger, StudyClock, StudySnapshot, exclusive, plain
from hutch.runs.atomic import write_json
from hutch.runs.executors import warm_up
from hutch.runs.machine import machine_class, peak_memory_mb
from hutch.studies.compute_optimal.refusals import refuse_other_study
from hutch.studies.compute_optimal.study import Session
from hutch.studies.retrieval.configuration import RetrievalConfig
from hutch.studies.retrieval.costs import join_flops
from hutch.studies.retrieval.document import analysis_document
from hutch.studies.retrieval.grid import PlannedRun, Setup, planned_runs
from hutch.studies.retrieval.materials import Materials, corpus_of, prepare
from hutch.studies.retrieval.scores import NATS, bits_per_byte
from hutch.studies.retrieval.settings import Setting, settings_of
from hutch.studies.sweep import Sweep
from hutch.text import Corpus

NAME = "retrieval"
TITLE = "Retrieval against parameters and tokens"
UNIT = "hutch.studies.retrieval.unit"
PRELOAD = (UNIT, "torch._dynamo")
LEAST_DOCUMENTS = 2
SAVE_COST_SECONDS = 15.0
"""How often a running study writes down what it has cost, so that a killed one has not forgotten."""

NOWHERE = Setup(corpus="", database="", precision="float32", tokens=2**62, search_flops=0.0)
"""Stands for a corpus that is not there yet, when a study is refused early or its cost is estimated."""


def run_study(config: RetrievalConfig, session: Session) -> dict[str, Any]:
    """Do what is not yet done of the study in `session.folder`; return its analysis, as written to analysis.json.

    What can be refused is refused before anything is trained or written.
    """
    refuse_dynamic_threads()
    expected = planned_runs(config, NOWHERE)
    folder = session.folder
    with exclusive(folder):
        refuse_other_study(NAME, cast(Any, config), folder)
        warm_up(PRELOAD)
        began = time.time()
        corpus = corpus_of(config, folder, session.workers, session.on_message)
        refuse_small_corpus(config, corpus, expected)
        write_json(folder / "study.json", {"study": NAME, "config": plain(config)})
        materials = prepare(config, corpus, folder, session.workers, session.on_message)
        ledger = Ledger(folder)
        study = _Study(config, session, materials, ledger, began)
        with study.accounting():
            document = study.run()
        write_json(folder / "analysis.json", document)
    return document


def refuse_small_corpus(config: RetrievalConfig, corpus: Corpus, runs: list[PlannedRun]) -> None:
    """`BadInput` where a run would read the corpus too often, or too little is held out to compare models."""
    available, worst = len(corpus.train.tokens), max(run.tokens for run in runs)
    if worst > config.max_epochs * available:
        raise BadInput(
            f"the corpus has {available:,} training tokens and a run of this study needs {worst:,}, "
            f"{worst / available:.1f} epochs: give more text, smaller --budgets, or a higher --max-epochs than "
            f"{config.max_epochs:g}"
        )
    if len(corpus.holdout) < LEAST_DOCUMENTS:
        raise BadInput(
            f"{config.source} leaves {len(corpus.holdout)} documents to hold out, and an interval over documents needs "
            f"{LEAST_DOCUMENTS}: give more documents"
        )


class _Study:
    """A study at work in its folder."""

    def __init__(
        self, config: RetrievalConfig, session: Session, materials: Materials, ledger: Ledger, began: float
    ) -> None:
        self.config, self.session, self.materials, self.ledger = config, session, materials, ledger
        self.facts = _facts(config, ledger, session, materials)
        self.setup = Setup(
            corpus=materials.corpus.digest,
            database=materials.database.digest,
            precision=self.facts["precision"],
            tokens=len(materials.corpus.train.tokens),
            search_flops=join_flops(self.facts["database"]),
        )
        self.settings = settings_of(config, len(materials.database))
        self.clock = StudyClock(TITLE, self.facts["peak_flops_per_second"])
        self.began = self.saved = began
        self.seconds_before = self.facts.get("seconds", 0.0)

    def run(self) -> dict[str, Any]:
        """The runs, then what they say."""
        sweep = Sweep(
            folder=self.session.folder,
            ledger=self.ledger,
            module=UNIT,
            function="run_unit",
            workers=self.session.workers,
            clock=self.clock,
            on_snapshot=self._on_snapshot,
            preload=PRELOAD,
        )
        rows = sweep.run(planned_runs(self.config, self.setup), self._payload, self._columns)
        if not any(row.status == "done" and row.role == "retro" for row in rows):
            lost = next(row for row in rows if row.status != "done")
            raise HutchError(f"no model with retrieval ended well; run {lost.id}: {lost.error}")
        self._save_cost()
        self.session.on_message("analysing")
        return analysis_document(self.config, TITLE, self.ledger, self.session.folder)

    def _payload(self, run: PlannedRun, divergences: int) -> dict[str, Any]:
        return {
            "train": run.train,
            "study": self.session.folder,
            "settings": self._settings(run),
            "flops_per_token": run.flops_per_token,
            "divergences": divergences,
            "checkpoint_seconds": self.session.checkpoint_seconds,
        }

    def _columns(self, run: PlannedRun, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        held_out = self.materials.held_out
        nats_sd = held_out.by_document(held_out.by_chunk(np.load(folder / NATS)))
        settings = self._settings(run)
        used = settings.index(Setting(len(self.materials.database), self.config.neighbours)) if settings[1:] else 0
        metrics = result | {
            "settings": [setting.name for setting in settings],
            "document_nats": nats_sd.tolist(),
            "bits_per_byte": bits_per_byte(nats_sd[used], held_out.document_bytes),
            "search_flops": run.search_flops,
            "flops_per_token": run.flops_per_token,
        }
        return {
            "flops": run.flops,
            "tokens": run.tokens,
            "loss": float(nats_sd[used].sum() / held_out.tokens.sum()),
            "seconds": result["seconds"],
            "metrics": metrics,
            "curve": np.load(folder / "curve.npy"),
        }

    def _settings(self, run: PlannedRun) -> list[Setting]:
        """All of them for a model with retrieval, off for others."""
        return self.settings if isinstance(run.train, RetroTrainConfig) else self.settings[:1]

    def _on_snapshot(self, snapshot: StudySnapshot) -> None:
        if time.time() - self.saved > SAVE_COST_SECONDS:
            self._save_cost()
        self.session.on_snapshot(snapshot)

    @contextmanager
    def accounting(self) -> Iterator[None]:
        """Keep the cost of a call that is interrupted; one that ends well has kept it before its analysis."""
        self.attempts_before = _attempts(self.ledger)
        try:
            yield
        except BaseException:
            self._save_cost()
            raise

    def _save_cost(self) -> None:
        """Seconds and memory so far, added to those of earlier calls. A call that trains nothing costs nothing."""
        rows = self.ledger.rows()
        if _attempts(self.ledger) == self.attempts_before and not any(row.status == "running" for row in rows):
            return
        largest = max((row.metrics.get("peak_memory_mb", 0.0) for row in rows), default=0.0)
        self.saved = time.time()
        self.ledger.set_facts(
            {
                "seconds": self.seconds_before + self.saved - self.began,
                "finished": self.saved,
                "peak_memory_mb": peak_memory_mb() + self.session.workers * largest,
            }
        )


def _facts(config: RetrievalConfig, ledger: Ledger, session: Session, materials: Materials) -> dict[str, Any]:
    """What holds for the whole study; measured when it begins and kept, so that it goes on with the same precision."""
    facts = ledger.facts()
    if "precision" not in facts:
        precision, peak = measured_precision()
        new = {
            "precision": precision,
            "peak_flops_per_second": peak,
            "corpus": materials.corpus.manifest,
            "subsets": list(materials.corpus.holdout.subsets),
            **materials.facts,
            "machine": machine_class(),
            "python": platform.python_version(),
            "torch": version("torch"),
            "faiss": version("faiss-cpu"),
            "workers": session.workers,
            "command": session.command,
            "started": time.time(),
        }
        ledger.set_facts(new)
        facts |= new
    return facts


def _attempts(ledger: Ledger) -> int:
    return sum(row.attempts for row in ledger.rows())
