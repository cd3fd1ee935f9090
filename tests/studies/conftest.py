import dataclasses
import sysconfig
from pathlib import Path

import pytest

from hutch.studies.compute_optimal.configuration import preset


def write_texts(folder):
    """Modules of the standard library as text, in two subsets: real, and on every machine."""
    modules = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("[a-t]*.py"))
    for number, module in enumerate(modules):
        path = folder / ("even", "odd")[number % 2] / f"{module.stem}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(module.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def texts(tmp_path_factory):
    """A small corpus to train on in seconds."""
    return write_texts(tmp_path_factory.mktemp("texts"))


@pytest.fixture(scope="session")
def small(texts):
    """A whole study of a few seconds."""
    return dataclasses.replace(
        preset("smoke"),
        source=str(texts),
        subsets=None,
        vocabulary=300,
        context=32,
        batch_tokens=(1e9, 128.0),
        expected_optimum=(1e9, 8e3),
        budgets=(1e9, 2e9, 4e9),
        holdout_budget=8e9,
        holdout_fraction=0.15,
        train_tokens=None,
        bootstraps=100,
        span=6,
        sizes=4,
    )
