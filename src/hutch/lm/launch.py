"""The group that this process belongs to, as `torchrun` tells it.

    torchrun --standalone --nproc-per-node 2 -m hutch.cli.main lm train ...

On one machine the processes talk to each other over the loopback alone. What torchrun itself opens to bring them
together, two TCP ports, listens on every interface, whatever it is told: on a machine that others reach, run it behind
a firewall or in a network namespace of its own. Over several machines, start torchrun on each with --nnodes and
--rdzv-endpoint, and set GLOO_SOCKET_IFNAME and NCCL_SOCKET_IFNAME to the interface between them.

torchrun's own restarts leave gloo hanging: where a process is lost, start the same command again, with any number of
processes; it goes on from the last checkpoint.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

import torch

from hutch.lm.groups import Alone, Group
from hutch.lm.lost_processes import LostProcess, is_loss
from hutch.lm.precision import refuse_dynamic_threads
from hutch.runs.errors import BadInput

GroupKind = Literal["replicated", "sharded"]
"""replicated: each process holds the whole model; sharded: its part (`hutch.lm.replicated`, `hutch.lm.sharded`)."""

NEEDED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@contextmanager
def group_from_environment(kind: GroupKind = "replicated", *, device: str = "cpu") -> Iterator[Group]:
    """The group of the processes that torchrun started, to be left by all of them; `Alone` without torchrun.

    `device` is what `device_of_process` returned. Raises `BadInput` for what cannot be had, and `LostProcess` in
    place of torch's errors when another process of the group has gone.
    """
    refuse_dynamic_threads()
    if kind not in get_args(GroupKind):
        raise BadInput(f"group must be one of {', '.join(get_args(GroupKind))}, not {kind!r}")
    if not under_torchrun():
        yield Alone()
        return
    import torch.distributed as dist

    _stay_on_loopback()
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        torch.cuda.set_device(device)
    with _lost_process_named():
        dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo")
        try:
            yield _group(kind)
        finally:
            dist.destroy_process_group()


def under_torchrun() -> bool:
    """Whether torchrun, or something that sets its variables, started this process; some of them alone are refused."""
    given = [name for name in NEEDED if name in os.environ]
    if not {"RANK", "WORLD_SIZE"} & set(given):
        return False
    if missing := [name for name in NEEDED if name not in given]:
        raise BadInput(f"{given[0]} is set and {', '.join(missing)} not: start with torchrun, or unset it")
    return True


def rank_of_process() -> int:
    """This process's place in its group; 0 without torchrun."""
    return int(os.environ["RANK"]) if under_torchrun() else 0


def device_of_process(device: str) -> str:
    """`device` ("cpu", "cuda", "cuda:1") as this process's own: under torchrun the GPU of its number on its machine."""
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdecimal()):
        raise BadInput(f"device must be cpu, cuda or cuda:NUMBER, not {device!r}")
    if kind == "cpu":
        return kind
    if not torch.cuda.is_available():
        raise BadInput("device cuda was asked for, and torch sees no GPU here: ask for cpu")
    if not under_torchrun():
        return device
    place, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if place >= gpus:
        raise BadInput(f"more processes than GPUs: {gpus} can be seen; start at most {gpus} on this machine")
    return f"cuda:{place}"


def _group(kind: GroupKind) -> Group:
    if kind == "replicated":
        from hutch.lm.replicated import Replicated

        return Replicated()
    from hutch.lm.sharded import Sharded

    return Sharded()


def _stay_on_loopback() -> None:
    """Where all processes are on this machine, have gloo and NCCL listen there only, unless told otherwise."""
    if os.environ.get("LOCAL_WORLD_SIZE") != os.environ["WORLD_SIZE"]:
        return
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):
        os.environ.setdefault(name, loopback)


@contextmanager
def _lost_process_named() -> Iterator[None]:
    """One line in place of the error of a collective operation whose other end has gone."""
    try:
        yield
    except RuntimeError as error:
        if not is_loss(error):
            raise
        raise LostProcess from error
