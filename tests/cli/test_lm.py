"""`hutch lm` as a user meets it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hutch.cli.main import main
from hutch.lm import build_model, model_of_width, save_weights
from hutch.text import Tokenizer

HUTCH = Path(sys.executable).with_name("hutch")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study's folder with one run, as far as a model goes. Its model never ends a text by itself."""
    folder = tmp_path_factory.mktemp("study")
    tokenizer = Tokenizer.train(["the grey cat sat on the old mat and sang of bread and salt"] * 4, 280)
    tokenizer.save(folder / "corpus" / "tokenizer.json")
    model = build_model(model_of_width(16, vocabulary=280, context=32), 0)
    with torch.no_grad():
        model.embedding.weight[-1] = 0
        model.norm.gain.mul_(4)
    save_weights(folder / "runs" / "abc" / "model.safetensors", model)
    return folder


def called(capsys, *arguments):
    """(exit code, stdout, stderr)"""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_one_prompt_is_continued(study, capsys):
    code, out, err = called(capsys, "lm", "sample", study / "runs" / "abc", "--prompt", "the cat", "--tokens", 20)
    assert (code, err) == (0, "")
    assert out.startswith("the cat")
    assert len(out) > len("the cat") + 5
    assert called(capsys, "lm", "sample", study / "runs" / "abc", "--prompt", "the cat", "--tokens", 20)[1] == out


def test_json_holds_the_prompts_the_texts_and_how_they_were_drawn(study, tmp_path, capsys):
    (tmp_path / "more.txt").write_text("bread\r\n\nand salt\n")
    arguments = [
        "--prompt",
        "the cat",
        "--prompt",
        "",
        "--prompts",
        tmp_path / "more.txt",
        "--tokens",
        9,
        "--top-k",
        "all",
    ]
    code, out, _ = called(capsys, "lm", "sample", study / "runs" / "abc", *arguments, "--json")
    document = json.loads(out)
    assert code == 0
    assert [sample["prompt"] for sample in document["samples"]] == ["the cat", "", "bread", "and salt"]
    assert all(sample["text"] for sample in document["samples"])
    assert (document["sampling"]["tokens"], document["sampling"]["top_k"]) == (9, None)
    assert document["model"] == str(study / "runs" / "abc")
    text = called(capsys, "lm", "sample", study / "runs" / "abc", *arguments)[1]
    for number, sample in enumerate(document["samples"], start=1):
        assert f"[{number} of 4]\n{sample['prompt']}{sample['text']}\n" in text


def test_prompts_in_json_lines_may_hold_newlines(study, tmp_path, capsys):
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt": "the\\ncat"}\n')
    code, out, _ = called(capsys, "lm", "sample", study / "runs" / "abc", "--prompts", path, "--tokens", 5)
    assert code == 0
    assert out.startswith("the\ncat")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("lm",), "VERB"),
        (("lm", "sample"), "MODEL"),
        (("lm", "sample", "/nowhere", "--prompt", "a"), "/nowhere does not exist"),
        (("lm", "sample", "STUDY", "--prompt", "a"), "name one of its runs"),
        (("lm", "sample", "RUN"), "there is nothing to continue: give --prompt TEXT"),
        (("lm", "sample", "RUN", "--prompts", "/nowhere.txt"), "/nowhere.txt"),
        (("lm", "sample", "RUN", "--prompts", "EMPTY"), "holds no prompt"),
        (("lm", "sample", "RUN", "--prompts", "WRONG"), "wrong.jsonl:2 holds no prompt"),
        (("lm", "sample", "RUN", "--prompt", "\udce9"), "--prompt: the text holds bytes that are no UTF-8"),
        (("lm", "sample", "RUN", "--prompt", "a", "--tokens", "0"), "tokens must be at least 1, not 0"),
        (("lm", "sample", "RUN", "--prompt", "a", "--tokens", "many"), "--tokens"),
        (("lm", "sample", "RUN", "--prompt", "a", "--temperature", "-1"), "temperature must be from 0"),
        (("lm", "sample", "RUN", "--prompt", "a", "--temperature", "nan"), "temperature must be from 0"),
        (("lm", "sample", "RUN", "--prompt", "a", "--top-k", "0"), "top_k must be at least 1, not 0"),
        (("lm", "sample", "RUN", "--prompt", "a", "--top-k", "some"), "'some' is neither a number of tokens nor all"),
        (("lm", "sample", "RUN", "--prompt", "a", "--top-p", "1.5"), "top_p must be above 0 and at most 1, not 1.5"),
        (("lm", "sample", "RUN", "--prompt", "a", "--top-p", "0"), "top_p must be above 0 and at most 1, not 0"),
        (("lm", "sample", "RUN", "--prompt", "a", "--repetition-penalty", "0"), "repetition_penalty must be from"),
        (("lm", "sample", "RUN", "--prompt", "a", "--no-repeat-ngram", "0"), "no_repeat_ngram must be at least 1"),
        (("lm", "sample", "RUN", "--prompt", "a", "--stop", ""), "stop must be strings of at least one character"),
        (("lm", "sample", "RUN", "--prompt", "a", "--seed", "-1"), "seed must be 0 or above, not -1"),
        (("lm", "chat", "/nowhere"), "/nowhere does not exist"),
        (("lm", "chat", "RUN", "--tokens", "0"), "tokens must be at least 1, not 0"),
        (("lm", "export", "/nowhere", "OUT"), "/nowhere does not exist"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, says, study, tmp_path, capsys):
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "wrong.jsonl").write_text('{"prompt": "a"}\n["a"]\n')
    places = {
        "STUDY": study,
        "RUN": study / "runs" / "abc",
        "EMPTY": tmp_path / "empty.txt",
        "WRONG": tmp_path / "wrong.jsonl",
        "OUT": tmp_path / "out",
    }
    code, out, err = called(capsys, *(places.get(argument, argument) for argument in arguments))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert says in err
    assert err.startswith("hutch")


def test_help_has_an_example(capsys):
    for verb in ((), ("sample",), ("chat",), ("export",)):
        code, out, _ = called(capsys, "lm", *verb, "--help")
        assert code == 0
        assert "example: hutch lm" in " ".join(out.split())


def talk(study, *arguments, **options):
    command = [HUTCH, "lm", "chat", str(study / "runs" / "abc"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, **options)


def test_a_talk_through_a_pipe(study):
    done = talk(study, "--tokens", 8, "--system", "A talk.", input=b"Hello\n\n caf\xe9 \n")
    assert (done.returncode, done.stderr) == (0, b"")
    told = talk(study, "--tokens", 8, "--system", "A talk.", "--json", input=b"Hello\n\n caf\xe9 \n")
    document = json.loads(told.stdout)
    said = [(message["role"], message["content"]) for message in document["messages"]]
    assert [role for role, _ in said] == ["system", "user", "assistant", "user", "assistant"]
    assert (said[0][1], said[1][1], said[3][1]) == ("A talk.", "Hello", "caf\ufffd")
    replies = [content for role, content in said if role == "assistant"]
    assert all(reply in done.stdout.decode() for reply in replies)


def test_ctrl_c_stops_the_reply_and_not_the_talk(study):
    command = [HUTCH, "lm", "chat", str(study / "runs" / "abc"), "--tokens", "1000000"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        for turn in (b"Hello\n", b"Again\n"):
            process.stdin.write(turn)
            process.stdin.flush()
            assert process.stdout.read(100)
            process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


def test_a_model_is_exported(study, tmp_path, capsys):
    code, out, _ = called(capsys, "lm", "export", study / "runs" / "abc", tmp_path / "out", "--json")
    assert code == 0
    assert json.loads(out) == {"folder": str(tmp_path / "out")}
    assert (tmp_path / "out" / "config.json").is_file()
