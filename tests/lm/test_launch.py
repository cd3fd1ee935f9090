import pytest

from hutch.lm.groups import Alone
from hutch.lm.launch import device_of_process, group_from_environment, rank_of_process
from hutch.runs import BadInput, HutchError

TORCHRUN = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}


@pytest.fixture(autouse=True)
def outside_of_torchrun(monkeypatch):
    for name in (*TORCHRUN, "OMP_DYNAMIC"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("kind", ["replicated", "sharded"])
def test_without_torchrun_a_process_is_alone(kind):
    with group_from_environment(kind) as group:
        assert isinstance(group, Alone)
        assert (group.rank, group.world) == (0, 1)
    assert rank_of_process() == 0


def test_the_rank_is_torchruns(monkeypatch):
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert rank_of_process() == 1


@pytest.mark.parametrize("missing", ["RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"])
def test_half_of_torchruns_variables_are_refused(monkeypatch, missing):
    for name, value in TORCHRUN.items():
        if name != missing:
            monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=f"is set and {missing} not"), group_from_environment():
        pass


def test_an_unknown_kind_or_device_is_refused():
    with (
        pytest.raises(BadInput, match="group must be one of replicated, sharded, not 'x'"),
        group_from_environment("x"),
    ):
        pass
    for device in ("abacus", "cuda:x", ""):
        with pytest.raises(BadInput, match="device must be cpu, cuda"):
            device_of_process(device)


def test_threads_that_come_and_go_are_refused(monkeypatch):
    monkeypatch.setenv("OMP_DYNAMIC", "true")
    with pytest.raises(HutchError, match="OMP_DYNAMIC"), group_from_environment():
        pass


@pytest.mark.parametrize(("gpus", "place", "gives"), [(2, "1", "cuda:1"), (1, "1", None)])
def test_each_process_has_a_gpu_of_its_own(monkeypatch, gpus, place, gives):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: gpus)
    assert device_of_process("cuda") == "cuda"
    for name, value in (TORCHRUN | {"LOCAL_RANK": place}).items():
        monkeypatch.setenv(name, value)
    assert device_of_process("cpu") == "cpu"
    if gives is None:
        with pytest.raises(BadInput, match="more processes than GPUs: 1 can be seen"):
            device_of_process("cuda")
    else:
        assert device_of_process("cuda") == gives
