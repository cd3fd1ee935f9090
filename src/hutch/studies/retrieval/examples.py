"""A few held-out chunks with what was retrieved for the text before them, and where it helped."""

from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.database import ChunkDatabase
from hutch.retrieval.leakage import longest_overlaps
from hutch.retrieval.training.retrieved_likelihood import HeldOutWindows
from hutch.studies.retrieval.comparisons import Cell, Scores
from hutch.studies.retrieval.configuration import CHUNK
from hutch.studies.retrieval.copying import NAMED
from hutch.studies.retrieval.materials import evaluation_file
from hutch.studies.retrieval.settings import OFF
from hutch.text import Corpus

SHOWN = 3
"""Examples of a kind, each from another document."""


def examples(scores: Scores, cell: Cell, names: list[str]) -> list[dict[str, Any]]:
    """Chunks of the reference model where retrieval helped most, where it did so with at most 12.5 % in common with
    the training text, and where it hurt most. Chunks that begin a window have nothing retrieved before them and are
    left out."""
    held_out = scores.held_out
    gain_t = (scores.token_nats(cell.retro, OFF) - scores.token_nats(cell.retro, scores.usual.name)) / np.log(2)
    gain_n = held_out.by_chunk(gain_t)
    first = np.concatenate([np.arange(n) for n in np.bincount(held_out.document)])
    eligible = (held_out.tokens == CHUNK) & (first % (scores.config.context // CHUNK) > 0)
    kinds = {
        "helped most": (gain_n, eligible),
        "helped most with little in common": (gain_n, eligible & (held_out.exact <= NAMED)),
        "hurt most": (-gain_n, eligible),
    }
    show = _Shower(scores, gain_t, first, names)
    found, seen = [], set()
    for kind, (value_n, rows) in kinds.items():
        documents: set[int] = set()
        for place in np.argsort(-np.where(rows, value_n, -np.inf), kind="stable"):
            document = int(held_out.document[place])
            if len(documents) == SHOWN or not rows[place] or value_n[place] <= 0:
                break
            if document not in documents and place not in seen:
                documents.add(document)
                seen.add(place)
                found.append({"kind": kind, **show(int(place))})
    return found


class _Shower:
    """Turns a chunk into text."""

    def __init__(self, scores: Scores, gain_t: np.ndarray, first: np.ndarray, names: list[str]) -> None:
        self.scores, self.gain_t, self.first, self.names = scores, gain_t, first, names
        folder: Path = scores.folder
        self.corpus = Corpus.open(folder / "corpus")
        self.database = ChunkDatabase.open(folder / "database")
        windows = HeldOutWindows.of(self.corpus.holdout, scores.config.context, self.corpus.tokenizer.end_of_document)
        self.owner = windows.owner_wt[:, 0]
        self.ids = np.load(evaluation_file(folder, scores.chunks), mmap_mode="r")

    def __call__(self, place: int) -> dict[str, Any]:
        held_out, tokenizer = self.scores.held_out, self.corpus.tokenizer
        document, nth = int(held_out.document[place]), int(self.first[place])
        per_window = self.scores.config.context // CHUNK
        window = int(np.flatnonzero(self.owner == document)[nth // per_window])
        ids = np.asarray(self.ids[window, nth % per_window - 1, : self.scores.config.neighbours])
        text = self.corpus.holdout.document(document)[:-1].astype(np.int64)
        chunk = text[nth * CHUNK : (nth + 1) * CHUNK]
        values = self.database.values(ids)
        common = longest_overlaps(chunk[None], values[None]).lengths_nk[0]
        start = int(held_out.starts[place])
        gains = self.gain_t[start : start + len(chunk)]
        return {
            "subset": self.names[int(held_out.subset[document])],
            "document": document,
            "gain_bits": float(gains.sum()),
            "overlap": float(held_out.exact[place]),
            "overlap_by_neighbours": float(held_out.by_neighbours[place]),
            "read": tokenizer.decode(text[max(0, (nth - 1) * CHUNK) : nth * CHUNK]),
            "tokens": [
                {"text": tokenizer.decode([int(token)]), "gain": round(float(gain), 3)}
                for token, gain in zip(chunk, gains, strict=True)
            ],
            "neighbours": [
                self._neighbour(int(i), value, int(n))
                for i, value, n in zip(ids, values, common, strict=True)
                if i >= 0
            ],
        }

    def _neighbour(self, chunk: int, value: np.ndarray, common: int) -> dict[str, Any]:
        decode = self.corpus.tokenizer.decode
        entry = self.database.document(int(self.database.document_of(np.array([chunk]))[0]))
        return {
            "chunk": chunk,
            "subset": entry.subset,
            "text": decode(value[:CHUNK][value[:CHUNK] >= 0]),
            "continuation": decode(value[CHUNK:][value[CHUNK:] >= 0]),
            "common_tokens": common,
        }
