"""Tasks for the executors' tests, imported by their workers."""

import os
import signal
import time


def square(folder, payload):
    return {"value": payload**2, "process": os.getpid()}


def refuse(folder, payload):
    raise ValueError("the\nnumber is odd")


def die_once(folder, payload):
    marker = folder / "was here"
    if not marker.exists():
        marker.write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return {"value": payload}


def linger(folder, payload):
    (folder / "started").write_text(str(os.getpid()))
    time.sleep(60)
    return {}
