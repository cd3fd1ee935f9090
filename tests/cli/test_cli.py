"""The command line as a user meets it: exit codes, one line for each mistake, JSON for programs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hutch.cli.main import main

HUTCH = Path(sys.executable).with_name("hutch")
STUDY = ("study", "run", "compute-optimal")
RETRIEVAL = ("study", "run", "retrieval")


def run(*arguments, **options):
    return subprocess.run([HUTCH, *map(str, arguments)], capture_output=True, text=True, **options)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "COMMAND"),
        (("study",), "VERB"),
        (("study", "run", "nonsense"), "there is no study 'nonsense': choose one of compute-optimal"),
        ((*STUDY, "--scale", "week"), 'there is no scale "week": choose one of smoke'),
        ((*STUDY, "--budgets", "1e10,many"), "'many' is not a number such as 3e12"),
        ((*STUDY, "--budgets", "2e10,1e10"), "ascending"),
        ((*STUDY, "--span", "nan"), "'nan' is not a number"),
        ((*STUDY, "--sizes", "1000"), "cannot be made"),
        ((*STUDY, "--vocabulary", "10"), "vocabulary"),
        ((*STUDY, "--out", "/dev/null"), "is a file, not a folder"),
        ((*STUDY, "--workers", "0"), "--workers must be at least 1, not 0"),
        ((*STUDY, "--source", "/nowhere/text", "--out", "OUT"), "/nowhere/text"),
        ((*STUDY, "--scale", "smoke", "--source", str(Path(__file__).parent), "--out", "OUT"), "holds no text"),
        ((*STUDY, "--widths", "64"), "the study compute-optimal has no --widths; it has --source"),
        ((*RETRIEVAL, "--span", "3"), "the study retrieval has no --span; it has --source"),
        ((*RETRIEVAL, "--widths", "64,x"), "'x' is not a number"),
        ((*RETRIEVAL, "--widths", "64.5"), "'64.5' is not a whole number"),
        ((*RETRIEVAL, "--widths", "96,64"), "widths must be ascending"),
        ((*RETRIEVAL, "--context", "100"), "two whole chunks of 64 tokens, not --context 100"),
        ((*RETRIEVAL, "--budgets", "1e8", "--dry-run"), "fewer than 20 steps"),
        ((*RETRIEVAL, "--retriever", "bm25"), "'bm25'"),
        ((*RETRIEVAL, "--scale", "week"), 'there is no scale "week"'),
        ((*RETRIEVAL, "--source", "/nowhere/text", "--out", "OUT"), "/nowhere/text"),
        ((*RETRIEVAL, "--out", "/dev/null"), "is a file, not a folder"),
        (("report", "/nowhere"), "holds no finished study"),
        (("claims", "/nowhere"), "holds no finished study"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, says, tmp_path, capsys):
    arguments = [str(tmp_path / "out") if a == "OUT" else a for a in arguments]
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert (code, captured.out, len(lines)) == (2, "", 1)
    assert says in lines[0]
    assert lines[0].startswith("hutch")


def test_help_has_an_example():
    for command in ("", "study", "study list", "study run", "report", "claims"):
        done = run(*command.split(), "--help")
        assert done.returncode == 0
        assert "example: hutch" in " ".join(done.stdout.split())


def test_studies_are_listed():
    lines = run("study", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["compute-optimal", "retrieval"]
    assert list(json.loads(run("study", "list", "--json").stdout)) == ["compute-optimal", "retrieval"]


def test_a_dry_run_prints_the_cost_and_leaves_nothing(tmp_path):
    done = run(*STUDY, "--scale", "smoke", "--dry-run", "--json", cwd=tmp_path)
    plan = json.loads(done.stdout)
    assert len(plan["runs"]) == 14
    assert plan["flops"] == pytest.approx(sum(r["flops"] for r in plan["runs"]))
    assert plan["minutes"] > 0
    assert not list(tmp_path.iterdir())
    text = run(*STUDY, "--scale", "smoke", "--dry-run", cwd=tmp_path).stdout
    assert "14 runs" in text
    assert "min of training on" in text


def test_a_dry_run_of_retrieval_prints_the_cost_and_leaves_nothing(tmp_path):
    done = run(*RETRIEVAL, "--scale", "smoke", "--dry-run", "--json", cwd=tmp_path)
    plan = json.loads(done.stdout)
    assert len(plan["runs"]) == 10
    assert plan["flops"] == pytest.approx(sum(r["flops"] for r in plan["runs"]))
    assert plan["minutes"] > plan["preparation_minutes"] > 0
    assert not list(tmp_path.iterdir())
    text = run(*RETRIEVAL, "--scale", "smoke", "--dry-run", cwd=tmp_path).stdout
    assert "10 runs" in text
    assert "same tokens" in text


@pytest.mark.slow
def test_smoke_of_retrieval_on_the_embedded_corpus(tmp_path):
    """One command, one JSON document, one page; and again at no cost."""
    first = run(*RETRIEVAL, "--scale", "smoke", "--out", tmp_path / "s", "--json")
    assert first.returncode == 0, first.stderr
    document = json.loads(first.stdout)
    assert [run["status"] for run in document["runs"]] == ["done"] * 10
    assert (tmp_path / "s" / "report.html").stat().st_size > 1e6
    again = run(*RETRIEVAL, "--scale", "smoke", "--out", tmp_path / "s", "--json")
    assert again.stdout == first.stdout
    assert len(json.loads(run("claims", tmp_path / "s", "--json").stdout)[str(tmp_path / "s")]) == 7
    assert run("report", tmp_path / "s").stdout.strip() == str(tmp_path / "s" / "report.html")


@pytest.mark.slow
def test_smoke_on_the_embedded_corpus(tmp_path):
    """What the README promises: one command, one JSON document, one page; and again at no cost."""
    first = run(*STUDY, "--scale", "smoke", "--out", tmp_path / "s", "--json")
    assert first.returncode == 0, first.stderr
    document = json.loads(first.stdout)
    assert [run["status"] for run in document["runs"]] == ["done"] * 14
    assert document["chinchilla_test"]["overall"]["difference"]["level"] == 0.8
    assert (tmp_path / "s" / "report.html").stat().st_size > 1e6
    again = run(*STUDY, "--scale", "smoke", "--out", tmp_path / "s", "--json")
    assert again.stdout == first.stdout
    assert len(json.loads(run("claims", tmp_path / "s", "--json").stdout)[str(tmp_path / "s")]) == 7
    assert run("report", tmp_path / "s").stdout.strip() == str(tmp_path / "s" / "report.html")
