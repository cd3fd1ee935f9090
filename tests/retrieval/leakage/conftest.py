"""A small training text with a licence in every document, and an evaluation set of which it is known what leaked."""

import json
import os
import random
from pathlib import Path

import pytest

LICENCE = " ".join(f"licence{number} term{number}" for number in range(60))


def prose(seed: int, words: int) -> list[str]:
    """Made-up words without repetition of phrases."""
    draw = random.Random(seed)
    return ["".join(draw.choices("abcdefghiklmnoprstu", k=draw.randint(2, 9))) for _ in range(words)]


def edited(words: list[str], seed: int) -> list[str]:
    """With 3 % of the words dropped."""
    draw = random.Random(seed)
    return [word for word in words if draw.random() > 0.03]


def training_words(number: int) -> list[str]:
    """The words of a training document, without the licence."""
    return prose(number, 300)


def write_rows(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="session")
def training_folder(tmp_path_factory):
    """Forty documents in two files; odd ones end in the licence."""
    folder = tmp_path_factory.mktemp("training")
    for name, numbers in (("one", range(15)), ("two", range(15, 40))):
        texts = {n: " ".join(training_words(n)) + (f"\n\n{LICENCE}" if n % 2 else "") for n in numbers}
        write_rows(folder / f"{name}.jsonl", [{"id": f"t{n}", "text": text} for n, text in texts.items()])
    return folder


@pytest.fixture(scope="session")
def evaluation_rows():
    """Id: text, how it was leaked, from where."""
    rows = {
        "exact": (" ".join(training_words(3)), "exact", "t3"),
        "edited": ("\n".join(edited(training_words(20), 1)).upper(), "edited", "t20"),
        "half": (" ".join(training_words(31)[:150] + prose(900, 150)), "partial", "t31"),
        "stitched": (" ".join(training_words(5)[:120] + prose(901, 60) + training_words(6)[:120]), "partial", "t5"),
        "new": (" ".join(prose(902, 300)), "", ""),
        "quoting": (" ".join(prose(903, 150) + training_words(8)[:30] + prose(904, 150)), "", ""),
        "licenced": (" ".join(prose(905, 100)) + "\n" + LICENCE, "", ""),
        "brief": ("A few words.", "", ""),
        "empty": ("", "", ""),
    }
    return [{"id": name, "text": t, "leak": leak, "leak_of": of} for name, (t, leak, of) in rows.items()]


@pytest.fixture(scope="session")
def evaluation_file(tmp_path_factory, evaluation_rows):
    path = tmp_path_factory.mktemp("evaluation") / "held-out.jsonl"
    write_rows(path, evaluation_rows)
    return path


@pytest.fixture(scope="session")
def work_corpus() -> Path:
    """The folder of the work corpus; the test is skipped where it is not."""
    shared = Path(os.environ.get("HUTCH_SHARED") or Path(__file__).parents[4] / "shared")
    folder = shared / "data" / "corpus"
    if not folder.is_dir():
        pytest.skip(f"no work corpus at {folder}; set HUTCH_SHARED")
    return folder
