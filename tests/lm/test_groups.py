import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

import hutch.lm.training as training
from hutch.lm import load_model, train
from hutch.runs import HutchError
from tests.lm.together import CONFIG, Job, chain_of_tokens, together

KINDS = ("replicated", "sharded")

WHOLE, PIECES, RECOMPUTED = {}, {"micro_sequences": 2}, {"recompute": True, "micro_sequences": 1}


pytestmark = pytest.mark.usefixtures("one_thread")


def alone(folder, **change):
    return train(dataclasses.replace(CONFIG, **change), chain_of_tokens(), folder, checkpoint_seconds=1e9)[1].losses


def weights(folder: Path) -> np.ndarray:
    return np.concatenate([p.detach().flatten().numpy() for p in load_model(folder / "model.safetensors").parameters()])


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    return alone(folder), weights(folder)


@pytest.mark.parametrize(
    ("world", "runs"),
    [
        (2, [("replicated", WHOLE), ("replicated", PIECES), ("sharded", WHOLE), ("sharded", RECOMPUTED)]),
        # Of five sequences two processes have two pieces, and the third, with one row, one.
        (3, [("replicated", {"micro_sequences": 1}), ("sharded", {"micro_sequences": 1})]),
    ],
)
def test_several_processes_learn_what_one_does(tmp_path, straight, world, runs):
    jobs = [
        Job(folder=tmp_path / str(number), config=dataclasses.replace(CONFIG, **change), kind=kind)
        for number, (kind, change) in enumerate(runs)
    ]
    losses, ended = straight
    for run, job, said in zip(runs, jobs, together(world, jobs), strict=True):
        assert said.get("losses") == pytest.approx(losses, rel=2e-5), (run, said.get("error"))
        assert weights(job.folder) == pytest.approx(ended, abs=2e-4), run


def test_a_group_of_one_gives_the_bits_of_a_process_alone(tmp_path, straight):
    jobs = [Job(folder=tmp_path / kind, kind=kind) for kind in ("replicated", "sharded")]
    for job, said in zip(jobs, together(1, jobs), strict=True):
        assert said.get("losses") == straight[0].tolist(), said
        assert np.array_equal(weights(job.folder), straight[1])


def test_bfloat16_and_muon_learn_alike_in_a_group(tmp_path):
    half, muon = {"precision": "bfloat16"}, {"algorithm": "muon", "tokens": 6 * 80}
    jobs = [
        Job(folder=tmp_path / f"{kind} {name}", config=dataclasses.replace(CONFIG, **change), kind=kind)
        for name, change in (("half", half), ("muon", muon))
        for kind in ("replicated", "sharded")
    ]
    said = together(2, jobs)
    expected = [alone(tmp_path / "half", **half)] * 2 + [alone(tmp_path / "muon", **muon)] * 2
    for job, one, losses in zip(jobs, said, expected, strict=True):
        assert one.get("losses") == pytest.approx(losses, rel=2e-3), (job.folder.name, one.get("error"))


def test_more_processes_than_sequences_are_refused(tmp_path):
    job = Job(folder=tmp_path, config=dataclasses.replace(CONFIG, sequences=1), kind="sharded")
    (said,) = together(2, [job])
    assert said["error"].startswith("BadInput: more processes than sequences in a batch: 2 and 1")


@pytest.mark.parametrize(("kind", "other"), [KINDS, KINDS[::-1]])
def test_a_group_that_lost_a_process_goes_on_with_another_number(tmp_path, straight, kind, other):
    lost = Job(folder=tmp_path / "lost", kind=kind, checkpoint_seconds=0.0, kill=(7, 1))
    (said,) = together(2, [lost])
    assert said["error"].startswith("LostProcess: another process of the group has gone")
    for world, next_kind in ((3, kind), (2, other)):
        again = Job(folder=shutil.copytree(lost.folder, tmp_path / f"{world}"), kind=next_kind)
        (said,) = together(world, [again])
        assert said.get("steps_here") in GONE_ON, said
        assert said["losses"] == pytest.approx(straight[0], rel=2e-5)
    _, result = train(CONFIG, chain_of_tokens(), lost.folder)
    assert result.steps_here in GONE_ON
    assert result.losses == pytest.approx(straight[0], rel=2e-5)


GONE_ON = (12 - 7, 12 - 6, 12 - 5)
"""Steps left: the last save or two may not have been whole when the process was killed."""


@pytest.fixture(scope="module")
def half_done(tmp_path_factory):
    """A folder with a checkpoint of two processes, one of which was killed."""
    folder = tmp_path_factory.mktemp("half")
    together(2, [Job(folder=folder, kind="sharded", checkpoint_seconds=0.0, kill=(3, 1))])
    return folder


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("name", "harm", "says"),
    [
        ("__1_0.distcp", Path.unlink, r"\(__1_0\.distcp is missing\)"),
        ("__0_0.distcp", cut_short, r"\(__0_0\.distcp has [\d,]+ bytes and should have [\d,]+\)"),
        (".metadata", cut_short, r"\(\.metadata has "),
        ("run.json", Path.unlink, r"run\.json does not exist"),
    ],
)
def test_a_damaged_checkpoint_is_named(half_done, tmp_path, name, harm, says):
    folder = shutil.copytree(half_done, tmp_path / "run")
    (checkpoint,) = (folder / "checkpoint").glob("[0-9]*")
    harm(checkpoint / name)
    with pytest.raises(HutchError, match=says) as caught:
        train(CONFIG, chain_of_tokens(), folder)
    assert str(checkpoint) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_a_killed_group_left_half_written_is_not_read(half_done, tmp_path):
    folder = shutil.copytree(half_done, tmp_path / "run") / "checkpoint"
    (whole,) = folder.glob("[0-9]*")
    whole.rename(folder / ".00000005.writing")
    assert train(CONFIG, chain_of_tokens(), folder.parent)[1].steps_here == 12


def test_a_checkpoint_of_another_configuration_is_not_touched_until_the_first_of_ones_own(half_done, tmp_path):
    folder = shutil.copytree(half_done, tmp_path / "run")
    other = dataclasses.replace(CONFIG, seed=1)
    assert train(other, chain_of_tokens(), folder, checkpoint_seconds=1e9)[1].steps_here == 12
    assert list((folder / "checkpoint").glob("[0-9]*"))


def test_processes_go_on_from_what_one_process_wrote(tmp_path, straight, monkeypatch):
    step_once = training.train_step

    def die(*arguments):
        if arguments[-1] == 5:
            raise KeyboardInterrupt
        return step_once(*arguments)

    monkeypatch.setattr(training, "train_step", die)
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, chain_of_tokens(), tmp_path, checkpoint_seconds=0.0)
    for kind in KINDS:
        (said,) = together(2, [Job(folder=shutil.copytree(tmp_path, tmp_path.parent / f"from-file-{kind}"), kind=kind)])
        assert said.get("steps_here") == 12 - 5, said
        assert said["losses"] == pytest.approx(straight[0], rel=2e-5)
