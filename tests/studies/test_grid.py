import dataclasses
import math

import pytest

from hutch.runs import BadInput
from hutch.studies.compute_optimal.configuration import preset
from hutch.studies.compute_optimal.grid import (
    Setting,
    holdout_runs,
    plan_run,
    profile_models,
    profile_runs,
    sequences_at,
)
from hutch.studies.counting import count, flops_per_token, human
from hutch.studies.scales import SCALES

SETTING = Setting(corpus="c", precision="float32")


@pytest.mark.parametrize("scale", SCALES)
def test_every_profile_has_its_sizes_and_spends_its_budget(scale):
    config = preset(scale)
    runs = profile_runs(config, SETTING)
    assert len({run.id for run in runs}) == len(runs) == config.sizes * len(config.budgets)
    for run in runs:
        assert run.flops == pytest.approx(run.budget, rel=0.02)
        assert run.flops == run.tokens * flops_per_token(run.train.model)


@pytest.mark.parametrize("scale", ["quick", "hour", "day"])
def test_profiles_surround_the_expected_optimum(scale):
    config = preset(scale)
    for budget in config.budgets:
        sizes = [count(model) for model in profile_models(config, budget)]
        centre = config.expected(budget)
        assert sizes[0] < centre < sizes[-1]
        assert sizes[-1] / centre == pytest.approx(math.sqrt(config.span), rel=0.4)


def test_the_costliest_come_first():
    runs = profile_runs(preset("quick"), SETTING)
    assert [run.budget for run in runs] == sorted((run.budget for run in runs), reverse=True)


def test_the_gopher_like_model_has_four_times_the_parameters_for_the_same_flops():
    config = preset("hour")
    runs = {run.role: run for run in holdout_runs(config, 8e5, SETTING)}
    ratio = runs["gopher-like"].parameters / runs["optimal"].parameters
    assert ratio == pytest.approx(4, rel=0.3)
    assert runs["gopher-like"].flops == pytest.approx(runs["optimal"].flops, rel=0.02)
    assert runs["gopher-like"].tokens < runs["optimal"].tokens / 3


def test_batches_grow_as_the_cube_root_of_the_budget():
    config = dataclasses.replace(preset("quick"), context=16)
    small, large = (sequences_at(config, budget) for budget in (1e11, 8e11))
    assert large / small == pytest.approx(2, rel=0.05)


def test_a_run_is_named_by_what_it_trains():
    config = preset("quick")
    model = profile_models(config, 1e11)[0]
    run = plan_run(config, "profile", 1e11, model, SETTING)
    other = plan_run(dataclasses.replace(config, seed=1), "profile", 1e11, model, SETTING)
    assert run.id == plan_run(config, "optimal", 1e11, model, SETTING).id != other.id


def test_a_budget_too_small_for_its_models_is_refused():
    config = preset("quick")
    with pytest.raises(BadInput, match="fewer than 20 steps"):
        plan_run(config, "profile", 1e8, profile_models(config, 1e11)[-1], SETTING)


@pytest.mark.parametrize(("change", "says"), [({"sizes": 1000}, "cannot be made"), ({"budgets": (1e30,)}, "lower")])
def test_a_profile_that_the_family_cannot_fill_is_refused(change, says):
    config = dataclasses.replace(preset("quick"), holdout_budget=1e31, **change)
    with pytest.raises(BadInput, match=says):
        profile_runs(config, SETTING)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"budgets": (2e11, 1e11)}, "ascending"),
        ({"holdout_budget": 1e11}, "must be larger than the largest fitted one"),
        ({"sizes": 3}, "at least 4 sizes"),
        ({"span": 0.5}, "span"),
        ({"holdout_multiples": (1.0,)}, "must hold 1"),
        ({"scale": "week"}, "choose one of smoke"),
        ({"span": math.nan}, "finite"),
        ({"holdout_budget": math.inf}, "finite"),
        ({"vocabulary": 10}, "vocabulary"),
        ({"context": 1}, "context"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(change, says):
    with pytest.raises(BadInput, match=says):
        dataclasses.replace(preset("quick"), **change)


def test_numbers_as_people_write_them():
    assert [human(v) for v in (950, 28_032, 1_232_000, 7e10, 1.4e12)] == ["950", "28k", "1.23M", "70B", "1.4T"]
