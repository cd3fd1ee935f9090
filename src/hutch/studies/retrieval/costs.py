"""What retrieval costs, part by part, in FLOPs; a multiply–add is 2.

| part | FLOPs | where it is counted |
|---|---|---|
| encoder, cross-attention | `hutch.retrieval.retro.retro_flops`, with k as in training | in the budget of a run |
| search for training | distances · 2 d for a chunk that is read, none twice | in the budget of a run |
| embedding of a query chunk | m · d additions (static vectors) | with the search |
| database: embedding | chunks · m · d | once, apart |
| database: index | distances · 2 d for a chunk, as a search of it costs | once, apart |
| evaluation: search | distances · 2 d for a chunk | apart, a token |

Distances are counted by faiss's own counter on a sample of the chunks. Not counted: what learns the word vectors
(sums over pairs of tokens and one decomposition of the vocabulary), BM25's scores, reading from the disk.
"""

from collections.abc import Mapping
from typing import Any

from hutch.studies.retrieval.configuration import CHUNK


def embedding_flops(database: Mapping[str, Any]) -> float:
    """FLOPs to embed one chunk with static vectors."""
    return float(CHUNK * database["dimensions"])


def join_flops(database: Mapping[str, Any]) -> float:
    """FLOPs to find the neighbours of one training chunk, its embedding included."""
    return 2.0 * database["dimensions"] * database["distances_joining"] + embedding_flops(database)


def search_flops(database: Mapping[str, Any]) -> float:
    """FLOPs to find the neighbours of one chunk of another text, where no document is excluded."""
    return 2.0 * database["dimensions"] * database["distances_searching"] + embedding_flops(database)


def database_flops(database: Mapping[str, Any]) -> float:
    """FLOPs to embed the whole database and to index it, once for all runs."""
    return database["chunks"] * (embedding_flops(database) + search_flops(database))
