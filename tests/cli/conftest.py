import random

import pytest


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Sixty documents of words that repeat."""
    folder = tmp_path_factory.mktemp("text")
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefgh", k=draw.randint(2, 6))) for _ in range(80)]
    for number in range(60):
        (folder / f"{number}.txt").write_text(" ".join(draw.choices(words, k=500)))
    return folder
