"""Importing the room compiles and loads nothing heavy; what was compiled is kept by the age of all kernels."""

import subprocess
import sys
from pathlib import Path

import hutch.culture
from hutch.culture import compiled, step_kernels


def test_importing_the_room_is_light():
    heavy = ["numba", "torch", "gymnasium", "pettingzoo"]
    code = f"import sys, hutch.culture; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_kept_loops_know_the_age_of_every_file_that_is_compiled():
    stamp = step_kernels.step_slice._cache._cache_file._source_stamp
    names = {name for name, _, _ in stamp}
    room = Path(hutch.culture.__file__).parent
    using = {path.name for path in room.glob("*.py") if "hutch.culture.compiled import" in path.read_text()}
    assert using <= names
    assert {"rewards.py", "kinds.py", "compiled.py"} <= names
    assert stamp == compiled._age_of_the_kernels()
