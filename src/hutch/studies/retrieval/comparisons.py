"""Differences in bits per byte with paired intervals: by size, by subset, by k, by size of the database.

A gain is the bits per byte of the model without retrieval minus those with it: above 0, retrieval helps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hutch.runs import HutchError, LedgerRow
from hutch.studies.retrieval.configuration import RetrievalConfig
from hutch.studies.retrieval.grid import WITHOUT
from hutch.studies.retrieval.resampling import Figure, Resamples, mean, slope
from hutch.studies.retrieval.scores import NATS, HeldOut
from hutch.studies.retrieval.settings import OFF, Setting


@dataclass(frozen=True)
class Cell:
    """The runs of one budget and width that ended well."""

    budget: float
    width: int
    retro: LedgerRow
    plain: LedgerRow | None
    """Without retrieval, at equal FLOPs."""
    same: LedgerRow | None
    """Without retrieval, on the same tokens."""


@dataclass(frozen=True)
class Scores:
    """Everything that was measured, ready to be compared."""

    config: RetrievalConfig
    rows: Sequence[LedgerRow]
    """The runs that ended well."""
    held_out: HeldOut
    resamples: Resamples
    chunks: int
    """Of the whole database."""
    sizes: Sequence[int]
    """Chunks of the databases at evaluation, ascending."""
    tokens_per_chunk: float
    """Text tokens behind a chunk of the database."""
    folder: Path

    @property
    def usual(self) -> Setting:
        """The setting of training: the whole database and its k."""
        return Setting(self.chunks, self.config.neighbours)

    def nats(self, row: LedgerRow, setting: str = OFF) -> np.ndarray:
        """Nats of each document, float64 [d]."""
        return np.asarray(row.metrics["document_nats"][row.metrics["settings"].index(setting)])

    def token_nats(self, row: LedgerRow, setting: str = OFF) -> np.ndarray:
        """Nats of each held-out token, from the run's folder."""
        path = self.folder / "runs" / row.id / NATS
        try:
            return np.asarray(np.load(path, mmap_mode="r")[row.metrics["settings"].index(setting)], np.float64)
        except (OSError, ValueError) as error:
            raise HutchError(
                f"{path} is damaged ({error}): remove its folder and run the same command again"
            ) from error

    def without(self) -> list[LedgerRow]:
        """The models without retrieval that make the frontier and the law."""
        return [row for row in self.rows if row.role in WITHOUT]

    def figure(self, row: LedgerRow, setting: str = OFF, documents: np.ndarray | None = None) -> Figure:
        """Bits per byte of a run in a setting."""
        return self.resamples.bits_per_byte(self.nats(row, setting), documents)

    def json(self, figure: Figure) -> dict[str, Any]:
        """A figure with its interval as JSON values."""
        return figure.interval(self.config.level).as_dict()

    def cells(self) -> list[Cell]:
        """One for each RETRO run, by budget and width."""
        found = {(row.role, row.budget, width_of(row)): row for row in self.rows}
        retro = sorted((key for key in found if key[0] == "retro"), key=lambda key: key[1:])
        return [
            Cell(budget, width, found[role, budget, width],
                 found.get(("plain", budget, width)), found.get(("same tokens", budget, width)))
            for role, budget, width in retro
        ]  # fmt: skip

    def reference(self) -> Cell:
        """The cell that is looked at closely: of the largest budget, the size that is best with retrieval."""
        cells = self.cells()
        largest = max(cell.budget for cell in cells)
        at_largest = [cell for cell in cells if cell.budget == largest]
        return min(at_largest, key=lambda cell: self.figure(cell.retro, self.usual.name).value)


def width_of(row: LedgerRow) -> int:
    """Width of a run's decoder."""
    return int(row.config["train"]["model"]["width"])


def compared(scores: Scores, cell: Cell, documents: np.ndarray | None = None) -> dict[str, Any]:
    """A cell in bits per byte: with retrieval, off, without at equal FLOPs, without on the same tokens; and the gains
    of retrieval over the other three, and what the trained RETRO loses when it is off."""
    figures = {
        "on": scores.figure(cell.retro, scores.usual.name, documents),
        "off": scores.figure(cell.retro, OFF, documents),
    }
    for name, row in (("plain", cell.plain), ("same", cell.same)):
        if row is not None:
            figures[name] = scores.figure(row, OFF, documents)
    gains = {
        "same_tokens": ("same", "on"),
        "equal_flops": ("plain", "on"),
        "on_over_off": ("off", "on"),
        "off_against_same": ("same", "off"),
    }
    return {
        "bits_per_byte": {name: scores.json(figure) for name, figure in figures.items()},
        "gains": {
            name: scores.json(figures[a] - figures[b]) if a in figures and b in figures else None
            for name, (a, b) in gains.items()
        },
    }


def by_size(scores: Scores) -> list[dict[str, Any]]:
    """Every cell."""
    return [
        {
            "budget": cell.budget,
            "width": cell.width,
            "parameters": cell.retro.parameters,
            "runs": {name: row.id for name in ("retro", "plain", "same") if (row := getattr(cell, name)) is not None},
            **compared(scores, cell),
        }
        for cell in scores.cells()
    ]


def by_subset(scores: Scores, cell: Cell, names: Sequence[str]) -> list[dict[str, Any]]:
    """The reference cell on each subset that has at least two held-out documents."""
    subset_d = scores.held_out.subset
    return [
        {
            "name": name,
            "documents": int((subset_d == place).sum()),
            "bytes": int(scores.held_out.document_bytes[subset_d == place].sum()),
            **compared(scores, cell, subset_d == place),
        }
        for place, name in enumerate(names)
        if (subset_d == place).sum() >= 2
    ]


def gains(scores: Scores, cell: Cell, setting: str) -> Figure | None:
    """What retrieval gains over the same decoder trained on the same tokens, in a setting."""
    if cell.same is None:
        return None
    return scores.figure(cell.same) - scores.figure(cell.retro, setting)


def averaged(scores: Scores, settings: Sequence[Setting]) -> list[Figure] | None:
    """The gain over the same tokens in each setting, averaged over all cells; None where no cell has its partner."""
    cells = [cell for cell in scores.cells() if cell.same is not None]
    if not cells:
        return None
    return [mean([g for cell in cells if (g := gains(scores, cell, s.name)) is not None]) for s in settings]


def by_neighbours(scores: Scores) -> dict[str, Any]:
    """Gain against k at evaluation, the whole database: of every cell, and averaged. `most_over_one`: what the most
    neighbours gain over one, averaged."""
    ks = scores.config.evaluated_neighbours
    settings = [Setting(scores.chunks, k) for k in ks]
    found = averaged(scores, settings)
    return {
        "neighbours": list(ks),
        "cells": _curves(scores, settings),
        "mean": None if found is None else [scores.json(figure) for figure in found],
        "most_over_one": None if found is None else scores.json(found[-1] - found[0]),
        "most_over_trained": None
        if found is None
        else scores.json(found[-1] - found[ks.index(scores.config.neighbours)]),
        "reason": None if found is not None else "no model was trained on RETRO's tokens without retrieval",
    }


def by_database(scores: Scores) -> dict[str, Any]:
    """Gain against the size of the database, with as many neighbours as in training; `slope`: bits per byte for each
    doubling, a least-squares line through the averages, without the point at no database."""
    sizes = list(scores.sizes)
    settings = [Setting(size, scores.config.neighbours) for size in sizes]
    found = averaged(scores, [Setting(0, 0), *settings])
    line = None
    if found is not None and len(sizes) > 1:
        line = slope(np.log2(sizes).tolist(), found[1:])
    return {
        "chunks": [0, *sizes],
        "tokens": [0.0, *(size * scores.tokens_per_chunk for size in sizes)],
        "cells": _curves(scores, [Setting(0, 0), *settings]),
        "mean": None if found is None else [scores.json(figure) for figure in found],
        "mean_over_off": None if found is None else [scores.json(figure - found[0]) for figure in found],
        "slope": None if line is None else scores.json(line),
        "reason": None if found is not None else "no model was trained on RETRO's tokens without retrieval",
    }


def by_seed(scores: Scores) -> dict[str, Any]:
    """The gain over the same tokens in the smallest cell with each seed, and how far the seeds lie apart. The data's
    order and the first weights differ; the database and the held-out text do not."""
    cell = next((cell for cell in scores.cells() if cell.same is not None), None)
    empty = {"gains": [], "spread": None, "reason": "no further seed was trained"}
    if cell is None or cell.same is None:
        return empty
    pairs = [(cell.same, cell.retro)]
    partners = {row.config["train"]["seed"]: row for row in scores.rows if row.role == "same tokens, other seed"}
    for row in scores.rows:
        partner = partners.get(row.config["train"]["seed"]) if row.role == "retro, other seed" else None
        if partner is not None:
            pairs.append((partner, row))
    if len(pairs) < 2:
        return empty
    found = [scores.figure(same) - scores.figure(retro, scores.usual.name) for same, retro in pairs]
    values = [figure.value for figure in found]
    return {
        "budget": cell.budget,
        "width": cell.width,
        "gains": [scores.json(figure) for figure in found],
        "spread": max(values) - min(values),
        "reason": None,
    }


def _curves(scores: Scores, settings: Sequence[Setting]) -> list[dict[str, Any]]:
    return [
        {
            "budget": cell.budget,
            "width": cell.width,
            "gain": [scores.json(gain) for s in settings if (gain := gains(scores, cell, s.name)) is not None],
        }
        for cell in scores.cells()
        if cell.same is not None
    ]
