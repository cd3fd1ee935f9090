"""What a study refuses before it trains anything, each in one line that says what would be right."""

from collections.abc import Sequence
from pathlib import Path

from hutch.runs import BadInput, plain
from hutch.runs.atomic import read_json
from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig
from hutch.studies.compute_optimal.grid import PlannedRun
from hutch.studies.compute_optimal.head_to_head import MINIMUM_DOCUMENTS
from hutch.studies.compute_optimal.scores import holdout_of
from hutch.text import Corpus


def refuse_small_corpus(config: ComputeOptimalConfig, corpus: Corpus, runs: Sequence[PlannedRun]) -> None:
    """`BadInput` where a run would read the corpus too often, or too little of it is held out to compare models."""
    available = len(corpus.train.tokens)
    worst = max(run.tokens for run in runs)
    if worst > config.max_epochs * available:
        raise BadInput(
            f"the corpus has {available:,} training tokens and a run of this study needs {worst:,}, "
            f"{worst / available:.1f} epochs: give more text, smaller --budgets, or a higher --max-epochs than "
            f"{config.max_epochs:g}"
        )
    scored = int(holdout_of(corpus).scored().sum())
    if scored < MINIMUM_DOCUMENTS:
        raise BadInput(
            f"{config.source} leaves {scored} documents to hold out from subsets that are trained on, and an interval "
            f"over documents needs {MINIMUM_DOCUMENTS}: give more documents"
        )


def refuse_other_study(study: str, config: ComputeOptimalConfig, folder: Path) -> None:
    """`BadInput` where the folder holds another study than `study` with `config`, or things that are none of ours."""
    path = folder / "study.json"
    if not path.exists():
        strangers = sorted(p.name for p in folder.iterdir() if not p.name.startswith(".") and p.name != "corpus")
        if strangers:
            raise BadInput(f"{folder} is not empty and holds no study ({strangers[0]} ...): choose another --out")
        return
    found = read_json(path)
    if not isinstance(found, dict) or found.get("study") != study or not isinstance(found.get("config"), dict):
        raise BadInput(f"{path} does not describe a {study} study: choose another --out")
    for name, value in plain(config).items():
        if found["config"].get(name) != value:
            raise BadInput(
                f"{folder} was begun with {name} = {found['config'].get(name)!r}, not {value!r}: "
                f"choose another --out, or ask for the same again"
            )
