import os
import subprocess
import sys

import pytest

from hutch.runs import BadInput, HutchError, exclusive

HOLD = """
import sys, time
from pathlib import Path
from hutch.runs import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_told_who_holds_the_folder(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(BadInput, match=rf"in use by another study \(process {holder.pid}\)"), exclusive(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    with exclusive(tmp_path):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HutchError, match="cannot write in"), exclusive(tmp_path / "file" / "study"):
        pass
    with pytest.raises(BadInput, match="is a file, not a folder"), exclusive(tmp_path / "file"):
        pass
