"""The study from a corpus to its analysis: prepare, sweep, fit, train at the held-out budget, analyse."""

from pathlib import Path
from typing import Any

import numpy as np

from hutch.lm import refuse_dynamic_threads
from hutch.runs import HutchError, Ledger, LedgerRow, StudyClock, exclusive, plain
from hutch.runs.atomic import write_json
from hutch.runs.executors import warm_up
from hutch.studies.accounting import Accounting
from hutch.studies.compute_optimal.analysis import fit_all, predicted_optimum
from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig
from hutch.studies.compute_optimal.document import analysis_document
from hutch.studies.compute_optimal.grid import PlannedRun, Setting, holdout_runs, profile_runs
from hutch.studies.compute_optimal.refusals import refuse_small_corpus
from hutch.studies.compute_optimal.scores import (
    Holdout,
    bits_per_byte_by_subset,
    bits_per_byte_of,
    holdout_of,
    loss_of,
)
from hutch.studies.counting import flops_per_token
from hutch.studies.refusals import refuse_other_study
from hutch.studies.session import Session, facts_of_machine, stages
from hutch.studies.sweep import Sweep
from hutch.text import Corpus, build_corpus

NAME = "compute-optimal"
TITLE = "Compute-optimal language models"
UNIT = "hutch.studies.compute_optimal.unit"
PRELOAD = (UNIT, "torch._dynamo")
"""The first optimiser that a process builds imports torch._dynamo, which takes two seconds; once is enough."""


def run_study(config: ComputeOptimalConfig, session: Session) -> dict[str, Any]:
    """Do what is not yet done of the study in `session.folder`; return its analysis, as written to analysis.json.

    What can be refused is refused before anything is trained or written. Trouble at the held-out budget costs only
    what it concerns: the fits are analysed all the same, and the page says what is missing and why.
    """
    refuse_dynamic_threads()
    nowhere = Setting(corpus="", precision="float32")
    expected = holdout_runs(config, config.expected(config.holdout_budget), nowhere)
    planned = [*profile_runs(config, nowhere), *expected]
    with exclusive(session.folder):
        refuse_other_study(NAME, config, session.folder)
        warm_up(PRELOAD)
        report = stages("corpus", session.on_message)
        corpus = build_corpus(config.corpus(), session.folder / "corpus", workers=session.workers, progress=report)
        refuse_small_corpus(config, corpus, planned)
        write_json(session.folder / "study.json", {"study": NAME, "config": plain(config)})
        ledger = Ledger(session.folder)
        study = _Study(config, session, corpus, ledger, _facts(ledger, session, corpus))
        with study.accounting.kept():
            document = study.run()
        write_json(session.folder / "analysis.json", document)
    return document


class _Study:
    """A study at work in its folder."""

    def __init__(
        self,
        config: ComputeOptimalConfig,
        session: Session,
        corpus: Corpus,
        ledger: Ledger,
        facts: dict[str, Any],
    ) -> None:
        self.config, self.session, self.corpus, self.ledger, self.facts = config, session, corpus, ledger, facts
        self.holdout = Holdout.from_dict(facts["holdout"])
        # What the runs take over from this study's corpus and machine.
        self.setting = Setting(corpus=corpus.digest, precision=facts["precision"])
        self.clock = StudyClock(TITLE, facts["peak_flops_per_second"])
        self.accounting = Accounting(ledger, session)

    def run(self) -> dict[str, Any]:
        """Profiles, fits, the held-out budget, analysis."""
        rows = self.sweep(profile_runs(self.config, self.setting))
        if not any(row.status == "done" for row in rows):
            raise HutchError(f"none of {len(rows)} runs ended well; the first: {rows[0].error}")
        self.session.on_message("fitting the laws")
        fits = fit_all(self.config, self.ledger.rows())
        predicted = predicted_optimum(self.config, fits)
        trouble = None
        if predicted is not None:
            trouble = self._train_held_out(predicted[1].value)
        self.session.on_message("analysing")
        if trouble != self.ledger.facts().get("holdout_trouble"):
            self.ledger.set_facts({"holdout_trouble": trouble})
        self.accounting.save()
        return analysis_document(self.config, TITLE, self.ledger, fits)

    def _train_held_out(self, optimum: float) -> str | None:
        """Train the models at the held-out budget; what went wrong, if anything did."""
        try:
            runs = holdout_runs(self.config, optimum, self.setting)
            refuse_small_corpus(self.config, self.corpus, runs)
        except HutchError as error:
            return str(error)
        # Of an earlier prediction, from fewer runs or other code: kept, but no longer what is tested.
        for row in self.ledger.rows(whole=False):
            if row.role not in ("profile", "superseded") and row.id not in {run.id for run in runs}:
                self.ledger.update(row.id, role="superseded")
        lost = [row for row in self.sweep(runs) if row.status != "done"]
        return f"run {lost[0].id} ended as {lost[0].status}: {lost[0].error}" if lost else None

    def sweep(self, runs: list[PlannedRun]) -> list[LedgerRow]:
        """Train those of `runs` that are not whole."""
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
        return sweep.run(runs, self._payload, self._columns)

    def _payload(self, run: PlannedRun, divergences: int) -> dict[str, Any]:
        return {
            "train": run.train,
            "corpus": self.session.folder / "corpus",
            "flops_per_token": flops_per_token(run.train.model),
            "divergences": divergences,
            "checkpoint_seconds": self.session.checkpoint_seconds,
            "sample_seed": self.config.seed if run.role in ("optimal", "gopher-like") else None,
        }

    def _columns(self, run: PlannedRun, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        nats = np.load(folder / "documents.npy")
        metrics = result | {
            "bits_per_byte": bits_per_byte_of(self.holdout, nats),
            "bits_per_byte_by_subset": bits_per_byte_by_subset(self.holdout, nats),
            "document_nats": nats.tolist(),
        }
        return {
            "flops": run.flops,
            "tokens": run.tokens,
            "loss": loss_of(self.holdout, nats),
            "seconds": result["seconds"],
            "metrics": metrics,
            "curve": np.load(folder / "curve.npy"),
        }


def _facts(ledger: Ledger, session: Session, corpus: Corpus) -> dict[str, Any]:
    """What holds for the whole study; measured when it begins and kept, so that it goes on with the same precision."""
    facts = ledger.facts()
    if "precision" not in facts:
        new = facts_of_machine(session) | {"holdout": holdout_of(corpus).as_dict(), "corpus": corpus.manifest}
        ledger.set_facts(new)
        facts |= new
    return facts
