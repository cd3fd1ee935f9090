"""The page and the terminal view of a forecast: whole, self-contained, and free of figures of their own."""

import copy
import json
from functools import cache
from typing import Any

import pytest
from rich.console import Console

from hutch.reports.scaling import forecast_curves, forecast_requirements, forecast_words
from hutch.reports.scaling.forecast_page import forecast_page, write_page
from hutch.reports.scaling.forecast_terminal import forecast_summary
from hutch.reports.themes import THEMES
from hutch.scaling.forecasts import ForecastConfig, document
from hutch.scaling.forecasts.affordability import Hardware
from tests.reports.test_page import Skeleton, figures, words

FAST = {"draws": 2_000, "resamples": 40}


@cache
def made(kind: str) -> dict[str, Any]:
    if kind == "late":
        return document(ForecastConfig(hardware=Hardware(doubling=20), until=2060, **FAST))
    config = ForecastConfig(**FAST, until=2150 if kind == "long" else 2100)
    return document(config, tokens_per_parameter=20 if kind == "reanchored" else None)


@pytest.fixture(params=["plain", "reanchored", "late", "long"])
def forecast(request) -> dict[str, Any]:
    return copy.deepcopy(made(request.param))


def parsed(document: dict[str, Any]) -> tuple[str, Skeleton]:
    text = forecast_page(document)
    skeleton = Skeleton()
    skeleton.feed(text)
    assert skeleton.stack == []
    return text, skeleton


def terminal(document: dict[str, Any], width: int = 100) -> str:
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(forecast_summary(document))
    return capture.get().replace("\u202f", " ")


def test_page_has_both_figures_in_both_themes_and_every_section(forecast):
    _, skeleton = parsed(forecast)
    drawn = figures(skeleton)
    assert set(drawn) == {"curves", "requirements"}
    assert all(set(themes) == {"light", "dark"} for themes in drawn.values())
    ids = {a["id"] for a in skeleton.attributes if "id" in a}
    assert {"glance", "update", "sure", "anchors", "notes", "how"} <= ids
    shown = words(skeleton)
    assert forecast["title"] in shown
    for guess in forecast["guesses"]:
        assert guess["name"] in shown
    assert "The Monte Carlo intervals are not the uncertainty of the forecast." in shown


def test_page_loads_nothing_from_elsewhere(forecast):
    text, skeleton = parsed(forecast)
    for attributes in skeleton.attributes:
        assert "src" not in attributes
        assert str(attributes.get("href", "#")).startswith("#")
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style


def test_curves_are_those_of_the_document():
    document = made("reanchored")
    drawn = json.loads(forecast_curves.draw(document, THEMES[0]).to_json(engine="json"))["data"]
    named = {trace["name"]: trace for trace in drawn if trace.get("name")}
    assert named["data exponent 0.80"]["y"] == document["baseline"]["probability"]["value"]
    assert named["data exponent 1.00"]["y"] == document["updated"]["probability"]["value"]
    assert named["exponent 1.00, 20 tokens/parameter"]["y"] == document["reanchored"]["probability"]["value"]
    assert named["published"]["x"] == document["published"]["years"]
    dashes = [trace["line"]["dash"] for trace in drawn if trace["mode"] == "lines" and "dash" in trace["line"]]
    assert len(set(dashes)) == len(dashes) == 4
    markers = [trace for trace in drawn if trace["mode"] == "markers"]
    assert [trace["y"] for trace in markers] == [[0.5]] * 3


def test_requirements_are_those_of_the_document():
    document = made("plain")
    figure = json.loads(forecast_requirements.draw(document, THEMES[0]).to_json(engine="json"))
    bars = [trace for trace in figure["data"] if trace["mode"] == "lines+markers"]
    assert len(bars) == 12
    short = document["baseline"]["requirement"]["short"]
    assert bars[2]["x"] == [short["p10"], short["p50"], short["p90"]]
    texts = [annotation["text"] for annotation in figure["layout"]["annotations"]]
    assert {"2025", "2050", "2100"} <= set(texts)
    assert not any("none" in text for text in texts)


def test_years_that_would_touch_are_left_out():
    document = copy.deepcopy(made("plain"))
    document["affordable"] = [{"year": 2025, "log_flop": 26.0}, {"year": 2050, "log_flop": 27.0}]
    figure = json.loads(forecast_requirements.draw(document, THEMES[0]).to_json(engine="json"))
    texts = [annotation["text"] for annotation in figure["layout"]["annotations"]]
    assert "2025" in texts
    assert "2050" not in texts


def test_terminal_tells_medians_difference_and_guesses(forecast):
    shown = " ".join(terminal(forecast).split())
    assert forecast["answer"] in shown
    assert forecast_words.median(forecast["updated"]["median"]) in shown
    assert " ".join(forecast["difference"]["why"].split()) in shown
    for guess in forecast["guesses"]:
        assert guess["name"] in shown
    assert "reported 2040" in shown


@pytest.mark.parametrize("width", [80, 100])
def test_terminal_keeps_to_its_width(forecast, width):
    assert max(len(line) for line in terminal(forecast, width).splitlines()) <= width


def test_a_median_beyond_the_horizon_is_words():
    document = made("late")
    assert "after 2060" in terminal(document)
    shown = words(parsed(document)[1])
    assert "after 2060" in shown
    assert "nan" not in shown
    assert "None" not in shown


def test_hostile_text_stays_text():
    document = copy.deepcopy(made("plain"))
    document["answer"] = "</p><script>alert(1)</script>"
    document["command"] = "hutch forecast --report '<img src=x>'"
    text, skeleton = parsed(document)
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "alert(1)" in words(skeleton)


def test_differences_are_signed():
    assert forecast_words.signed(2.604, 2) == "+2.60"
    assert forecast_words.signed(-0.04) == "0.0"
    assert forecast_words.signed(-1.25, 2) == "−1.25"
    assert forecast_words.signed(None) == "–"
    assert forecast_words.points(-0.0232) == "−2.3"


def test_a_page_is_written_whole(tmp_path):
    path = write_page(made("plain"), tmp_path / "a" / "forecast.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [p.name for p in path.parent.iterdir()] == ["forecast.html"]
