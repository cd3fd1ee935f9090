"""One run in a worker, called directly: what it leaves, and how it goes on from what another process left."""

import dataclasses

import numpy as np
import pytest

import hutch.studies.compute_optimal.unit as unit
from hutch.lm import Diverged, TrainConfig, model_of_width
from hutch.runs.atomic import read_json
from hutch.text import CorpusConfig, build_corpus

MODEL = model_of_width(12, vocabulary=300, context=16)
CONFIG = TrainConfig(model=MODEL, tokens=40 * 64, sequences=4, peak_rate=0.006, embedding_rate=60.0)


@pytest.fixture(scope="module")
def corpus(texts, tmp_path_factory):
    config = CorpusConfig(source=str(texts), vocabulary=300, train_tokens=100_000, holdout_document_tokens=50)
    return build_corpus(config, tmp_path_factory.mktemp("corpus")).folder


def payload(corpus, **changes):
    usual = {
        "train": CONFIG,
        "corpus": corpus,
        "flops_per_token": 1,
        "divergences": 0,
        "checkpoint_seconds": 0.0,
        "sample_seed": None,
    }
    return usual | changes


@pytest.fixture
def run(corpus, tmp_path):
    def one(folder="run", **changes):
        (tmp_path / folder).mkdir(exist_ok=True)
        return unit.run_unit(tmp_path / folder, payload(corpus, **changes))

    return one


def nats(folder):
    return np.load(folder / "documents.npy")


def test_it_leaves_weights_curve_and_scores(run, tmp_path):
    result = run()
    assert sorted(p.name for p in (tmp_path / "run").iterdir() if p.name != "progress.json") == [
        "curve.npy",
        "documents.npy",
        "model.safetensors",
        "trained.json",
    ]
    assert np.load(tmp_path / "run" / "curve.npy").shape == (40,)
    assert result["seconds"] == read_json(tmp_path / "run" / "trained.json")["seconds"] > 0
    assert result["peak_rate"] == 0.006


def test_after_a_divergence_it_trains_anew_at_half_the_rate(run, tmp_path):
    """Whatever the first attempt left, and though it is the same run."""
    run()
    again = run(divergences=1)
    assert again["peak_rate"] == 0.003
    run("gentle", train=dataclasses.replace(CONFIG, peak_rate=0.003))
    assert np.array_equal(nats(tmp_path / "run"), nats(tmp_path / "gentle"))


def test_killed_before_its_result_it_only_scores(run, tmp_path, monkeypatch):
    run()
    before = nats(tmp_path / "run")
    (tmp_path / "run" / "documents.npy").unlink()
    monkeypatch.setattr(unit, "train", None)
    run()
    assert np.array_equal(nats(tmp_path / "run"), before)


def test_weights_that_end_without_a_number_are_a_divergence(run, tmp_path, monkeypatch):
    monkeypatch.setattr(unit, "document_nats", lambda *arguments: np.array([1.0, np.nan]))
    with pytest.raises(Diverged, match="no finite loss"):
        run()
    assert not (tmp_path / "run" / "trained.json").exists()


def test_files_of_killed_processes_are_cleared_away(run, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".checkpoint.safetensors.123.tmp").write_bytes(b"half")
    run()
    assert not list((tmp_path / "run").glob(".*.tmp"))


def test_samples_begin_with_held_out_text(run):
    samples = run(sample_seed=0)["samples"]
    assert {sample["subset"] for sample in samples} == {"even", "odd"}
    assert all(sample["prompt"] and sample["text"] for sample in samples)
