"""Where chunks lie: counted by hand on three small documents."""

import numpy as np

from hutch.retrieval.database.chunks import ChunkTable
from hutch.text.shards import DOCUMENT

TOKENS = np.arange(100, 121)
DOCUMENTS = np.array([(0, 10, 0, 0), (10, 3, 0, 0), (13, 1, 0, 0), (14, 7, 0, 0)], dtype=DOCUMENT)
"""Of 9, 2, 0 and 6 tokens, each with an end of document."""


def test_documents_are_cut_from_their_starts_and_an_empty_one_has_no_chunk():
    table = ChunkTable(DOCUMENTS, 4)
    assert table.first.tolist() == [0, 3, 4, 4, 6]
    assert len(table) == 6
    assert table.document_of(np.arange(6)).tolist() == [0, 0, 0, 1, 3, 3]


def test_a_chunk_and_its_continuation_stop_at_the_end_of_the_document():
    values = ChunkTable(DOCUMENTS, 4).read(TOKENS, np.array([0, 1, 2, 3, 5]), 8)
    assert values.tolist() == [
        [100, 101, 102, 103, 104, 105, 106, 107],
        [104, 105, 106, 107, 108, -1, -1, -1],
        [108, -1, -1, -1, -1, -1, -1, -1],
        [110, 111, -1, -1, -1, -1, -1, -1],
        [118, 119, -1, -1, -1, -1, -1, -1],
    ]
