"""The study from a corpus to its analysis: prepare, sweep, fit, train at the held-out budget, analyse."""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hutch.lm import measured_precision, refuse_dynamic_threads
from hutch.runs import BadInput, HutchError, Ledger, LedgerRow, StudyClock, StudySnapshot, exclusive, plain
from hutch.runs.atomic import read_json, write_json
from hutch.runs.executors import warm_up
from hutch.runs.machine import machine_class, peak_memory_mb
from hutch.studies.compute_optimal.analysis import fit_all, predicted_optimum
from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig
from hutch.studies.compute_optimal.document import analysis_document
from hutch.studies.compute_optimal.grid import PlannedRun, Setting, flops_per_token, holdout_runs, profile_runs
from hutch.studies.compute_optimal.scores import Holdout, bits_per_byte_by_subset, bits_per_byte_of, loss_of
from hutch.studies.sweep import Sweep
from hutch.text import Corpus, build_corpus

TITLE = "Compute-optimal language models"
UNIT = "hutch.studies.compute_optimal.unit"
PRELOAD = (UNIT, "torch._dynamo")
"""The first optimiser that a process builds imports torch._dynamo, which takes two seconds; once is enough."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """What one call brings along that the results do not depend on."""

    folder: Path
    """The study's folder."""
    workers: int
    """Processes that train side by side, one thread each."""
    command: str
    """What was typed."""
    on_snapshot: Callable[[StudySnapshot], None] = lambda snapshot: None
    on_message: Callable[[str], None] = lambda message: None


def run_study(config: ComputeOptimalConfig, session: Session) -> dict[str, Any]:
    """Do what is not yet done of the study in `session.folder`; return its analysis, as written to analysis.json."""
    refuse_dynamic_threads()
    began = time.time()
    with exclusive(session.folder):
        _claim_folder(config, session.folder)
        warm_up(PRELOAD)
        session.on_message("preparing the corpus")
        corpus = build_corpus(config.corpus(), session.folder / "corpus", workers=session.workers)
        ledger = Ledger(session.folder)
        study = _Study(config, session, corpus, ledger, _facts(ledger, session, corpus))
        before = _attempts(ledger)
        study.sweep(profile_runs(config, study.setting))
        session.on_message("fitting the laws")
        fits = fit_all(config, ledger.rows())
        predicted = predicted_optimum(config, fits)
        if predicted is not None:
            study.sweep(holdout_runs(config, predicted[1].value, study.setting))
        if _attempts(ledger) != before:
            _account(ledger, session, began)
        session.on_message("analysing")
        document = analysis_document(config, TITLE, ledger, fits)
        write_json(session.folder / "analysis.json", document)
    return document


@dataclass(frozen=True)
class _Study:
    config: ComputeOptimalConfig
    session: Session
    corpus: Corpus
    ledger: Ledger
    facts: dict[str, Any]

    @property
    def setting(self) -> Setting:
        """What the runs take over from this study's corpus and machine."""
        return Setting(corpus=self.corpus.digest, precision=self.facts["precision"])

    def sweep(self, runs: list[PlannedRun]) -> list[LedgerRow]:
        """Train `runs`; a study in which none ends well has failed."""
        self._refuse_too_many_epochs(runs)
        sweep = Sweep(
            folder=self.session.folder,
            ledger=self.ledger,
            module=UNIT,
            function="run_unit",
            workers=self.session.workers,
            clock=StudyClock(TITLE, self.facts["peak_flops_per_second"], self.session.workers),
            on_snapshot=self.session.on_snapshot,
            preload=PRELOAD,
        )
        rows = sweep.run(runs, self._payload, self._columns)
        if not any(row.status == "done" for row in rows):
            raise HutchError(f"none of {len(rows)} runs ended well; the first: {rows[0].error}")
        return rows

    def _payload(self, run: PlannedRun, attempt: int) -> dict[str, Any]:
        return {
            "train": run.train,
            "corpus": self.session.folder / "corpus",
            "flops_per_token": flops_per_token(run.train.model),
            "attempt": attempt,
            "sample_seed": self.config.seed if run.role in ("optimal", "gopher-like") else None,
        }

    def _columns(self, run: PlannedRun, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        holdout = Holdout.from_dict(self.facts["holdout"])
        nats = np.load(folder / "documents.npy")
        metrics = result | {
            "bits_per_byte": bits_per_byte_of(holdout, nats),
            "bits_per_byte_by_subset": bits_per_byte_by_subset(holdout, nats),
            "document_nats": nats.tolist(),
        }
        return {
            "flops": run.flops,
            "tokens": run.tokens,
            "loss": loss_of(holdout, nats),
            "seconds": result["seconds"],
            "metrics": metrics,
            "curve": np.load(folder / "curve.npy"),
        }

    def _refuse_too_many_epochs(self, runs: list[PlannedRun]) -> None:
        available = len(self.corpus.train.tokens)
        worst = max(runs, key=lambda run: run.tokens)
        if worst.tokens > self.config.max_epochs * available:
            raise BadInput(
                f"the corpus has {available:,} training tokens and a run of this study needs {worst.tokens:,}, "
                f"{worst.tokens / available:.1f} epochs: give more text, smaller --budgets, or a higher --max-epochs "
                f"than {self.config.max_epochs:g}"
            )


def _claim_folder(config: ComputeOptimalConfig, folder: Path) -> None:
    """Write the configuration into a new folder; refuse a folder that holds another study."""
    path, wanted = folder / "study.json", {"study": "compute-optimal", "config": plain(config)}
    if not path.exists():
        strangers = [p.name for p in folder.iterdir() if p.name != ".lock"]
        if strangers:
            raise BadInput(
                f"{folder} is not empty and holds no study ({sorted(strangers)[0]} ...): choose another --out"
            )
        write_json(path, wanted)
        return
    found = read_json(path)
    if found.get("study") != "compute-optimal":
        raise BadInput(f"{folder} holds the study {found.get('study')!r}: choose another --out")
    for name, value in wanted["config"].items():
        if found["config"].get(name) != value:
            raise BadInput(
                f"{folder} was begun with {name} = {found['config'].get(name)!r}, not {value!r}: "
                f"choose another --out, or ask for the same again"
            )


def _facts(ledger: Ledger, session: Session, corpus: Corpus) -> dict[str, Any]:
    """What holds for the whole study; measured when it begins and kept, so that it goes on with the same precision."""
    facts = ledger.facts()
    if "precision" not in facts:
        precision, peak = measured_precision()
        new = {
            "precision": precision,
            "peak_flops_per_second": peak,
            "holdout": holdout_of(corpus).as_dict(),
            "corpus": corpus.manifest,
            "machine": machine_class(),
            "python": platform.python_version(),
            "torch": version("torch"),
            "workers": session.workers,
            "command": session.command,
            "started": time.time(),
        }
        for name, value in new.items():
            ledger.set_fact(name, value)
        facts |= new
    return facts


def holdout_of(corpus: Corpus) -> Holdout:
    """The held-out documents and the training mixture, from the corpus."""
    shard = corpus.holdout
    names = [name for name in shard.subsets if corpus.manifest["subsets"][name]["train_tokens"]]
    totals = [corpus.manifest["subsets"][name] for name in names]
    tokens = np.array([total["train_tokens"] for total in totals], float)
    size = np.array([total["train_bytes"] for total in totals], float)
    position = np.array([names.index(name) if name in names else -1 for name in shard.subsets])
    return Holdout(
        subset=position[shard.documents["subset"]],
        bytes=np.asarray(shard.documents["bytes"]),
        # The end of a document that was cut is no text, so no model is asked to predict an end.
        tokens=np.asarray(shard.documents["tokens"]) - 1,
        names=tuple(names),
        token_share=tokens / tokens.sum(),
        byte_share=size / size.sum(),
    )


def _attempts(ledger: Ledger) -> int:
    return sum(row.attempts for row in ledger.rows())


def _account(ledger: Ledger, session: Session, began: float) -> None:
    """Add this call to the study's cost."""
    facts = ledger.facts()
    largest = max((row.metrics.get("peak_memory_mb", 0.0) for row in ledger.rows()), default=0.0)
    ledger.set_fact("seconds", facts.get("seconds", 0.0) + time.time() - began)
    ledger.set_fact("finished", time.time())
    ledger.set_fact("peak_memory_mb", peak_memory_mb() + session.workers * largest)
