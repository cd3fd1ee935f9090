"""The house: who may import whom, and how light its front door is."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_a_package_imports_only_from_floors_below_its_own():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["hutch", "hutch.cli.main", "hutch.runs", "hutch.scaling", "hutch.reports"])
def test_heavy_libraries_wait_until_they_are_used(module):
    heavy = ["torch", "plotly", "rich", "tokenizers", "tiktoken", "pandas"]
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_file_has_a_name_that_says_nothing():
    empty = {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert not [path for path in (ROOT / "src").rglob("*.py") if path.name in empty]
