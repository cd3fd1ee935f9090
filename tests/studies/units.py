"""Runs for the sweep's tests, done by its workers."""

import os
import signal

from hutch.lm import Diverged


def unit(folder, payload):
    with (folder / "attempts").open("a") as log:
        log.write(f"{payload['attempt']}\n")
    before = len((folder / "attempts").read_text().split())
    if payload["behaviour"] == "diverges" and payload["attempt"] == 0:
        raise Diverged("diverged at step 3 of 9")
    if payload["behaviour"] == "always diverges":
        raise Diverged("diverged at step 3 of 9")
    if payload["behaviour"] == "is killed" and before == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"loss": payload["value"]}
