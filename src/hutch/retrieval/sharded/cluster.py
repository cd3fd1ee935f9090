"""A Ray cluster: one that runs, by its address, or one of this machine alone, which ends with the block.

Ray's own processes listen on all interfaces, whatever address they are told, and without a password: run them in a
network that strangers do not reach (a network namespace with nothing but the loopback serves for one machine). They end
with the block, with Ctrl-C and SIGTERM; after a SIGKILL of the process that started them within about a minute.
"""

import importlib
import logging
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from hutch.runs.errors import BadInput, HutchError

LOOPBACK = "127.0.0.1"
OBJECTS_MB = 256
"""Shared memory of a cluster of this machine alone: it holds the arrays of requests that are under way."""
CONNECT_SECONDS = 5.0
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Started by `uv run`, Ray would make the environment anew in each worker.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def ray_library() -> Any:
    """The module ray, which reports no usage. Raises BadInput where it is not installed."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise BadInput("a search or a join by a cluster needs Ray: pip install 'hutch-lab[ray]'") from error


@contextmanager
def cluster(address: str | None = None, *, cpus: int | None = None) -> Iterator[Any]:
    """Be in a cluster while the block runs; yields the module ray.

    Where this process is in one already, that one is used and left as it is.

    Args:
        address: HOST:PORT of a cluster's head, or "auto" for one of which this machine is a node (it must be one, as
            Ray asks for); None starts one of this machine alone, without a dashboard, and ends it.
        cpus: of that one, how many tasks may run at once; None: as many as there are.

    Raises:
        BadInput: Ray is not installed, the address is none, or this process is in another cluster.
        HutchError: no cluster answers there, or none can be started.
    """
    ray = ray_library()
    if ray.is_initialized():
        here = ray.get_runtime_context().gcs_address
        if address not in (None, "auto", here):
            raise BadInput(f"this process is in the Ray cluster at {here}, not in {address}: leave that one first")
        yield ray
        return
    with ExitStack() as ending:
        if address is None:
            folder = ending.enter_context(tempfile.TemporaryDirectory(prefix="hutch-ray-", ignore_cleanup_errors=True))
            where = {
                "address": "local",
                "num_cpus": cpus,
                "_node_ip_address": LOOPBACK,
                "_temp_dir": folder,
                "object_store_memory": OBJECTS_MB << 20,
                "include_dashboard": False,
            }
        else:
            check_address(address)
            where = {"address": address}
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **where)
        except (OSError, RuntimeError, ValueError) as error:
            why = " ".join(str(error).split())
            raise HutchError(f"cannot join the Ray cluster at {address or 'this machine'}: {why}") from error
        ending.callback(ray.shutdown)
        yield ray


def check_address(address: str) -> None:
    """Raise BadInput for what is no address, HutchError where nothing listens: Ray itself would try for long."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host or int(port) > 0xFFFF:
        raise BadInput(f"the address of a Ray cluster is {address!r}; it must be HOST:PORT of its head, or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise HutchError(f"no Ray cluster answers at {address}: {error.strerror or error}") from error
