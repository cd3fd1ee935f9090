"""What retrieval is worth on held-out documents: bits per byte by subset, by the number of neighbours, by the size of
the database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hutch.retrieval.database import ChunkDatabase
from hutch.retrieval.leakage.curve import filtered_bits_per_byte
from hutch.retrieval.retro.retro_model import Retro
from hutch.retrieval.training.retrieved_likelihood import HeldOutWindows, token_nats
from hutch.runs.errors import BadInput
from hutch.scaling.intervals import Interval
from hutch.text import Shard

OFF = "off"
"""The name of the model without retrieval."""
NEIGHBOURS = (1, 2, 4, 10)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Setting:
    """How much is retrieved."""

    neighbours: int
    """k."""
    chunks: int
    """Chunks of the database that are searched."""

    @property
    def name(self) -> str:
        """In tables."""
        return f"k={self.neighbours}, {self.chunks:,} chunks"


@dataclass(frozen=True)
class RetroEvaluation:
    """Nats of each held-out document, without retrieval and in each setting."""

    subsets: tuple[str, ...]
    subset_d: np.ndarray
    """The subset of each document, an index."""
    bytes_d: np.ndarray
    nats_d: dict[str, np.ndarray]
    """By the setting's name, and "off"."""
    settings: tuple[Setting, ...]

    def rows(self, *, bootstraps: int = 1000, level: float = 0.95, seed: int = 0) -> list[dict[str, Any]]:
        """For all documents and for each subset: bits per byte without retrieval and in each setting, and the
        difference, whose interval comes from documents drawn with replacement, the same ones for both."""
        groups = [("all", np.ones(len(self.bytes_d), bool))]
        groups += [(name, self.subset_d == number) for number, name in enumerate(self.subsets)]
        return [
            row
            for name, chosen in groups
            if chosen.any()
            for row in self._rows_of(name, chosen, bootstraps, level, seed)
        ]

    def _rows_of(
        self, subset: str, chosen: np.ndarray, bootstraps: int, level: float, seed: int
    ) -> list[dict[str, Any]]:
        names = [setting.name for setting in self.settings]
        curve = filtered_bits_per_byte(
            {name: nats[chosen] / np.log(2) for name, nats in self.nats_d.items()},
            self.bytes_d[chosen],
            np.zeros(chosen.sum()),
            np.arange(chosen.sum()),
            alphas=(1.0,),
            differences=[(name, OFF) for name in names],
            bootstraps=bootstraps,
            level=level,
            seed=seed,
        )
        off = {"neighbours": 0, "chunks": 0, "difference": None}
        measured = [
            {
                "neighbours": setting.neighbours,
                "chunks": setting.chunks,
                "difference": first_of(curve.differences[setting.name, OFF]),
            }
            for setting in self.settings
        ]
        return [
            {"subset": subset, "documents": int(chosen.sum()), "bits_per_byte": first_of(curve.models[name]), **row}
            for name, row in zip([OFF, *names], [off, *measured], strict=True)
        ]


def evaluate_retro(
    model: Retro,
    database: ChunkDatabase,
    shard: Shard,
    *,
    context: int,
    neighbours: Sequence[int] = NEIGHBOURS,
    chunks: Sequence[int] = (),
    documents: int | None = None,
    on_progress: Progress = lambda stage, done, total: None,
) -> RetroEvaluation:
    """Score the documents of `shard` without retrieval, with each number of `neighbours` from the whole database, and
    with the model's usual two (or the most there are) from its first `chunks` alone. `documents`: score only the first
    so many.

    Raises BadInput for more neighbours than chunks.
    """
    wanted = sorted({k for k in neighbours if k})
    sizes = sorted({size for size in chunks if 0 < size < len(database)})
    usual = 2 if 2 in wanted or not wanted else wanted[-1]
    if wanted and wanted[-1] > len(database):
        raise BadInput(f"{wanted[-1]} neighbours are asked for; the database holds {len(database)} chunks")
    end = database.tokenizer.end_of_document
    windows = HeldOutWindows.of(shard, context, end).first(documents)
    count = len(shard) if documents is None else min(documents, len(shard))
    owners_n = windows.owner_wt[windows.owner_wt >= 0]
    nats_d, settings = {}, []
    total = 1 + len(wanted) + len(sizes)

    def score(name: str, ids: np.ndarray | None) -> None:
        nats_d[name] = np.bincount(owners_n, token_nats(model, windows, ids, database.values), minlength=count)
        on_progress("scoring", len(nats_d), total)

    score(OFF, None)
    for size, ks in [*((size, [min(usual, size)]) for size in sizes), (len(database), wanted)]:
        if not ks:
            continue
        found = windows.neighbours(database.limited(size), max(ks))
        for k in ks:
            settings.append(Setting(k, size))
            score(settings[-1].name, found[..., :k])
    return RetroEvaluation(
        subsets=tuple(shard.subsets),
        subset_d=np.asarray(shard.documents["subset"])[:count],
        bytes_d=np.asarray(shard.documents["bytes"])[:count],
        nats_d=nats_d,
        settings=tuple(settings),
    )


def first_of(interval: Interval) -> dict[str, float | None]:
    """The only entry of an interval of arrays, for JSON."""
    told = interval.as_dict()
    return {name: told[name][0] for name in ("value", "low", "high")}
