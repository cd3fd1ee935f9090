"""`hutch lm train` as a user meets it, alone and under torchrun."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from hutch.cli.main import main
from hutch.lm.own_model import OwnModel
from hutch.text import CorpusConfig, build_corpus

SMALL = ("--width", 16, "--context", 32, "--sequences", 5, "--tokens", "4k", "--precision", "float32")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def corpus(text, tmp_path_factory):
    return build_corpus(CorpusConfig(source=str(text), vocabulary=300), tmp_path_factory.mktemp("corpus") / "c").folder


def lm_train(*arguments):
    return main(["lm", "train", *map(str, arguments)])


def torchrun(processes, *arguments):
    runner = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes))
    return subprocess.run(
        [*runner, "-m", "hutch.cli.main", "lm", "train", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def test_text_becomes_a_model_that_speaks_and_a_second_call_finds_it_done(text, tmp_path, capsys):
    command = ("--corpus", text, "--vocabulary", 300, *SMALL, "--out", tmp_path / "run", "--json")
    assert lm_train(*command) == 0
    first = capsys.readouterr()
    document = json.loads(first.out)
    assert document == json.loads((tmp_path / "run" / "train.json").read_text())
    assert document["status"] == "done"
    assert "preparing the text" in first.err
    assert "FLOP/s" in first.err
    costs = document["costs"]
    assert costs["steps"] * 5 * 32 == costs["tokens"]
    assert costs["flops"] == costs["flops_per_token"] * costs["tokens"]
    assert costs["flops_6nd"] == 6 * costs["parameters"] * costs["tokens"]
    assert document["mfu"] == pytest.approx(costs["flops"] / document["seconds"] / document["peak_flops_per_second"])
    assert len(np.load(tmp_path / "run" / "curve.npy")) == costs["steps"]
    assert len(OwnModel.load(tmp_path / "run").rolling_log_likelihood(["abc"])) == 1
    assert not list((tmp_path / "run").glob("checkpoint*"))
    assert lm_train(*command) == 0
    again = capsys.readouterr()
    assert json.loads(again.out) == document
    assert "is trained already" in again.err


def test_two_processes_train_what_one_does_and_only_the_first_speaks(corpus, tmp_path):
    command = ("--corpus", corpus, *SMALL, "--peak-rate", 0.001, "--json")
    assert lm_train(*command, "--out", tmp_path / "alone") == 0
    done = torchrun(2, *command, "--group", "sharded", "--out", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["processes"] == 2
    assert document["command"].startswith("hutch lm train --corpus")
    assert done.stderr.count("matrix products reach") == 1
    one, two = (np.load(tmp_path / name / "curve.npy") for name in ("alone", "two"))
    assert two == pytest.approx(one, rel=2e-5)


def test_under_torchrun_a_mistake_is_said_once(corpus, tmp_path):
    done = torchrun(2, "--corpus", corpus, *SMALL, "--sequences", 1, "--out", tmp_path / "run")
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if line.startswith("hutch:")]
    assert len(said) == 1
    assert said[0].startswith("hutch: more processes than sequences in a batch: 2 and 1")


def test_a_dry_run_tells_the_price_and_writes_nothing(corpus, tmp_path, capsys):
    command = ("--corpus", corpus, *SMALL, "--out", tmp_path / "run", "--dry-run")
    assert lm_train(*command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["model", "parameters", "tokens", "FLOPs", "time"]
    assert lm_train(*command, "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["steps"], plan["processes"]) == (25, 1)
    assert plan["minutes"] > 0
    assert not (tmp_path / "run").exists()


def test_a_model_that_memory_cannot_hold_is_counted_all_the_same(tmp_path, capsys):
    command = ("--corpus", tmp_path, "--shape", "gopher-280B", "--tokens", "300B", "--sequences", 1536)
    assert lm_train(*command, "--precision", "float32", "--out", tmp_path, "--dry-run", "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["minutes"] is None
    assert plan["flops"] == pytest.approx(5e23, rel=0.1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("--shape", "gopher-1B"), "there is no shape 'gopher-1B': choose one of gopher-44M"),
        (("--vocabulary", 400), "has 300 tokens, not 400"),
        (("--tokens", "100M"), "passes over the"),
        (("--context", 100_000, "--tokens", "1M", "--max-epochs", 100), "too few for a context of 100000"),
        (("--corpus", "/nowhere/text"), "/nowhere/text"),
        (("--tokens", "many"), "'many' is not a number"),
        (("--tokens", "20"), "less than one batch"),
        (("--sequences", 0), "sequences"),
        (("--micro-sequences", 0), "micro_sequences is 0"),
        (("--device", "cuda"), "no GPU" if not torch.cuda.is_available() else ""),
        (("--device", "abacus"), "device"),
        (("--out", "/dev/null"), "is a file, not a folder"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(corpus, tmp_path, capsys, change, says):
    size = () if change[0] == "--shape" else ("--width", 16)
    rest = ("--context", 32, "--sequences", 5, "--tokens", "4k", "--precision", "float32")
    try:
        code = lm_train("--corpus", corpus, *size, *rest, "--out", tmp_path / "run", *change)
    except SystemExit as stop:
        code = stop.code
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(("preparing", "1"))]
    assert (code, len(said)) == (2, 1), said
    assert says in said[0]


def test_a_folder_of_another_configuration_is_refused_with_the_difference(corpus, tmp_path, capsys):
    command = ("--corpus", corpus, *SMALL, "--out", tmp_path / "run")
    assert lm_train(*command) == 0
    assert lm_train(*command, "--seed", 7) == 2
    assert "holds a run with seed=0, not 7" in capsys.readouterr().err


def test_one_variable_of_torchrun_alone_is_refused(corpus, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RANK", "0")
    assert lm_train("--corpus", corpus, *SMALL, "--out", tmp_path / "run") == 2
    assert "RANK is set and WORLD_SIZE" in capsys.readouterr().err


def test_dynamic_threads_are_refused(corpus, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OMP_DYNAMIC", "TRUE")
    assert lm_train("--corpus", corpus, *SMALL, "--out", tmp_path / "run") == 1
    assert "OMP_DYNAMIC" in capsys.readouterr().err
    assert not Path(tmp_path / "run").exists()
