"""The document: everything is in it, null comes with a reason, and it says what is a guess."""

import json
from dataclasses import replace

import pytest

from hutch.runs.errors import BadInput
from hutch.scaling.forecasts import ANCHORS, ForecastConfig, document, normal_90
from hutch.scaling.forecasts.affordability import Algorithms, Hardware
from hutch.scaling.forecasts.distributions import Normal

FAST = ForecastConfig(draws=4_000, resamples=60)


@pytest.fixture(scope="module")
def made():
    return document(FAST, tokens_per_parameter=20)


def test_it_is_json_without_nan(made):
    assert json.loads(json.dumps(made, allow_nan=False)) == json.loads(json.dumps(made))


def test_baseline_and_update_stand_beside_their_difference(made):
    assert made["baseline"]["data_exponent"]["mean"] == pytest.approx(0.8)
    assert made["updated"]["data_exponent"]["mean"] == 1.0
    widths = [made[k]["data_exponent"]["high"] - made[k]["data_exponent"]["low"] for k in ("baseline", "updated")]
    assert widths == pytest.approx([0.6, 0.6])
    gap = made["difference"]
    assert gap["median_years"]["value"] == pytest.approx(
        made["updated"]["median"]["value"] - made["baseline"]["median"]["value"]
    )
    assert [row["year"] for row in gap["probabilities"]] == [2030, 2040, 2050, 2100]
    for row in gap["probabilities"]:
        assert row["difference"]["value"] == pytest.approx(row["updated"] - row["baseline"])
        assert row["difference"]["low"] <= row["difference"]["value"] <= row["difference"]["high"]


def test_reanchored_asks_for_more_data_still(made):
    moved = made["reanchored"]
    assert moved["tokens_per_parameter"] == 20
    assert moved["reference_samples"] == pytest.approx(12.501, abs=0.001)
    assert moved["difference"]["median_years"]["value"] > made["difference"]["median_years"]["value"] > 0
    assert document(FAST)["reanchored"] is None


def test_what_is_a_guess_is_said(made):
    guesses = {guess["name"]: guess for guess in made["guesses"]}
    assert set(guesses) == {
        "pace and cap of algorithms",
        "samples at the reference size",
        "weights of short and long",
        "weights of evolution and none",
        "efficiency of the evolution anchor",
        "doubling time of spending",
        "base year of the hardware price",
    }
    assert "unverified" in guesses["weights of short and long"]["why"]
    assert "guessed" in guesses["pace and cap of algorithms"]["why"]
    assert guesses["samples at the reference size"]["shift_years"] > 1
    assert guesses["doubling time of spending"]["shift_years"] < 0
    assert any("not the report" in note or "not from the report" in note for note in made["notes"])
    assert any("Monte Carlo" in note and "nothing else" in note for note in made["notes"])


def test_the_spread_stands_beside_the_published_one(made):
    years = [row["median"]["year"] for row in made["spread"]]
    assert [row["preset"] for row in made["spread"]] == ["aggressive", "best-guess", "conservative"]
    assert years == sorted(years)
    assert made["spread"][1]["median"]["value"] == made["baseline"]["median"]["value"]
    assert [row["published"]["computed"] for row in made["spread"]] == [2036, 2052, 2100]


def test_the_reason_why_it_lengthens(made):
    why = made["difference"]["why"]
    assert "above it a larger exponent asks for more data" in why
    assert "Short, medium, long (median 10^14.2) lie above, and need 0.6 OOM more compute." in why
    assert "Genome (median 10^8.7) lies below, and needs 0.5 OOM less compute." in why
    assert "Together the median comes later." in why
    assert "years later" in made["answer"]


def test_a_smaller_exponent_is_told_the_other_way_round():
    made = document(FAST, exponent=Normal(0.6, FAST.data.exponent.sd))
    assert made["difference"]["median_years"]["value"] < 0
    assert "a smaller exponent asks for less data" in made["difference"]["why"]
    assert "years sooner" in made["answer"]


def test_an_update_of_the_width_alone():
    made = document(FAST, exponent=normal_90(0.3, 1.3))
    assert "only its width" in made["difference"]["why"]


def test_a_median_beyond_the_horizon_is_null_with_its_reason():
    made = document(replace(FAST, hardware=Hardware(doubling=20), until=2050))
    for key in ("baseline", "updated"):
        assert made[key]["median"] == {
            **dict.fromkeys(("year", "value", "low", "high", "level")),
            "reason": "after 2050",
        }
    gap = made["difference"]["median_years"]
    assert gap["value"] is None
    assert gap["reason"] == "a median lies outside the forecast: after 2050"
    assert [row["year"] for row in made["difference"]["probabilities"]] == [2030, 2040, 2050]
    assert made["published"]["difference"]["years"] == [2024, 2050]
    assert "with even odds after 2050" in made["answer"]


def test_with_all_weight_on_one_anchor():
    zero = dict.fromkeys(("lifetime", "short", "genome", "medium", "long", "none"), 0.0)
    made = document(FAST.reweighted({**zero, "evolution": 1.0}))
    assert made["difference"]["median_years"]["value"] in (None, 0.0)


def test_other_anchors_are_refused():
    with pytest.raises(BadInput, match="a document needs the anchors lifetime, short"):
        document(replace(FAST, anchors=(replace(ANCHORS[1], weight=1.0),)))


def test_the_algorithms_go_into_every_row():
    made = document(replace(FAST, algorithms=Algorithms(rule="fixed")))
    assert made["guesses"][0]["used"].startswith("fixed for each anchor")
    assert made["guesses"][0]["alternative"].startswith("by requirement")
    assert made["spread"][1]["median"]["value"] == made["baseline"]["median"]["value"]
