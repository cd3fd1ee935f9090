"""`hutch culture train` and `hutch culture measure` as a user meets them."""

import json

import pytest

from hutch.cli.main import main
from hutch.culture.training_config import RECIPES as MADE

SMALL = {
    "world": {"steps": 10},
    "agent": {"encoder": 8, "belief": 8},
    "ppo": {"minibatches": 2},
    "measure_worlds": 4,
}


@pytest.fixture
def command(tmp_path):
    """The arguments of a training of a second."""
    (tmp_path / "small.json").write_text(json.dumps(SMALL))
    return (
        *("culture", "train", "--config", tmp_path / "small.json", "--worlds", 8, "--shards", 1, "--frames", 400),
        *("--out", tmp_path / "run"),
    )


def hutch(*arguments):
    return main([str(argument) for argument in arguments])


def test_an_agent_is_trained_measured_and_a_second_call_finds_it_done(tmp_path, command, capsys):
    assert hutch(*command, "--without", "AL", "--json") == 0
    first = capsys.readouterr()
    document = json.loads(first.out)
    assert document == json.loads((tmp_path / "run" / "training.json").read_text())
    assert document["name"] == "MED--"
    assert document["frames"] == 400
    assert document["command"].startswith("hutch culture train --config")
    assert "400 frames" in first.err or "80 frames" in first.err
    assert hutch(*command, "--without", "AL") == 0
    again = capsys.readouterr()
    assert "is trained already" in again.err
    assert "MED--: transmission" in again.out
    assert hutch("culture", "measure", tmp_path / "run", "--worlds", 4, "--json") == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["name"] == "MED--"
    assert set(measured["probes"]) >= {"own tasks, new worlds", "5 goals", "anti-expert"}
    figure = measured["probes"]["own tasks, new worlds"]["ct"]
    assert figure["low"] <= figure["value"] <= figure["high"]
    assert hutch("culture", "measure", tmp_path / "run", "--worlds", 4, "--json") == 0
    assert json.loads(capsys.readouterr().out) == measured


def test_a_grid_is_a_table(tmp_path, command, capsys):
    assert hutch(*command) == 0
    capsys.readouterr()
    grid = ("--grid", "--sizes", "13,14", "--bumpiness", 0, "--pillars", "0,1")
    assert hutch("culture", "measure", tmp_path / "run", "--worlds", 3, *grid) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 4
    assert "recall" in lines[1]
    assert lines[-1].startswith("size 14, bumpiness 0, pillars 1")


def test_a_dry_run_trains_nothing(tmp_path, command, capsys):
    assert hutch(*command, "--dry-run", "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["frames"] == 400
    assert plan["rollouts"] == 5
    assert plan["flops"] > 0
    assert not (tmp_path / "run").exists()
    assert hutch(*command, "--dry-run") == 0
    assert "frames/s" in capsys.readouterr().out


def test_recipes_are_those_of_the_room():
    from hutch.cli.culture import RECIPES, SWITCHES
    from hutch.culture.training_config import SWITCHES as KNOWN

    assert tuple(MADE) == RECIPES
    assert SWITCHES == KNOWN
    assert [make().name for make in MADE.values()] == ["MEDAL", "MEDAL", "MEDAL-ADR"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--frames", 0), "is not a number above 0"),
        (("--worlds", 9, "--shards", 2), "9 worlds do not part into 2 equal shards"),
        (("--threads", 0), "--threads is 0; it must be at least 1"),
        (("--without", "X"), "invalid choice: 'X'"),
    ],
)
def test_bad_flags_are_one_line(command, capsys, arguments, message):
    try:
        code = hutch(*command, *arguments)
    except SystemExit as error:
        code = error.code
    assert code == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_a_bad_file_is_one_line(tmp_path, command, capsys):
    (tmp_path / "small.json").write_text('{"ppo": {"rates": 1}}')
    assert hutch(*command) == 2
    assert "small.json: a PPOConfig has no 'rates'; it has discount" in capsys.readouterr().err


def test_another_configuration_in_the_folder_is_refused(command, capsys):
    assert hutch(*command) == 0
    assert hutch(*command, "--seed", 4) == 2
    assert "holds a training with seed=0, not 4: choose another folder" in capsys.readouterr().err


def test_what_is_no_agent_cannot_be_measured(tmp_path, capsys):
    assert hutch("culture", "measure", tmp_path) == 1
    assert "holds no agent" in capsys.readouterr().err
    assert hutch("culture", "measure", tmp_path, "--worlds", 0) == 2
    assert "--worlds is 0; it must be at least 1" in capsys.readouterr().err
