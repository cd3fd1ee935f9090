"""Text that the tests share: the work corpus where it is, and small corpora made on the spot."""

import json
import os
import random
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def work_corpus() -> Path:
    """The folder of the work corpus; the test is skipped where it is not."""
    shared = Path(os.environ.get("HUTCH_SHARED") or REPOSITORY.parent / "shared")
    folder = shared / "data" / "corpus"
    if not folder.is_dir():
        pytest.skip(f"no work corpus at {folder}; set HUTCH_SHARED")
    return folder


def sentences(seed: int, count: int) -> str:
    """`count` made-up sentences."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdefghiklmnoprstu", k=draw.randint(1, 9))) for _ in range(300)]
    return " ".join(" ".join(draw.choices(words, k=9)).capitalize() + "." for _ in range(count))


@pytest.fixture
def small_folder(tmp_path: Path) -> Path:
    """A folder with subsets `prose` (JSON lines, 40 documents) and `notes` (10 text files)."""
    folder = tmp_path / "texts"
    (folder / "notes").mkdir(parents=True)
    rows = [{"text": sentences(i, 40), "id": f"p{i}", "licence": "CC0 1.0"} for i in range(40)]
    (folder / "prose.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    for i in range(10):
        (folder / "notes" / f"{i}.txt").write_text(sentences(100 + i, 20))
    return folder
