"""`hutch retro` as a user meets it: train, retrofit, evaluate, sample."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from hutch.cli.main import main
from hutch.lm.own_model import OwnModel
from hutch.retrieval.training.retrieving_model import RetrievingModel
from hutch.retrieval.training.retro_folder import TrainedRetro

SMALL = ("--width", 16, "--context", 128, "--sequences", 2, "--precision", "float32", "--workers", 1)


pytestmark = pytest.mark.usefixtures("one_thread")


def retro(*arguments):
    return main(["retro", *map(str, arguments)])


@pytest.fixture(scope="module")
def trained(text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("retro") / "run"
    arguments = (*SMALL, "--vocabulary", 300, "--tokens", "4k", "--out", folder)
    assert retro("train", "--corpus", text, *arguments) == 0
    return folder


def test_text_becomes_a_model_that_retrieves_and_a_second_call_finds_it_done(text, trained, capsys):
    again = (*SMALL, "--vocabulary", 300, "--tokens", "4k", "--out", trained, "--json")
    assert retro("train", "--corpus", text, *again) == 0
    told = capsys.readouterr()
    assert "trained already" in told.err
    document = json.loads(told.out)
    assert document["status"] == "done"
    assert document["costs"]["tokens"] == 16 * 2 * 128
    assert document["costs"]["flops"] > document["costs"]["flops_6nd"] / 2
    # The folder can be moved: what lies inside is found again.
    assert (document["database"], document["corpus"]["folder"]) == ("database", "corpus")
    assert not list(trained.glob("checkpoint*"))


def test_a_folder_that_was_moved_still_opens(trained, tmp_path):
    moved = tmp_path / "elsewhere"
    trained.rename(moved)
    try:
        assert len(TrainedRetro.open(moved).database) > 100
    finally:
        moved.rename(trained)


def test_a_killed_run_goes_on_and_ends_with_the_same_weights(text, trained, tmp_path):
    arguments = [
        "retro",
        "train",
        "--corpus",
        text,
        *SMALL,
        "--vocabulary",
        300,
        "--tokens",
        "4k",
        "--out",
        tmp_path / "run",
    ]
    command = [sys.executable, "-m", "hutch.cli.main", *map(str, [*arguments, "--checkpoint-seconds", 0])]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})
    checkpoint, until = tmp_path / "run" / "checkpoint.safetensors", time.time() + 100
    while not checkpoint.exists() and process.poll() is None and time.time() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert main(list(map(str, arguments))) == 0
    weights = [(folder / "retro.safetensors").read_bytes() for folder in (tmp_path / "run", trained)]
    assert weights[0] == weights[1]


def test_evaluation_tells_both_and_their_difference(trained, capsys):
    assert retro("evaluate", trained, "--neighbours", "1,2", "--chunks", "50", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    everything = [row for row in rows if row["subset"] == "all"]
    assert [(row["neighbours"], row["chunks"] > 50) for row in everything] == [
        (0, False),
        (2, False),
        (1, True),
        (2, True),
    ]
    off = everything[0]["bits_per_byte"]["value"]
    for row in everything[1:]:
        difference = row["difference"]
        assert difference["value"] == pytest.approx(row["bits_per_byte"]["value"] - off, abs=1e-12)
        assert difference["low"] <= difference["value"] <= difference["high"]


def test_sampling_shows_what_it_found_and_off_finds_nothing(trained, text, capsys):
    prompt = (text / "3.txt").read_text()[:700]
    sampled = ("sample", trained, "--prompt", prompt, "--tokens", 70, "--temperature", 0)
    assert retro(*sampled, "--show") == 0
    told = capsys.readouterr()
    assert told.out.startswith(prompt)
    assert "neighbour 1, chunk " in told.err
    assert retro(*sampled, "--show", "--neighbours", 0) == 0
    assert "neighbour" not in capsys.readouterr().err


def test_likelihoods_without_retrieval_are_the_decoder_s(trained, text):
    opened = TrainedRetro.open(trained)
    passages = [(text / f"{number}.txt").read_text()[:400] for number in range(3)]
    off = RetrievingModel(opened, neighbours=0)
    decoder = OwnModel(opened.model.decoder.model, opened.tokenizer, "decoder")
    assert off.rolling_log_likelihood(passages) == pytest.approx(decoder.rolling_log_likelihood(passages), rel=1e-6)
    pairs = [(passage[:200], passage[200:300]) for passage in passages]
    on = RetrievingModel(opened).log_likelihood(pairs)
    for one, other in zip(on, decoder.log_likelihood(pairs), strict=True):
        assert one.tokens == other.tokens
        assert one.nats != other.nats


def test_a_model_of_hutch_is_retrofitted_and_is_itself_without_retrieval(text, trained, tmp_path, capsys):
    model = tmp_path / "model"
    assert (
        main(
            [
                "lm",
                "train",
                "--corpus",
                str(trained / "corpus"),
                *map(str, SMALL[:-2]),
                "--tokens",
                "2k",
                "--out",
                str(model),
            ]
        )
        == 0
    )
    arguments = ("--tokens", "2k", "--context", 128, "--sequences", 2, "--workers", 1, "--out", tmp_path / "run")
    assert retro("retrofit", model, "--corpus", trained / "corpus", *arguments) == 0
    fitted, own = RetrievingModel(TrainedRetro.open(tmp_path / "run"), neighbours=0), OwnModel.load(model)
    passage = (text / "5.txt").read_text()[:300]
    assert fitted.rolling_log_likelihood([passage]) == pytest.approx(own.rolling_log_likelihood([passage]), rel=1e-6)
    (model / "model.safetensors").write_bytes((tmp_path / "run" / "retro.safetensors").read_bytes())
    assert retro("evaluate", tmp_path / "run") == 1
    assert "is not a model of Hutch" in capsys.readouterr().err.splitlines()[-1]


def test_bad_input_is_one_line_and_exit_code_2(text, trained, tmp_path, capsys):
    other = tmp_path / "other"
    assert main(["db", "build", str(text), "--vocabulary", "280", "--workers", "1", "--out", str(other)]) == 0
    capsys.readouterr()
    new = ("train", "--corpus", trained / "corpus", *SMALL, "--tokens", "2k", "--out", tmp_path / "new")
    cases = [
        (("evaluate", tmp_path / "nothing"), "holds no retro.json"),
        (("evaluate", trained, "--database", other), "was made with tokenizer"),
        (("evaluate", trained, "--neighbours", "100000"), "100000 neighbours are asked for"),
        (("sample", trained, "--prompt", "a", "--neighbours", "-1"), "-1 neighbours are asked for"),
        ((*new, "--database", other), "made with another tokenizer"),
        ((*new, "--context", 100), "no multiple of the chunk"),
        ((*new, "--cross-layers", 9), "cross_layers names layer 9"),
        ((*new, "--neighbours", 0), "neighbours is 0"),
        (
            ("retrofit", tmp_path / "none", "--corpus", text, "--tokens", "2k", "--out", tmp_path / "n"),
            "does not exist",
        ),
    ]
    for arguments, said in cases:
        assert retro(*arguments) == 2, arguments
        assert said in capsys.readouterr().err.splitlines()[-1], arguments
    assert not (tmp_path / "new" / "retro.json").exists()
