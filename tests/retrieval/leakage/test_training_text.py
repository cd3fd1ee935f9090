"""The training text is read whole and once, however it is shared."""

import pytest

from hutch.retrieval.leakage.training_text import chosen, numbered, shared_among, training_source
from tests.retrieval.leakage.conftest import write_rows


@pytest.fixture
def source(tmp_path):
    for name, count in (("a", 40), ("b", 5), ("c", 100)):
        write_rows(tmp_path / f"{name}.jsonl", [{"text": f"{name}{i}", "id": i} for i in range(count)])
    return training_source(tmp_path)


@pytest.mark.parametrize("workers", [1, 2, 4, 7])
def test_shares_cover_every_document_once(source, workers):
    tasks = shared_among(source, workers)
    read = [[(number, document.text) for number, document in numbered(source, shares)] for shares in tasks]
    assert len(tasks) >= min(workers, 2)
    assert all(part == sorted(part) for part in read)
    together = sorted(pair for part in read for pair in part)
    assert [text for _, text in together] == [document.text for document in source.documents()]


def test_chosen_documents_are_found_again(source):
    everything = dict(numbered(source, [share for shares in shared_among(source, 1) for share in shares]))
    numbers = sorted(everything)[3:145:40]
    assert [(n, d.text) for n, d in chosen(source, numbers[::-1])] == [(n, everything[n].text) for n in numbers]
    assert list(chosen(source, [])) == []
