"""The study end to end: real models on a small corpus."""

import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hutch.reports import render_page
from hutch.retrieval.database import ChunkDatabase
from hutch.retrieval.training.retrieved_likelihood import HeldOutWindows
from hutch.runs import BadInput, HutchError, Ledger, canonical_json
from hutch.studies.retrieval.materials import evaluation_file
from hutch.studies.retrieval.scores import HeldOut
from hutch.studies.retrieval.study import run_study
from hutch.studies.session import Session
from hutch.text import Corpus

pytestmark = [pytest.mark.xdist_group("retrieval study"), pytest.mark.slow]
pytest.importorskip("faiss")
pytest.importorskip("pydivsufsort")

ROOT = Path(__file__).resolve().parents[3]
RUNS = 10

RUN = """
import json, sys
from pathlib import Path
from hutch.studies.retrieval.configuration import RetrievalConfig
from hutch.studies.retrieval.study import run_study
from hutch.studies.session import Session
values = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(sys.argv[2]).items()}
session = Session(folder=Path(sys.argv[1]), workers=2, command="a test", checkpoint_seconds=0.1)
if __name__ == "__main__":
    run_study(RetrievalConfig(**values), session)
"""


def session(folder, **changes):
    return Session(**({"folder": folder, "workers": 2, "command": "a test"} | changes))


@pytest.fixture(scope="module")
def finished(tmp_path_factory, small):
    folder = tmp_path_factory.mktemp("retrieval study")
    return folder, run_study(small, session(folder))


def test_the_document_holds_what_was_asked(finished, small):
    folder, document = finished
    assert json.loads((folder / "analysis.json").read_text()) == json.loads(json.dumps(document, allow_nan=False))
    assert [run["status"] for run in document["runs"]] == ["done"] * RUNS
    assert [cell["width"] for cell in document["cells"]] == [12, 16]
    for cell in document["cells"]:
        assert set(cell["bits_per_byte"]) == {"on", "off", "plain", "same"}
        assert all(0 < one["low"] <= one["value"] <= one["high"] < 8 for one in cell["bits_per_byte"].values())
        bits = {name: one["value"] for name, one in cell["bits_per_byte"].items()}
        assert cell["gains"]["same_tokens"]["value"] == pytest.approx(bits["same"] - bits["on"])
        assert cell["gains"]["equal_flops"]["value"] == pytest.approx(bits["plain"] - bits["on"])
    assert {subset["name"] for subset in document["subsets"]} == {"even", "odd"}
    assert document["neighbours_curve"]["neighbours"] == [1, 2, 4]
    assert len(document["seeds"]["gains"]) == 1 + small.replicates
    assert len(document["claims"]) == 7
    assert document["multiplier"][0]["verdict"] in ("more", "less", "cannot be told")
    assert document["examples"]


def test_its_figures_agree_with_each_other(finished):
    """The whole database with the training's k is one measurement, wherever it is quoted."""
    _, document = finished
    whole, ks = document["database_curve"]["mean"][-1], document["neighbours_curve"]
    assert whole == ks["mean"][ks["neighbours"].index(2)]
    on = document["reference"]["bits_per_byte"]["on"]["value"]
    for mode in ("neighbours", "exact"):
        curve = document["copying"][mode]
        assert curve["models"]["on"][-1]["value"] == pytest.approx(on)
        assert curve["byte_share"][-1] == 1
    assert document["database_curve"]["mean"][0]["value"] == pytest.approx(
        -np.mean([-cell["gains"]["off_against_same"]["value"] for cell in document["cells"]])
    )
    for example in document["examples"]:
        assert sum(token["gain"] for token in example["tokens"]) == pytest.approx(example["gain_bits"], abs=0.05)


def test_the_exact_overlap_is_no_smaller_than_what_neighbours_show(finished):
    """Where it sees anything: matches under four tokens count as none in the exact mode."""
    text = HeldOut.open(finished[0] / "evaluation" / "chunks.npz")
    seen = text.by_neighbours >= 4 / 64
    assert seen.any()
    assert (text.exact[seen] >= text.by_neighbours[seen]).all()


def test_no_neighbour_of_held_out_text_is_from_a_smaller_database_than_asked(finished):
    folder, document = finished
    corpus, database = Corpus.open(folder / "corpus"), ChunkDatabase.open(folder / "database")
    windows = HeldOutWindows.of(corpus.holdout, 128, corpus.tokenizer.end_of_document)
    for size in document["database_curve"]["chunks"][1:]:
        ids = np.load(evaluation_file(folder, size))
        assert ids.max() < size
        assert ((ids >= 0).any(-1) == windows.whole_chunks(64)).all()
    assert document["database"]["chunks"] == len(database)


def test_the_page_is_drawn_from_the_folder_alone(finished, tmp_path):
    folder, document = finished
    shutil.copy(folder / "analysis.json", tmp_path)
    text = render_page(tmp_path).read_text(encoding="utf-8")
    assert "How much is copying" in text
    assert all(f'"plot-{name}"' in text for name in ("database", "overlap", "isoflop", "frontier", "neighbours"))
    assert document["cells"]


def test_again_it_only_looks(finished, small):
    folder, document = finished
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.parent.name != "database"}
    again = run_study(small, session(folder))
    assert canonical_json(again) == canonical_json(document)
    after = {path: path.stat().st_mtime_ns for path in before if path.exists()}
    changed = {str(path.relative_to(folder)) for path, when in before.items() if after.get(path) != when}
    assert not [name for name in changed if name.startswith(("runs", "evaluation", "neighbours/n", "corpus"))]


def results(folder):
    return {row.id: (row.loss, row.curve.tobytes()) for row in Ledger(folder).rows()}


@pytest.mark.parametrize("trace", ["database/segments/*/*", "runs/*/checkpoint.safetensors", "runs/*/result.json"])
def test_killed_in_the_middle_it_ends_with_the_same_bits(finished, small, tmp_path, trace):
    folder, _ = finished
    killed = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", RUN, killed, canonical_json(small)], cwd=ROOT)
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and not list(killed.glob(trace)) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(killed.glob(trace))
    assert len(list(killed.glob("runs/*/result.json"))) < RUNS
    run_study(small, session(killed))
    assert results(killed) == results(folder)


def test_another_configuration_in_an_old_folder_is_refused_by_name(finished, small):
    with pytest.raises(BadInput, match=r"was begun with seed = 0, not 1"):
        run_study(dataclasses.replace(small, seed=1), session(finished[0]))


def test_a_corpus_too_small_for_the_budgets_is_refused_before_anything_is_trained(small, tmp_path):
    with pytest.raises(BadInput, match=r"has [\d,]+ training tokens and a run of this study needs [\d,]+"):
        run_study(dataclasses.replace(small, max_epochs=0.02), session(tmp_path))
    assert not (tmp_path / "study.json").exists()


def test_a_damaged_file_is_named(finished, small, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished[0], folder)
    (folder / "evaluation" / "chunks.npz").write_bytes(b"half")
    with pytest.raises(HutchError, match=r"chunks\.npz is damaged"):
        run_study(small, session(folder))


def test_a_mistake_does_not_claim_the_folder(small, tmp_path):
    with pytest.raises(BadInput, match="nowhere"):
        run_study(dataclasses.replace(small, source=str(tmp_path / "nowhere")), session(tmp_path / "out"))
    assert not (tmp_path / "out" / "study.json").exists()
