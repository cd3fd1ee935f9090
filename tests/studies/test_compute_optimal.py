"""The study end to end: real models on a small corpus."""

import dataclasses
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hutch.runs import BadInput, Ledger, canonical_json
from hutch.scaling import Interval
from hutch.scaling.tables import read_runs
from hutch.studies.compute_optimal import study
from hutch.studies.compute_optimal.analysis import curve_of, done, model_of
from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig
from hutch.studies.compute_optimal.study import run_study
from hutch.studies.counting import count, flops_per_token
from hutch.studies.session import Session

pytestmark = pytest.mark.xdist_group("one study")

ROOT = Path(__file__).resolve().parents[2]

RUN = """
import json, sys
from pathlib import Path
from hutch.studies.compute_optimal.analysis import curve_of, done, model_of
from hutch.studies.compute_optimal.configuration import ComputeOptimalConfig
from hutch.studies.counting import count, flops_per_token
from hutch.studies.compute_optimal.study import run_study
from hutch.studies.session import Session
values = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(sys.argv[2]).items()}
session = Session(folder=Path(sys.argv[1]), workers=2, command="a test", checkpoint_seconds=0.1)
run_study(ComputeOptimalConfig(**values), session)
"""


def session(folder, **changes):
    return Session(**({"folder": folder, "workers": 2, "command": "a test"} | changes))


@pytest.fixture(scope="module")
def finished(tmp_path_factory, small):
    folder = tmp_path_factory.mktemp("study")
    return folder, run_study(small, session(folder))


def test_the_document_holds_what_was_asked(finished, small):
    folder, document = finished
    assert json.loads((folder / "analysis.json").read_text()) == json.loads(json.dumps(document))
    assert [run["status"] for run in document["runs"]] == ["done"] * 14
    assert {run["role"] for run in document["runs"]} == {"profile", "optimal", "gopher-like"}
    for run in document["runs"]:
        assert run["flops"] == pytest.approx(run["budget"], rel=0.05)
        assert 0 < run["bits_per_byte"] < 8
        assert len(run["curve"]["loss"]) == len(run["curve"]["flops"]) > 10
    assert document["chinchilla_test"]["verdict"] in ("reproduced", "contradicted", "not at this scale")
    assert {test["name"] for test in document["chinchilla_test"]["subsets"]} == {"even", "odd"}
    assert document["extrapolation"]["parameters_predicted"]["value"] > 0
    assert len(document["claims"]) == 7
    assert len(document["samples"]) == 4


def test_both_sides_of_the_test_agree_with_their_runs(finished):
    """The same model has one figure, wherever it is shown."""
    _, document = finished
    runs = {run["id"]: run for run in document["runs"]}
    test = document["chinchilla_test"]
    for side in ("optimal", "gopher_like"):
        run = runs[test[side]]
        assert test["overall"][f"{side}_bpb"] == pytest.approx(run["bits_per_byte"])
        by_subset = {one["name"]: one[f"{side}_bpb"] for one in test["subsets"]}
        assert by_subset == pytest.approx(run["bits_per_byte_by_subset"])


def test_models_learn_and_sizes_differ(finished):
    _, document = finished
    losses = [run["loss"] for run in document["runs"] if run["role"] == "profile"]
    assert max(losses) < np.log(300)
    assert max(losses) - min(losses) > 0.05


def test_the_ledger_read_as_a_table_is_what_the_analysis_fits(finished):
    """Without the models: the ledger knows their parameters, and a step's FLOPs are its share of the run's."""
    folder, document = finished
    runs = read_runs(folder, where=["role=profile"]).runs
    rows = done(Ledger(folder).rows(), "profile")
    assert runs.parameters.tolist() == [count(model_of(row)) for row in rows]
    assert runs.flops.tolist() == [row.tokens * flops_per_token(model_of(row)) for row in rows]
    assert runs.flops_per_nd == pytest.approx(document["fits"]["flops_per_nd"], rel=1e-15)
    for curve, row in zip(runs.curves, rows, strict=True):
        wanted = curve_of(row)
        assert curve.parameters == wanted.parameters
        for name in ("flops", "tokens", "loss"):
            assert np.array_equal(getattr(curve, name), getattr(wanted, name))


def test_the_same_again_trains_nothing_and_says_the_same(finished, small):
    folder, document = finished
    before = {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*")}
    assert canonical_json(run_study(small, session(folder))) == canonical_json(document)
    assert {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*")} == before


def results(folder):
    return {row.id: (row.loss, row.curve.tobytes()) for row in Ledger(folder).rows()}


@pytest.mark.parametrize("trace", ["checkpoint.safetensors", "result.json"])
def test_killed_in_the_middle_it_ends_with_the_same_bits(finished, small, tmp_path, trace):
    """Killed when the first checkpoint, or the first result, is there."""
    folder, _ = finished
    process = subprocess.Popen([sys.executable, "-c", RUN, tmp_path / "killed", canonical_json(small)], cwd=ROOT)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(tmp_path.glob(f"killed/runs/*/{trace}")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(tmp_path.glob(f"killed/runs/*/{trace}"))
    assert len(list(tmp_path.glob("killed/runs/*/result.json"))) < 14
    run_study(small, session(tmp_path / "killed"))
    assert results(tmp_path / "killed") == results(folder)


def test_another_configuration_in_an_old_folder_is_refused_by_name(finished, small):
    folder, _ = finished
    with pytest.raises(BadInput, match=r"was begun with seed = 0, not 1"):
        run_study(dataclasses.replace(small, seed=1), session(folder))


def test_a_folder_with_other_things_in_it_is_left_alone(small, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match="is not empty and holds no study"):
        run_study(small, session(tmp_path))
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == ["thesis.txt"]


def test_a_corpus_too_small_for_the_budgets_is_refused_before_anything_is_trained(small, tmp_path):
    with pytest.raises(BadInput, match=r"has [\d,]+ training tokens and a run of this study needs [\d,]+"):
        run_study(dataclasses.replace(small, max_epochs=0.02), session(tmp_path))
    assert not list(tmp_path.glob("runs/*/result.json"))


def test_trouble_at_the_held_out_budget_costs_only_what_it_concerns(finished, small, monkeypatch):
    """The profiles are there, and the prediction wants a model that the budget cannot train."""
    folder, document = finished
    huge = Interval(1e8, 1e8, 1e8, 0.8)
    monkeypatch.setattr(study, "predicted_optimum", lambda config, fits: ("profiles", huge, huge))
    troubled = run_study(small, session(folder))
    assert troubled["fits"]["parametric"] == document["fits"]["parametric"]
    monkeypatch.undo()
    assert canonical_json(run_study(small, session(folder))) == canonical_json(document)


def test_a_mistake_does_not_claim_the_folder(small, tmp_path):
    with pytest.raises(BadInput, match="nowhere"):
        run_study(dataclasses.replace(small, source=str(tmp_path / "nowhere")), session(tmp_path / "out"))
    assert not (tmp_path / "out" / "study.json").exists()


def test_a_configuration_survives_json(small):
    values = json.loads(canonical_json(small))
    again = ComputeOptimalConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    assert again == small
