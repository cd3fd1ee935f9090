"""One table saved with C = 6·N·D and with C = 2·N·D: plans agree in everything that is physical."""

import json

import pytest

from hutch.scaling.plans import PlanRequest, plan
from hutch.scaling.plans.law_choice import choose_law
from tests.scaling.plans import saved_fits

ASKED = [
    {"flops": 3e22}, {"gpu_hours": 1e5, "mfu": (0.3, 0.5)}, {"dollars": 2e5}, {"tokens": 3e11}, {"parameters": 1e10},
    {"loss": 2.05},
]  # fmt: skip
TIME = ("gpu_hours", "dollars", "days")
SHARES = ("parameters", "tokens", "training_flops", "lifetime_flops")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    makers = {"parametric": saved_fits.parametric, "profiles": saved_fits.profiles}
    return {
        (name, kappa): make(tmp_path_factory.mktemp(f"{name}-{kappa:g}"), flops_per_nd=kappa)
        for name, make in makers.items()
        for kappa in (6.0, 2.0)
    }


def document(saved, name, kappa, asked):
    """The plan; a budget in FLOP is asked for in the law's own count."""
    asked = {k: v * kappa / 6 if k == "flops" else v for k, v in asked.items()}
    more = {"devices": 64, "inference_tokens": 1e12, "unique_tokens": 1e10}
    if name == "profiles" and "loss" not in asked:
        more["loss_law"] = "besiroglu"
    made = plan(PlanRequest(**asked, **more, law=saved[name, kappa])).as_dict()
    return json.loads(json.dumps(made, allow_nan=False))


def physical(made):
    """Every figure that does not depend on how FLOP are counted."""
    figures = {name: made[name] for name in ("flops_6nd", "parameters", "tokens", "tokens_per_parameter", "loss")}
    figures |= {name: made["time"][name] for name in TIME}
    for part in ("inference", "limited_data"):
        found = made[part]
        figures |= {f"{part} {name}": raw for name, raw in found.items() if isinstance(raw, dict)}
    for row in made["other_sizes"]["rows"]:
        figures |= {f"wasted by {row['factor']}": row["wasted"]}
    return {(name, end): raw[end] for name, raw in figures.items() for end in ("value", "low", "high")}


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: next(iter(asked)))
@pytest.mark.parametrize(("name", "tolerance"), [("parametric", 1e-6), ("profiles", 1e-3)])
def test_the_count_of_compute_moves_nothing_physical(name, tolerance, asked, saved):
    ours, theirs = (document(saved, name, kappa, asked) for kappa in (6.0, 2.0))
    six, two = physical(ours), physical(theirs)
    assert six.keys() == two.keys()
    for key, value in six.items():
        assert two[key] == (None if value is None else pytest.approx(value, rel=tolerance, abs=1e-9)), key
    assert theirs["flops"]["value"] == pytest.approx(ours["flops"]["value"] / 3, rel=tolerance)
    assert theirs["law"]["flops_per_nd"] == pytest.approx(2.0)
    if name == "parametric":
        assert {f"inference {share}_ratio" for share in SHARES} <= {key for key, _ in six}


def test_the_published_laws_stay_where_they_are(saved):
    """On an axis of the law's own count their sizes move with it."""
    for kappa in (6.0, 2.0):
        made = document(saved, "parametric", kappa, {"flops": 3e22})
        hoffmann = made["curves"]["published"][0]
        at = hoffmann["x"].index(made["flops"]["value"])
        assert hoffmann["value"][at] == pytest.approx(choose_law("hoffmann-1").published.n_opt(3e22))


def test_another_count_is_said(saved):
    assert "compute-convention" not in {w["kind"] for w in document(saved, "parametric", 6.0, ASKED[0])["warnings"]}
    made = document(saved, "parametric", 2.0, ASKED[0])
    (warning,) = (w for w in made["warnings"] if w["kind"] == "compute-convention")
    assert warning["value"] == pytest.approx(2.0)
    assert "counts compute as 2·N·D, not 6·N·D: 1e22 FLOP are in that count" in warning["message"]
    assert "those of 6·N·D, 3e22 FLOP" in warning["message"]


def test_hours_follow_from_the_real_flops(saved):
    made = document(saved, "parametric", 2.0, {"flops": 3e22})
    assert made["flops"]["value"] == pytest.approx(1e22)
    assert made["flops_6nd"]["value"] == pytest.approx(3e22)
    assert made["time"]["gpu_hours"]["value"] == pytest.approx(3e22 / (989e12 * 0.4 * 3600))
