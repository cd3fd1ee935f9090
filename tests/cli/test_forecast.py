"""`hutch forecast` as a user meets it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from hutch.cli import forecast
from hutch.cli.main import main
from hutch.scaling.forecasts import PRESETS
from hutch.scaling.forecasts.affordability import AlgorithmRule

HUTCH = Path(sys.executable).with_name("hutch")
FAST = ("--draws", "2000")


def printed(capsys, *arguments):
    assert main(["forecast", *FAST, *arguments]) == 0
    return capsys.readouterr()


def test_one_json_document_on_stdout(capsys):
    out = printed(capsys, "--json")
    made = json.loads(out.out)
    assert out.err == ""
    assert made["kind"] == "forecast"
    assert made["configuration"]["draws"] == 2000
    assert made["command"] == "hutch forecast --draws 2000 --json"
    assert made["reanchored"] is None
    assert {"baseline", "updated", "difference", "published", "guesses", "spread", "notes"} <= made.keys()


def test_same_seed_same_document(capsys):
    first, again, other = (printed(capsys, "--json", "--seed", seed).out for seed in ("5", "5", "6"))
    assert first == again
    assert json.loads(first)["baseline"] != json.loads(other)["baseline"]


def test_both_exponents_are_shown_without_being_asked_for(capsys):
    out = " ".join(printed(capsys).out.split())
    for told in (
        "exponent 0.80",
        "exponent 1.00",
        "published",
        "difference over the same draws",
        "Together the median comes later.",
        "guesses and soft spots",
        "pace and cap of algorithms",
        "base year of the hardware price",
        "how sure: the presets",
        "80 % Monte Carlo, draws only",
        "nothing else",
    ):
        assert told in out.replace("\u202f", " ")


def test_flags_reach_the_model(capsys):
    made = json.loads(
        printed(
            capsys,
            *("--preset", "aggressive", "--algorithms", "fixed", "--weights", "short=0.3,none=0.175"),
            *("--spend-doubling", "3", "--hardware-doubling", "2", "--until", "2060", "--reanchor", "30", "--json"),
            *("--data-exponent-interval", "0.5", "1.5"),
        ).out
    )
    config = made["configuration"]
    assert config["name"] == "aggressive"
    assert config["algorithms"]["rule"] == "fixed"
    assert (config["spending"]["doubling"], config["spending"]["share"]) == (3, 0.02)
    assert config["hardware"]["doubling"] == 2
    assert made["years"][-1] == 2060
    assert {anchor["name"]: anchor["weight"] for anchor in made["anchors"]}["short"] == 0.3
    assert made["reanchored"]["tokens_per_parameter"] == 30
    assert made["updated"]["data_exponent"]["low"] == pytest.approx(0.5)
    assert made["updated"]["data_exponent"]["high"] == pytest.approx(1.5)


def test_reanchor_alone_is_20_tokens_a_parameter(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert json.loads(printed(capsys, "--reanchor", "--json").out)["reanchored"]["tokens_per_parameter"] == 20
    assert "reanchored at 20" in printed(capsys, "--reanchor").out


def test_a_page_is_written_and_named(tmp_path, capsys):
    page = tmp_path / "forecast.html"
    out = printed(capsys, "--report", str(page))
    assert page.stat().st_size > 1e6
    assert "report " in out.out
    out = printed(capsys, "--report", str(page), "--json")
    json.loads(out.out)
    assert out.err == f"page: {page}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--weights", "short=0.4"), "the weights sum to 1.2 and must sum to 1: lifetime=0.05, short=0.4"),
        (("--weights", "tiny=0.4"), "there is no anchor 'tiny': choose from lifetime, short, genome, medium, long"),
        (("--weights", "short"), "'short' is not a weight such as short=0.2"),
        (("--weights", "short=much"), "'much' is not a number"),
        (("--weights", "short=nan"), "'nan' is not a number"),
        (("--weights", "short=0.1,short=0.3"), "short is given two weights"),
        (("--weights", "short=-0.1,none=0.4"), "the weight of short is -0.1; a probability from 0 to 1 is needed"),
        (("--draws", "999"), "draws is 999; a whole number from 1000 to 1000000 is needed"),
        (("--draws", "many"), "invalid int value: 'many'"),
        (("--until", "2020"), "until is 2020; a whole number from 2025 to 2500 is needed"),
        (("--hardware-doubling", "0"), "the doubling time of hardware is 0; a finite number above 0 is needed"),
        (("--hardware-doubling", "nan"), "'nan' is not a number such as"),
        (("--spend-doubling", "-1"), "the doubling time of spending is -1; a finite number above 0 is needed"),
        (("--data-exponent", "-0.5"), "--data-exponent -0.5 is negative"),
        (("--data-exponent", "inf"), "'inf' is not a number"),
        (("--data-exponent-interval", "1.5", "0.5"), "the interval 1.5 … 0.5 needs two finite ends, the lower one"),
        (("--data-exponent-interval", "-3", "1"), "is negative in its middle"),
        (("--data-exponent", "0.9", "--data-exponent-interval", "0.5", "1.5"), "which is 1; give one of them"),
        (("--reanchor", "0"), "tokens per parameter is 0; a finite number above 0 is needed"),
        (("--reanchor", "-20"), "tokens per parameter is -20"),
        (("--preset", "mad"), "invalid choice: 'mad'"),
        (("--algorithms", "magic"), "invalid choice: 'magic'"),
        (("--report", "FOLDER"), "is a folder; the name of a file is needed"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, says, tmp_path, capsys):
    arguments = [str(tmp_path) if a == "FOLDER" else a for a in arguments]
    try:
        code = main(["forecast", *arguments])
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert (code, captured.out, len(lines)) == (2, "", 1)
    assert says in lines[0]
    assert lines[0].startswith("hutch")


def test_a_page_that_cannot_be_written_is_refused_before_the_work(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["forecast", *FAST, "--report", str(tmp_path / "file" / "forecast.html")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("hutch: ")


def test_choices_are_those_of_the_model():
    assert tuple(PRESETS) == forecast.PRESETS
    assert get_args(AlgorithmRule) == forecast.RULES


def test_help_has_an_example():
    done = subprocess.run([HUTCH, "forecast", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "example: hutch forecast" in " ".join(done.stdout.split())
