"""Runs for the sweep's tests, done by its workers."""

import os
import signal

from hutch.lm import Diverged


def unit(folder, payload):
    with (folder / "attempts").open("a") as log:
        log.write(f"{payload['divergences']}\n")
    before = len((folder / "attempts").read_text().split())
    if payload["behaviour"] == "diverges" and payload["divergences"] == 0:
        raise Diverged("diverged at step 3 of 9")
    if payload["behaviour"] == "always diverges":
        raise Diverged("diverged at step 3 of 9")
    if payload["behaviour"] == "is killed" and before == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if payload["behaviour"] == "has no disk" and before <= 2:
        raise OSError("no space left")
    return {"loss": payload["value"]}
