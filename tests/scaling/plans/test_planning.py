"""The whole plan: published checks, the document, warnings, refusals."""

import dataclasses
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.runs.errors import BadInput
from hutch.scaling.plans import Plan, PlanRequest, plan
from hutch.scaling.published import LAWS

KEYS = [
    "request", "law", "loss_law", "flops", "flops_6nd", "parameters", "tokens", "tokens_per_parameter", "loss",
    "shape", "hyperparameters", "memory", "time", "other_sizes", "tenfold", "inference", "limited_data", "curves",
    "warnings", "assumptions",
]  # fmt: skip


def document(**asked):
    made = plan(PlanRequest(**asked)).as_dict()
    return json.loads(json.dumps(made, allow_nan=False))


def kinds(made):
    return {warning["kind"] for warning in made["warnings"]}


def test_gophers_budget_under_approach_2():
    made = document(flops=5.76e23, law="hoffmann-2")
    assert list(made) == KEYS
    assert made["parameters"]["value"] == pytest.approx(6.34e10, rel=2e-3)
    assert made["tokens"]["value"] == pytest.approx(1.51e12, rel=5e-3)
    assert made["parameters"]["low"] < 6.34e10 < made["parameters"]["high"]
    assert made["loss_law"]["key"] == "hoffmann-3"
    assert made["loss"]["value"] == pytest.approx(1.9206, abs=1e-4)
    assert "no draws" in made["loss"]["reason"]
    assert kinds(made) == {"loss-law"}
    assert made["shape"]["parameters"] == pytest.approx(6.34e10, rel=0.01)
    counts = {row["convention"]: row["over_6nd"] for row in made["shape"]["training"]}
    assert counts["table-a4"] < counts["executed"] < counts["literal"] < 1.06
    assert made["inference"] is None
    assert made["limited_data"] is None


def test_gophers_budget_under_the_default_law():
    made = document(flops=5.76e23)
    assert made["law"]["key"] == "besiroglu"
    assert made["parameters"]["value"] == pytest.approx(7.225e10, rel=3e-3)
    assert made["tokens_per_parameter"]["value"] == pytest.approx(18.4, abs=0.1)
    assert made["loss"]["value"] == pytest.approx(1.9744, abs=1e-3)
    assert made["warnings"] == []
    assert any("besiroglu" in line for line in made["assumptions"])
    assert any("mfu: 40" in line for line in made["assumptions"])


def test_approach_3_gives_the_papers_40b():
    assert document(flops=5.76e23, law="hoffmann-3")["parameters"]["value"] == pytest.approx(4.04e10, rel=2e-3)


def test_an_interval_beside_its_own_law_is_not_shown():
    made = document(flops=5.76e23, law="hoffmann-3")
    beside = "the printed interval lies beside the law: a of 0.454 to 0.455, and not 0.4565"
    for figure in (
        *(made[name] for name in ("parameters", "tokens", "tokens_per_parameter")),
        made["law"]["a"],
        made["tenfold"]["parameters"],
    ):
        assert (figure["low"], figure["high"], figure["level"], figure["reason"]) == (None, None, None, beside)


@pytest.mark.parametrize("key", sorted(LAWS))
def test_a_point_lies_in_its_interval(key):
    made = document(flops=5.76e23, law=key)
    for name in ("parameters", "tokens", "tokens_per_parameter"):
        figure = made[name]
        assert figure["low"] is None or figure["low"] <= figure["value"] <= figure["high"]


@pytest.mark.parametrize("target", ["flops", "gpu_hours", "dollars", "tokens", "parameters", "loss"])
def test_only_what_was_asked_for_is_given(target):
    made = document(**{target: 2.2 if target == "loss" else 1e12 if target == "tokens" else 1e9})
    figures = {name: made[name] for name in ("flops", "parameters", "tokens", "tokens_per_parameter", "loss")}
    figures |= {name: made["time"][name] for name in ("mfu", "gpu_hours", "dollars", "days")}
    figures |= {
        f"{name} {row['factor']}": row[name]
        for row in made["other_sizes"]["rows"]
        for name in ("loss", "difference", "equal_compute", "wasted")
    }
    assert [name for name, figure in figures.items() if figure["reason"] == "given"] == [target]
    assert made["time"]["mfu"]["reason"] == "assumed"


def test_kaplan_counts_compute_otherwise_and_it_says_so():
    made = document(flops=1e21, law="kaplan", inference_tokens=1e12, unique_tokens=1e9)
    assert made["parameters"]["value"] == pytest.approx(7.77e9, rel=1e-3)
    assert made["shape"]["parameters_non_embedding"] == pytest.approx(7.77e9, rel=0.01)
    assert {"compute-convention", "loss-law"} <= kinds(made)
    far = document(flops=5.76e23, law="kaplan")
    assert min(far["other_sizes"]["rows"], key=lambda row: row["loss"]["value"])["factor"] == 0.5
    (said,) = (warning["message"] for warning in far["warnings"] if warning["kind"] == "loss-law")
    assert "the split of Kaplan is not the minimum of Kaplan, L(N, D)" in said
    assert "at 0.25× and 0.5× the size the loss is lower than the plan's" in said
    assert "not of the form" in made["inference"]["reason"]
    assert "not of the form" in made["limited_data"]["reason"]


def test_a_law_without_a_loss():
    made = document(flops=3.8e25, law="llama3")
    assert made["loss"] == {"value": None, "low": None, "high": None, "level": None, "reason": made["loss"]["reason"]}
    assert made["other_sizes"]["rows"] == []
    assert made["curves"]["valley"] is None
    assert made["loss_law"]["reason"] == made["other_sizes"]["reason"] == made["loss"]["reason"]
    assert made["hyperparameters"][2]["batch_tokens"] is None
    assert document(flops=3.8e25, law="llama3", loss_law="besiroglu")["loss"]["value"] > 1.8


@pytest.mark.parametrize(
    "asked",
    [
        {"flops": 1e21}, {"gpu_hours": 1e4, "device": "a100-80gb"}, {"dollars": 5e5}, {"tokens": 1e11},
        {"parameters": 2e9}, {"loss": 2.2},
    ],
)  # fmt: skip
def test_every_target_with_every_kind_of_law(asked, law_file, profiles_file):
    for law in ("besiroglu", "hoffmann-1", law_file, profiles_file):
        made = document(**asked, law=law, loss_law="besiroglu" if law == profiles_file else None)
        (target,) = asked.keys() - {"device"}
        assert made["request"]["target"] == target
        n, d = made["parameters"]["value"], made["tokens"]["value"]
        assert 6 * n * d == pytest.approx(made["flops"]["value"], rel=0.06)
        assert made["tokens_per_parameter"]["value"] == pytest.approx(d / n)
        if target in ("tokens", "parameters", "loss"):
            assert made[target]["reason"] == "given"
            assert made[target]["value"] == asked[target]


def test_every_figure_of_a_fitted_law_has_an_interval(law_file):
    made = document(tokens=1e11, law=law_file, inference_tokens=1e12, unique_tokens=1e10)
    for name in ("flops", "parameters", "tokens_per_parameter", "loss"):
        assert made[name]["low"] < made[name]["value"] < made[name]["high"]
        assert made[name]["level"] == 0.8
    assert made["time"]["gpu_hours"]["level"] == 0.8
    valley = made["curves"]["valley"]
    assert all(
        low < value < high for low, value, high in zip(*(valley[k] for k in ("low", "value", "high")), strict=True)
    )
    line = made["curves"]["allocation"]
    assert line["level"] == 0.8
    assert made["flops"]["value"] in line["x"]
    assert len(made["curves"]["published"]) == 6


def test_the_valley_is_lowest_at_the_plan(law_file):
    made = document(flops=1e21, law=law_file)
    valley = made["curves"]["valley"]
    assert valley["x"][valley["value"].index(min(valley["value"]))] == pytest.approx(made["parameters"]["value"])


def test_far_from_the_data():
    assert kinds(document(flops=2e24)) == set()
    far = document(flops=3e25)
    (warning,) = far["warnings"]
    assert warning["kind"] == "extrapolation"
    assert warning["value"] == far["law"]["extrapolation_orders"] == pytest.approx(4.0)
    assert "4.0 orders of magnitude outside" in warning["message"]


def test_far_from_the_data_of_the_loss_law(law_file):
    """The loss law's own runs, where they are others than those of the law."""
    assert "loss-extrapolation" not in kinds(document(flops=3e25, law="hoffmann-1"))  # the same runs
    far = document(flops=3e25, law="llama3", loss_law=law_file)
    (warning,) = (warning for warning in far["warnings"] if warning["kind"] == "loss-extrapolation")
    assert warning["value"] == pytest.approx(math.log10(3e25 / 1e22), rel=1e-6)
    assert "outside the data behind law.json, approach 3, the loss law" in warning["message"]
    assert "loss-extrapolation" not in kinds(document(flops=1e24, law="llama3", loss_law=law_file))
    assert "loss-extrapolation" in kinds(document(flops=1e26, law="llama3", loss_law="kaplan"))


def test_tiny_models():
    made = document(flops=1e13, vocabulary=256, context=128)
    assert made["shape"]["width"] < 128
    assert {"extrapolation", "loss"} <= kinds(made)
    assert made["memory"]["devices_for_states"] == 1


def test_a_shape_that_cannot_be():
    made = document(flops=1e13)
    assert "vocabulary of 32,000" in made["shape"]["reason"]
    assert "shape" in kinds(made)
    assert made["memory"]["activations_per_sequence"] is None
    assert made["memory"]["states"] == pytest.approx(16 * made["parameters"]["value"])


def test_ten_trillion_parameters():
    made = document(parameters=1e13)
    assert made["shape"]["parameters"] == pytest.approx(1e13, rel=0.01)


def test_a_loss_that_many_draws_never_reach(law_file):
    law = plan(PlanRequest(flops=1e20, law=law_file)).loss_law
    made = document(loss=law.floor + 0.002, law=law_file)
    assert {"lost-draws", "extrapolation"} <= kinds(made)


def test_limited_data_warns_of_its_constants():
    made = document(flops=1e22, unique_tokens=1e9)
    assert {"repeated-data", "epochs"} <= kinds(made)
    assert made["limited_data"]["penalty"]["value"] > 0
    assert kinds(document(flops=1e22, unique_tokens=1e13)) == set()


def test_the_range_of_mfu_moves_time_and_what_hours_buy():
    made = document(flops=1e23, mfu=(0.3, 0.5), devices=64)
    assert made["time"]["days"]["low"] < made["time"]["days"]["value"] < made["time"]["days"]["high"]
    made = document(gpu_hours=1e6, mfu=(0.3, 0.5))
    assert made["flops"]["low"] < made["flops"]["value"] < made["flops"]["high"]
    assert made["time"]["gpu_hours"]["value"] == pytest.approx(1e6)
    assert any("mfu of 0.3 to 0.5" in line for line in made["assumptions"])


def test_memory_and_loss_limits_are_the_shapes():
    made = document(flops=1e21, vocabulary=50_000)
    assert made["shape"]["vocabulary"] == 50_000
    assert made["loss"]["value"] < math.log(50_000)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "exactly one of flops"),
        ({"flops": 1e20, "loss": 2.0}, "not flops and loss"),
        ({"flops": -1.0}, "flops is -1"),
        ({"flops": float("nan")}, "flops is nan"),
        ({"flops": 10.0}, "10 FLOP would be optimal with 0.155 parameters, which is no model"),
        ({"flops": 1e3}, r"1e\+03 FLOP would be optimal with 1.65 parameters, .*at least 1,000"),
        ({"parameters": 999.0}, "999 parameters, which is no model"),
        ({"tokens": 999.0}, "parameters, which is no model"),
        ({"flops": 1e20, "law": "nonsense"}, "there is no law"),
        ({"flops": 1e20, "loss_law": "nonsense"}, "there is no loss law"),
        ({"flops": 1e20, "device": "abacus"}, "there is no device"),
        ({"dollars": 1e6, "device": "tpu-v5p"}, "no price"),
        ({"loss": 1.5}, "cannot be reached"),
        ({"flops": 1e20, "vocabulary": 0}, "vocabulary is 0"),
        ({"flops": 1e20, "context": 1.5}, "whole number"),
        ({"flops": 1e20, "inference_tokens": 0.0}, "inference_tokens is 0"),
        ({"flops": 1e20, "unique_tokens": -1.0}, "unique_tokens is -1"),
        ({"flops": 1e20, "precision": "int3"}, "precision is 'int3'"),
        ({"flops": 1e20, "positions": "none"}, "positions is 'none'"),
    ],
)
def test_bad_requests(asked, says):
    with pytest.raises(BadInput, match=says):
        plan(PlanRequest(**asked))


@given(
    st.sampled_from(["flops", "gpu_hours", "dollars", "tokens", "parameters", "loss"]),
    st.floats(-3, 40),
    st.sampled_from(sorted(LAWS)),
    st.sampled_from([2, 256, 32_000]),
    st.sampled_from([None, 1e6, 1e15]),
)
@settings(max_examples=25, deadline=None)
def test_whatever_is_asked_is_planned_or_refused(target, log_value, law, vocabulary, few):
    try:
        made = document(
            **{target: 10**log_value}, law=law, vocabulary=vocabulary, inference_tokens=few, unique_tokens=few
        )
    except BadInput:
        return
    assert made["parameters"]["value"] >= 1000
    assert made["tokens"]["value"] >= 1000


def test_a_plan_is_frozen():
    made = plan(PlanRequest(flops=1e20))
    assert isinstance(made, Plan)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.flops = None
