import dataclasses

import pytest

from hutch.studies.retrieval.configuration import preset


@pytest.fixture(scope="session")
def small(texts):
    """A whole study of a few seconds, on modules of the standard library."""
    return dataclasses.replace(
        preset("smoke"),
        source=str(texts),
        subsets=None,
        vocabulary=300,
        context=128,
        batch_tokens=(1e9, 256.0),
        budgets=(4e9,),
        widths=(12, 16),
        evaluated_neighbours=(1, 2, 4),
        shares=(0.25, 1.0),
        holdout_fraction=0.1,
        holdout_documents=8,
        holdout_document_tokens=200,
        train_tokens=150_000,
        bootstraps=100,
    )
