"""How much of the gain is copying: bits per byte on chunks that have little in common with the training text.

Borgeaud et al. 2021, §2.6: C_α are the held-out chunks with r(C) ≤ α, r by the ten nearest neighbours of C itself. The
exact r beside it finds what the neighbours miss.
"""

from dataclasses import asdict
from typing import Any

import numpy as np

from hutch.retrieval.leakage import filtered_bits_per_byte, neighbour_recall
from hutch.studies.retrieval.comparisons import Cell, Scores
from hutch.studies.retrieval.settings import OFF

ALPHAS = (0.0625, 0.125, 0.1875, 0.25, 0.375, 0.5, 0.75, 1.0)
NAMED = 0.125
"""The paper's: at most 8 of 64 tokens in common."""
LEAST_CHUNKS = 20
"""With fewer chunks at α = 12.5 % nothing is concluded from them."""


def copying(scores: Scores, cell: Cell) -> dict[str, Any]:
    """bpb(α) of the reference cell's models by both overlaps, gains at α, recall of the neighbours."""
    held_out = scores.held_out
    models = {"on": (cell.retro, scores.usual.name), "off": (cell.retro, OFF)}
    models |= {name: (row, OFF) for name, row in (("plain", cell.plain), ("same", cell.same)) if row is not None}
    bits = {
        name: held_out.by_chunk(scores.token_nats(row, setting)) / np.log(2) for name, (row, setting) in models.items()
    }
    pairs = [(name, "on") for name in models if name != "on"]
    overlaps = {"neighbours": held_out.by_neighbours, "exact": held_out.exact}
    found: dict[str, Any] = {"named": NAMED, "least_chunks": LEAST_CHUNKS}
    for name, ratios in overlaps.items():
        curve = filtered_bits_per_byte(
            bits,
            held_out.bytes,
            ratios,
            held_out.document,
            alphas=ALPHAS,
            differences=pairs,
            bootstraps=scores.config.bootstraps,
            level=scores.config.level,
            seed=scores.config.seed,
        )
        found[name] = _as_dict(curve, pairs)
    rows = neighbour_recall(held_out.exact, held_out.by_neighbours)
    return found | {"recall": [asdict(row) for row in rows]}


def _as_dict(curve: Any, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """JSON values, the gains by the model that retrieval is compared with: [a] intervals each."""
    return {
        "alphas": curve.alphas.tolist(),
        "chunks": curve.chunks.tolist(),
        "byte_share": curve.byte_share.tolist(),
        "models": {name: _points(band) for name, band in curve.models.items()},
        "gains": {pair[0]: _points(curve.differences[pair]) for pair in pairs},
    }


def _points(band: Any) -> list[dict[str, Any]]:
    """An interval of arrays as a list of intervals."""
    values = band.as_dict()
    return [
        {"value": v, "low": low, "high": high, "level": values["level"]}
        for v, low, high in zip(values["value"], values["low"], values["high"], strict=True)
    ]


def gain_at(found: dict[str, Any], mode: str, baseline: str, alpha: float = NAMED) -> dict[str, Any] | None:
    """The gain over `baseline` at α; None where too few chunks are left or the model is missing."""
    curve = found[mode]
    place = curve["alphas"].index(alpha)
    if curve["chunks"][place] < LEAST_CHUNKS or baseline not in curve["gains"]:
        return None
    gain = curve["gains"][baseline][place]
    return gain if gain["value"] is not None and gain["low"] is not None else None
