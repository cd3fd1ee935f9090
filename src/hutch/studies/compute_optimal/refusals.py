"""What this study refuses besides."""

from collections.abc import Sequence

from hutch.runs import BadInput
from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig
from hutch.studies.compute_optimal.grid import PlannedRun
from hutch.studies.compute_optimal.head_to_head import MINIMUM_DOCUMENTS
from hutch.studies.compute_optimal.scores import holdout_of
from hutch.studies.refusals import refuse_many_epochs
from hutch.text import Corpus


def refuse_small_corpus(config: ComputeOptimalConfig, corpus: Corpus, runs: Sequence[PlannedRun]) -> None:
    """`BadInput` where a run would read the corpus too often, or too little of it is held out to compare models."""
    refuse_many_epochs(corpus, max(run.tokens for run in runs), config.max_epochs)
    scored = int(holdout_of(corpus).scored().sum())
    if scored < MINIMUM_DOCUMENTS:
        raise BadInput(
            f"{config.source} leaves {scored} documents to hold out from subsets that are trained on, and an interval "
            f"over documents needs {MINIMUM_DOCUMENTS}: give more documents"
        )
