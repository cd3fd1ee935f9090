import dataclasses

import numpy as np
import pytest

from hutch.retrieval.training.retro_train_config import RetroTrainConfig
from hutch.runs import BadInput, canonical_json
from hutch.studies.retrieval.configuration import RetrievalConfig, preset
from hutch.studies.retrieval.grid import Setup, planned_runs, searched, tokens_for
from hutch.studies.retrieval.settings import Setting, database_sizes, settings_of
from hutch.text import Batches

SETUP = Setup(corpus="c", database="d", precision="float32", tokens=10_000_000, search_flops=64_000.0)


def runs(scale="quick", **changes):
    return planned_runs(dataclasses.replace(preset(scale), **changes), SETUP)


def test_a_budget_pays_for_training_and_for_one_search_a_chunk():
    """f = 3 and s = 64/64 = 1 a token: 400 FLOPs buy 100 tokens; with 50 tokens of text 50 searches, (400 − 50)/3."""
    setup = dataclasses.replace(SETUP, search_flops=64.0, tokens=1000)
    assert tokens_for(400, 3, setup) == 100
    assert tokens_for(400, 3, dataclasses.replace(setup, tokens=50)) == pytest.approx(350 / 3)
    assert searched(640, setup) == 640
    assert searched(6400, setup) == 1000


@pytest.mark.parametrize("scale", ["smoke", "quick", "hour", "day"])
def test_every_comparison_at_equal_flops_is_one(scale):
    for run in runs(scale):
        if run.role in ("retro", "plain", "ladder"):
            assert run.flops == pytest.approx(run.budget, rel=0.02)
        else:
            assert run.flops < run.budget * 1.02


def test_retro_pays_for_its_search():
    free = planned_runs(preset("quick"), dataclasses.replace(SETUP, search_flops=0.0))
    dear = planned_runs(preset("quick"), dataclasses.replace(SETUP, search_flops=64 * 1e6))
    first, second = (next(r for r in found if r.role == "retro" and r.model.width == 64) for found in (free, dear))
    assert second.tokens < first.tokens
    assert second.search_flops == pytest.approx(second.tokens * 1e6)


def test_the_same_tokens_are_the_same_batches():
    by_role = {run.role: run for run in runs() if run.model.width == 64 and run.train.train.seed == 0}
    retro, same = by_role["retro"], by_role["same tokens"]
    assert same.train.train == retro.train.train
    assert same.train.grain == retro.train.retro.chunk
    text = np.arange(100_000) % 2000
    a, b = (Batches(text, 256, r.train.train.sequences, r.train.train.seed, grain=64) for r in (retro, same))
    assert np.array_equal(a.batch(7)[0], b.batch(7)[0])
    assert by_role["plain"].tokens > 1.5 * retro.tokens


def test_replicates_are_pairs_of_the_smallest_cell_with_another_seed():
    extra = [run for run in runs(replicates=2) if run.role.endswith("other seed")]
    assert sorted((run.train.train.seed, run.role) for run in extra) == [
        (1, "retro, other seed"), (1, "same tokens, other seed"), (2, "retro, other seed"),
        (2, "same tokens, other seed"),
    ]  # fmt: skip
    assert {run.model.width for run in extra} == {32}
    assert not [run for run in runs(replicates=0) if run.role.endswith("other seed")]


def test_no_run_twice_and_the_costliest_first():
    found = runs("hour")
    assert len({run.id for run in found}) == len(found)
    assert [run.flops for run in found] == sorted((run.flops for run in found), reverse=True)
    assert all(isinstance(run.train, RetroTrainConfig) == run.role.startswith("retro") for run in found)


def test_too_small_a_budget_is_refused_by_name():
    with pytest.raises(BadInput, match=r"a budget of 1e\+08 FLOPs buys .* tokens at width 32, fewer than 20 steps"):
        runs(budgets=(1e8,))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"budgets": (2e12, 1e12)}, "budgets must be ascending"),
        ({"widths": ()}, "widths must be ascending"),
        ({"shares": (0.25, 0.5)}, "the last of the shares must be 1"),
        ({"context": 100}, "--context 100"),
        ({"context": 64}, "at least two whole chunks"),
        ({"neighbours": 3}, "must hold those in training, 3"),
        ({"retriever": "bm25"}, "'bm25'"),
        ({"scale": "week"}, 'no scale "week"'),
        ({"ladder": (float("nan"),)}, "finite and positive"),
        ({"level": 1.0}, "level is 1"),
        ({"replicates": -1}, "replicates must be 0 or more"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(changes, says):
    with pytest.raises(BadInput, match=says):
        dataclasses.replace(preset("quick"), **changes)


def test_settings_are_off_then_smaller_databases_then_k():
    config = dataclasses.replace(preset("quick"), shares=(0.25, 1.0), evaluated_neighbours=(1, 2, 10))
    assert settings_of(config, 400) == [
        Setting(0, 0),
        Setting(100, 2),
        Setting(400, 1),
        Setting(400, 2),
        Setting(400, 10),
    ]
    assert [setting.name for setting in settings_of(config, 400)][:2] == ["off", "2 of 100"]
    with pytest.raises(BadInput, match="9 of 36 chunks, fewer than the 10"):
        database_sizes(config, 36)


def test_a_configuration_survives_json():
    import json

    for scale in ("smoke", "hour"):
        values = json.loads(canonical_json(preset(scale)))
        assert RetrievalConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}) == preset(
            scale
        )
