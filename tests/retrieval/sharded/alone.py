"""python -m tests.retrieval.sharded.alone FILE: pytest on a file, in a network that is the loopback alone.

Ray listens on all interfaces; here there is one. `run_alone` starts it and sees to it that no process of it is left.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MARK = "HUTCH_TEST_ALONE"
"""A variable that all processes of a run inherit."""
UP, GET_FLAGS, SET_FLAGS = 0x1, 0x8913, 0x8914


def own_network():
    """The command that gives another one a network namespace; skips the test where there is none to be had."""
    pytest.importorskip("ray", reason="the extra ray is not installed: pip install 'hutch-lab[ray]'")
    command = ["unshare", "--map-root-user", "--net"]
    if not shutil.which(command[0]) or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("no network namespace can be made here (unshare --net), and Ray would listen on all interfaces")
    return command


def run_alone(name, timeout):
    """Run a file of tests beside this one: what went wrong, "" where it passed; the commands of the processes that it
    left behind, which are ended."""
    mark = uuid.uuid4().hex
    command = [*own_network(), sys.executable, "-m", "tests.retrieval.sharded.alone", Path(__file__).with_name(name)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", MARK: mark}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST_")}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout
        )  # fmt: skip
    finally:
        left = end_those_left(f"{MARK}={mark}".encode())
    return done.stdout[-6000:] + done.stderr[-2000:] if done.returncode else "", left


def end_those_left(mark, seconds=100.0):
    """Wait for the processes with this in their environment to end; those that do not are ended and named. Ray's agents
    may take a minute after all others."""
    last = time.monotonic() + seconds
    while (left := with_environment(mark)) and time.monotonic() < last:
        time.sleep(0.2)
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return list(left.values())


def with_environment(mark):
    """The processes that hold `mark` in their environment: id to command."""
    found = {}
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in place.read_bytes():
                command = place.with_name("cmdline").read_bytes()
                found[int(place.parent.name)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
    return found


def loopback_up():
    """What `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(handle, GET_FLAGS, request))[1]
        fcntl.ioctl(handle, SET_FLAGS, struct.pack("16sh14x", b"lo", flags | UP))


if __name__ == "__main__":
    interfaces = [name for _, name in socket.if_nameindex()]
    assert interfaces == ["lo"], f"this is not a network of its own: {interfaces}"
    loopback_up()
    # Ray leaves warnings of its own, and files open to the end.
    options = ["-q", "-x", "-W", "default", "-p", "no:cacheprovider", "-p", "no:xdist"]
    sys.exit(pytest.main([*options, *sys.argv[1:]]))
