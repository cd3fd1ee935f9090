"""The law of parameters, tokens and database: recovered from runs that follow it, refused where they say nothing."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hutch.lm import model_of_width
from hutch.retrieval.retro import retro_of, retro_training_flops_per_token
from hutch.runs import LedgerRow, plain
from hutch.studies.retrieval.comparisons import Scores, by_database, by_neighbours, by_seed
from hutch.studies.retrieval.configuration import preset
from hutch.studies.retrieval.costs import database_flops, join_flops
from hutch.studies.retrieval.grid import Setup, planned_runs
from hutch.studies.retrieval.multiplier import multipliers
from hutch.studies.retrieval.resampling import Resamples
from hutch.studies.retrieval.scores import HeldOut
from hutch.studies.retrieval.settings import settings_of
from hutch.studies.retrieval.split import best_sizes, database_gain, law

CHUNKS, G, R0, PENALTY = 40_000, 0.01, 500.0, 0.004
SIZES = [625, 2500, 10_000, 40_000]
SETUP = Setup(corpus="c", database="d", precision="float32", tokens=10_000_000, search_flops=2e5)
DATABASE = {
    "chunks": CHUNKS, "dimensions": 256, "distances_joining": 400.0, "distances_searching": 300.0, "tokens": 2.6e6,
}  # fmt: skip
BYTES = np.full(6, 100.0)


def true_bits(parameters, tokens):
    return 1.5 + 180 * parameters**-0.5 + 90 * tokens**-0.4


def scores(gain=G, seed_noise=0.0, ripple=0.0):
    """Runs that follow the law; a document's difficulty is the same for all of them, but for a `ripple` of what a
    database does for it."""
    config = preset("quick")
    difficulty, sign = np.array([0.1, -0.1, 0.2, -0.2, 0.05, -0.05]), np.array([1.0, -1, 1, -1, 1, -1])
    rows = []
    for run in planned_runs(config, SETUP):
        retrieves = run.role.startswith("retro")
        base = true_bits(run.parameters, run.tokens) + (seed_noise if run.role == "retro, other seed" else 0.0)
        settings = settings_of(config, CHUNKS) if retrieves else settings_of(config, CHUNKS)[:1]
        nats = []
        for setting in settings:
            reads = setting.chunks if setting.neighbours else 0
            bits = base + PENALTY * retrieves - gain * math.log1p(reads / R0) - 0.001 * (setting.neighbours == 10)
            nats.append(((bits + difficulty + ripple * sign * (reads > 0)) * BYTES * math.log(2)).tolist())
        metrics = {
            "settings": [s.name for s in settings],
            "document_nats": nats,
            "flops_per_token": run.flops_per_token,
        }
        rows.append(
            LedgerRow(
                id=run.id, role=run.role, config=plain(run.train), status="done", attempts=1, divergences=0, error=None,
                budget=run.budget, parameters=run.parameters, flops=run.flops, tokens=run.tokens, loss=1.0, seconds=1.0,
                metrics=metrics,
            )
        )  # fmt: skip
    held_out = HeldOut(
        document=np.arange(6), bytes=BYTES.astype(int), tokens=np.full(6, 30), by_neighbours=np.zeros(6),
        exact=np.zeros(6), subset=np.zeros(6, int),
    )  # fmt: skip
    resamples = Resamples.draw(held_out.subset, BYTES, 200, 0)
    return Scores(config, rows, held_out, resamples, CHUNKS, SIZES, 64.0, Path("nowhere"))


def test_the_gain_of_a_database_is_recovered():
    scale, g, penalty = database_gain(scores())
    assert scale == pytest.approx(R0, rel=0.6)  # the nearest of the values tried, which are a factor 2 apart
    assert g.value == pytest.approx(G, rel=0.15)
    assert penalty.value == pytest.approx(PENALTY)


def test_a_law_spends_the_budget_and_no_more():
    found = law(scores(), DATABASE)
    assert found["reason"] is None
    assert found["constants"]["E"] == pytest.approx(1.5, abs=0.15)
    (optimum,) = found["optima"]
    best = optimum["retro"]
    assert optimum["worth_it"] == (best["bits_per_byte"] < optimum["plain"]["bits_per_byte"])
    once = database_flops(DATABASE) * best["database_tokens"] / 64 / CHUNKS
    shape = retro_of(model_of_width(best["width"], vocabulary=2048, context=256))
    per_token = retro_training_flops_per_token(shape, 2) + join_flops(DATABASE) / 64
    assert best["tokens"] * per_token + once == pytest.approx(1.2e12)
    assert optimum["database_at_edge"]  # a database costs next to nothing here and always gains
    json.dumps(found, allow_nan=False)


def test_where_the_gain_may_be_nothing_no_law_is_drawn():
    found = law(scores(gain=0.0, ripple=0.01), DATABASE)
    assert "the interval of g, the gain for an e-fold of the database, holds 0" in found["reason"]
    assert found["optima"] == []
    assert found["constants"] is not None


def test_curves_against_database_and_neighbours():
    told = scores()
    curve = by_database(told)
    gains = [point["value"] for point in curve["mean"]]
    assert gains[0] == pytest.approx(-PENALTY)
    assert gains[1:] == pytest.approx([G * math.log1p(size / R0) - PENALTY for size in SIZES])
    assert [point["value"] for point in curve["mean_over_off"]] == pytest.approx([gain + PENALTY for gain in gains])
    x = np.log2(SIZES)
    assert curve["slope"]["value"] == pytest.approx(np.polyfit(x, gains[1:], 1)[0])
    assert by_neighbours(told)["most_over_one"]["value"] == pytest.approx(0.001)


def test_seeds_are_told_apart():
    found = by_seed(scores(seed_noise=0.02))
    assert len(found["gains"]) == 2
    assert found["spread"] == pytest.approx(0.02)


def test_the_multiplier_of_runs_that_follow_a_law():
    """At the best width with retrieval, FLOPs at which the frontier gives the same lie between its measured points."""
    told = scores()
    (found,) = multipliers(told, DATABASE)
    assert found["verdict"] in ("more", "less")
    assert found["flops_needed"] == pytest.approx(found["multiplier"]["value"] * found["flops"])
    assert found["with_database"]["multiplier"]["value"] < found["multiplier"]["value"]
    best = best_sizes(told)[0]
    assert best["retro"]["bits_per_byte"]["value"] == pytest.approx(found["bits_per_byte"])
    assert best["retro"]["agreement"] == 1.0
