"""The study from a corpus to its analysis: corpus, database, neighbours, runs, analysis."""

import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hutch.lm import refuse_dynamic_threads
from hutch.retrieval.training.retro_train_config import RetroTrainConfig
from hutch.runs import BadInput, HutchError, Ledger, StudyClock, exclusive, plain
from hutch.runs.atomic import write_json
from hutch.runs.executors import warm_up
from hutch.studies.accounting import Accounting
from hutch.studies.refusals import refuse_many_epochs, refuse_other_study
from hutch.studies.retrieval.configuration import RetrievalConfig
from hutch.studies.retrieval.costs import join_flops
from hutch.studies.retrieval.document import analysis_document
from hutch.studies.retrieval.grid import PlannedRun, Setup, planned_runs
from hutch.studies.retrieval.materials import Materials, corpus_of, prepare
from hutch.studies.retrieval.scores import NATS, bits_per_byte
from hutch.studies.retrieval.settings import Setting, settings_of
from hutch.studies.session import Session, facts_of_machine
from hutch.studies.sweep import Sweep
from hutch.text import Corpus

NAME = "retrieval"
TITLE = "Retrieval against parameters and tokens"
UNIT = "hutch.studies.retrieval.unit"
PRELOAD = (UNIT, "torch._dynamo")
LEAST_DOCUMENTS = 2

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
        refuse_other_study(NAME, config, folder)
        warm_up(PRELOAD)
        began = time.time()
        corpus = corpus_of(config, folder, session.workers, session.on_message)
        refuse_small_corpus(config, corpus, expected)
        write_json(folder / "study.json", {"study": NAME, "config": plain(config)})
        materials = prepare(config, corpus, folder, session.workers, session.on_message)
        ledger = Ledger(folder)
        study = _Study(config, session, materials, ledger, began)
        with study.accounting.kept():
            document = study.run()
        write_json(folder / "analysis.json", document)
    return document


def refuse_small_corpus(config: RetrievalConfig, corpus: Corpus, runs: list[PlannedRun]) -> None:
    """`BadInput` where a run would read the corpus too often, or too little is held out to compare models."""
    refuse_many_epochs(corpus, max(run.tokens for run in runs), config.max_epochs)
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
        self.accounting = Accounting(ledger, session, began)

    def run(self) -> dict[str, Any]:
        """The runs, then what they say."""
        sweep = Sweep(
            folder=self.session.folder,
            ledger=self.ledger,
            module=UNIT,
            function="run_unit",
            workers=self.session.workers,
            clock=self.clock,
            on_snapshot=self.accounting.on_snapshot,
            preload=PRELOAD,
        )
        rows = sweep.run(planned_runs(self.config, self.setup), self._payload, self._columns)
        if not any(row.status == "done" and row.role == "retro" for row in rows):
            lost = next(row for row in rows if row.status != "done")
            raise HutchError(f"no model with retrieval ended well; run {lost.id}: {lost.error}")
        self.accounting.save()
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


def _facts(config: RetrievalConfig, ledger: Ledger, session: Session, materials: Materials) -> dict[str, Any]:
    """What holds for the whole study; measured when it begins and kept, so that it goes on with the same precision."""
    facts = ledger.facts()
    if "precision" not in facts:
        new = facts_of_machine(session) | {
            "corpus": materials.corpus.manifest,
            "subsets": list(materials.corpus.holdout.subsets),
            **materials.facts,
            "faiss": version("faiss-cpu"),
        }
        ledger.set_facts(new)
        facts |= new
    return facts
