"""The analysis of a retrieval study as the study would write it: whole, and with little that could be measured."""

import copy
from typing import Any

import pytest

HOSTILE = "</script><script>alert('x')</script> & <b>bold</b> \u2028 end"
ALPHAS = [0.0625, 0.125, 0.5, 1.0]


OVER_OFF = [{"value": v, "low": v - 0.0005, "high": v + 0.0005, "level": 0.95} for v in (0.0, 0.003, 0.007, 0.011)]


def around(value: float, reach: float = 0.002) -> dict[str, float]:
    """An interval around `value`."""
    return {"value": value, "low": value - reach, "high": value + reach, "level": 0.95}


def outcome(base: float, gain: float) -> dict[str, Any]:
    """A comparison in which retrieval gains `gain` over the same tokens and loses as much at equal FLOPs."""
    bits = {"on": base - gain, "off": base + 0.001, "plain": base - 2 * gain, "same": base}
    return {
        "bits_per_byte": {name: around(value, 0.05) for name, value in bits.items()},
        "gains": {
            "same_tokens": around(gain), "equal_flops": around(-gain), "on_over_off": around(gain + 0.001),
            "off_against_same": around(-0.001),
        },
    }  # fmt: skip


def a_run(name: str, role: str, budget: float, width: int, bits: float) -> dict[str, Any]:
    return {
        "id": name, "role": role, "budget": budget, "layers": 2, "width": width, "parameters": 1000.0 * width,
        "parameters_all": 1500.0 * width, "tokens": 1_000_000, "tokens_per_parameter": 15.0, "epochs": 0.3,
        "flops": budget, "search_flops": 1e9, "loss": 4.1, "bits_per_byte": bits, "seconds": 61.0,
        "scoring_seconds": 4.0, "tokens_per_second": 16000.0, "gflops": 28.0, "status": "done", "attempts": 1,
        "error": None,
    }  # fmt: skip


def curve(gain: float) -> dict[str, Any]:
    points = [around(gain * alpha) for alpha in ALPHAS]
    return {
        "alphas": ALPHAS, "chunks": [3, 40, 90, 100], "byte_share": [0.02, 0.4, 0.9, 1.0],
        "models": {
            name: [around(2.1 - 0.1 * alpha, 0.05) for alpha in ALPHAS] for name in ("on", "off", "plain", "same")
        },
        "gains": dict.fromkeys(("off", "plain", "same"), points),
    }  # fmt: skip


def best(width: int) -> dict[str, Any]:
    return {
        "width": width, "parameters": 1000 * width, "bits_per_byte": around(2.1, 0.05), "agreement": 0.83,
        "at_edge": width == 64,
    }  # fmt: skip


def complete() -> dict[str, Any]:
    """A study in which everything worked."""
    sizes = [1000, 4000, 16000]
    cells = [
        {
            "budget": budget,
            "width": width,
            "parameters": 1000.0 * width,
            "runs": {},
            **outcome(2.2 - 0.001 * width, 0.01),
        }
        for budget in (1e12, 4e12)
        for width in (64, 96)
    ]
    gained = [around(value) for value in (0.0, 0.002, 0.006, 0.01)]
    lines = [{"budget": cell["budget"], "width": cell["width"], "gain": gained} for cell in cells]
    multiplier = {
        "multiplier": {"value": 0.7, "low": None, "high": 0.9, "level": 0.95}, "verdict": "less", "bound": None,
        "outside": 0.2,
    }  # fmt: skip
    return {
        "study": "retrieval", "title": "Retrieval against parameters and tokens", "scale": "quick", "seed": 0,
        "question": "Is retrieval worth more?", "level": 0.95, "answer": "It gains 0.010 on the same tokens.",
        "how": {"command": "hutch study run retrieval", "machine": "x86_64, 2 cores", "seconds": 371.0, "workers": 2},
        "corpus": {"subsets": [], "train_tokens": 1_000_000, "vocabulary": 2048, "bytes_per_token": 3.1},
        "model": {"context": 256},
        "database": {
            "chunks": 16000, "documents": 200, "tokens": 1_000_000, "dimensions": 256, "embedder": "static",
            "retriever": "dense", "index": "hnsw", "recall_at_2": 0.97, "bytes": 9_000_000,
        },
        "budgets": [1e12, 4e12],
        "runs": [a_run("aaa", "retro", 1e12, 64, 2.1), a_run("bbb", "plain", 1e12, 64, 2.05),
                 a_run("ccc", "ladder", 5e11, 64, 2.2)],
        "reference": {"budget": 4e12, "width": 96, "parameters": 96000.0, **outcome(2.1, 0.01)},
        "cells": cells,
        "subsets": [{"name": "speeches", "documents": 20, "bytes": 40000, **outcome(2.0, 0.02)},
                    {"name": "code", "documents": 30, "bytes": 50000, **outcome(2.3, -0.02)}],
        "seeds": {"budget": 1e12, "width": 64, "gains": [around(0.01), around(0.007)], "spread": 0.003, "reason": None},
        "neighbours_curve": {
            "neighbours": [1, 2, 10], "mean": [around(0.008), around(0.01), around(0.011)],
            "cells": [dict(line, gain=line["gain"][1:]) for line in lines], "most_over_one": around(0.003),
            "most_over_trained": around(0.001), "reason": None,
        },
        "database_curve": {
            "chunks": [0, *sizes], "tokens": [0.0, *(64.0 * size for size in sizes)], "cells": lines,
            "mean": [around(-0.001), around(0.002), around(0.006), around(0.01)], "mean_over_off": OVER_OFF,
            "slope": around(0.002, 0.0005),
            "reason": None,
        },
        "copying": {
            "named": 0.125, "least_chunks": 20, "neighbours": curve(0.01), "exact": curve(0.01),
            "recall": [{"threshold": 0.125, "exact_share": 0.7, "neighbour_share": 0.4, "recall": 0.6},
                       {"threshold": 0.9, "exact_share": 0.0, "neighbour_share": 0.0, "recall": None}],
        },
        "frontier": [{"flops": 5e11, "bits_per_byte": around(2.2)}, {"flops": 1e12, "bits_per_byte": around(2.05)}],
        "multiplier": [{"budget": 4e12, "run": "aaa", "bits_per_byte": 2.1, "flops": 4e12, "flops_needed": 2.8e12,
                        "range": [0.1, 1.0], **multiplier, "with_database": multiplier}],
        "gain_of_best": around(-0.01),
        "best_sizes": [{"budget": 4e12, "widths": [64, 96], "plain": best(96), "retro": best(64),
                        "by_size": [{"chunks": 1000, "tokens": 64000.0, **best(96)}]}],
        "law": {"reason": "the interval of g holds 0", "constants": None, "gain": None, "penalty": None, "optima": []},
        "costs": {
            "sizes": [{"width": 64, "budget": 1e12, "retro_flops_per_token": 3.3e6, "plain_flops_per_token": 1.8e6,
                       "search_flops_per_token": 1e4, "search_share": 0.003, "tokens_per_second": 6000.0}],
            "database_flops": 3e9, "database_share": 0.001, "evaluation_search_flops_per_token": 8e3,
            "distances": {"joining": 900.0, "searching": 600.0, "chunks": 16000},
            "seconds_by_stage": {"database": 3.0, "join": 12.0}, "scoring_seconds": 40.0,
        },
        "examples": [{
            "kind": "helped most", "subset": "code", "document": 3, "gain_bits": 12.5, "overlap": 0.25,
            "overlap_by_neighbours": 0.2, "read": f"before {HOSTILE}",
            "tokens": [{"text": HOSTILE, "gain": 4.0}, {"text": " dear", "gain": -2.0},
                       {"text": " same", "gain": 0.01}],
            "neighbours": [{"chunk": 7, "subset": "docs", "text": "a neighbour", "continuation": HOSTILE,
                            "common_tokens": 5}],
        }],
        "claims": [{"id": "more-neighbours", "name": "more neighbours help", "statement": "More neighbours help",
                    "source": "Borgeaud et al. 2021", "published": "0.02", "ours": "+0.003", "verdict": "reproduced",
                    "why": "the whole interval lies above 0"}],
        "notes": ["The database is the training text itself."],
    }  # fmt: skip


def sparse() -> dict[str, Any]:
    """The same study where the partners were lost: nothing to compare with."""
    analysis = complete()
    for cell in [*analysis["cells"], analysis["reference"], *analysis["subsets"]]:
        for name in ("plain", "same"):
            del cell["bits_per_byte"][name]
        cell["gains"] |= dict.fromkeys(("same_tokens", "equal_flops", "off_against_same"))
    for name in ("neighbours_curve", "database_curve"):
        analysis[name] |= {"mean": None, "cells": [], "slope": None, "mean_over_off": None, "most_over_one": None,
                           "reason": "no model was trained on RETRO's tokens without retrieval"}  # fmt: skip
    for mode in ("neighbours", "exact"):
        for part in ("models", "gains"):
            analysis["copying"][mode][part] = {
                k: v for k, v in analysis["copying"][mode][part].items() if k in ("on", "off")
            }
    empty = {"frontier": [], "multiplier": [], "gain_of_best": None, "examples": [], "best_sizes": []}
    return analysis | empty | {"seeds": {"gains": [], "spread": None, "reason": "no further seed was trained"}}


@pytest.fixture
def analysis() -> dict[str, Any]:
    """A complete analysis, free to change."""
    return copy.deepcopy(complete())


@pytest.fixture
def sparse_analysis() -> dict[str, Any]:
    """An analysis without partners."""
    return copy.deepcopy(sparse())
