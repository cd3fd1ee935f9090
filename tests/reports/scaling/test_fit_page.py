"""The page of a fit: whole, self-contained, safe with hostile text, and honest about what is missing."""

import re
import subprocess
import sys
from typing import Any

import pytest

from hutch.reports.scaling.fit_page import fit_page
from hutch.reports.themes import LIGHT
from tests.reports.scaling.fit_documents import whole, without
from tests.reports.test_page import Skeleton, figures, words

FIGURES = {
    "isoflop", "optimal-parameters", "optimal-tokens", "exponent-a", "exponent-b", "contours", "residuals-compute",
    "residuals-parameters", "cloud", "curves", "holdout-loss", "holdout-loss-errors", "holdout-parameters",
    "holdout-parameters-errors",
}  # fmt: skip
HOSTILE = "</title></script><script>alert(1)</script><img src=x onerror=alert(2)> \u2028 \ud83d"


def parsed(document: dict[str, Any]) -> Skeleton:
    skeleton = Skeleton()
    skeleton.feed(fit_page(document))
    assert skeleton.stack == []
    return skeleton


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages in one theme without plotly.js, whose parsing takes most of the time."""
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "/* left out */")
    monkeypatch.setattr("hutch.reports.themes.THEMES", (LIGHT,))


def test_page_has_every_figure_in_both_themes_and_loads_nothing() -> None:
    text = fit_page(whole())
    skeleton = Skeleton()
    skeleton.feed(text)
    drawn = figures(skeleton)
    assert set(drawn) == FIGURES
    assert all(set(themes) == {"light", "dark"} for themes in drawn.values())
    for attributes in skeleton.attributes:
        assert "src" not in attributes
        assert str(attributes.get("href", "#")).startswith("#")
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    executable = [script for attributes, script in skeleton.scripts if "type" not in attributes]
    assert sum(len(script) > 1_000_000 for script in executable) == 1
    without_plotly = text.replace(max(executable, key=len), "")
    assert not re.findall(r"https?://[^\s\"'<]+", without_plotly)


@pytest.mark.usefixtures("light")
def test_the_result_stands_at_the_top_in_plain_words() -> None:
    document = whole()
    shown = words(parsed(document))
    a, b = (document["fits"]["isoflop"][name]["value"] for name in ("a", "b"))
    assert f"10× the compute: {10**a:.2f}× larger, {10**b:.2f}× more data" in shown
    assert f"N ∝ C {a:.4f} , D ∝ C {b:.4f} , by approach 2 (isoFLOP profiles)" in shown
    assert "42 runs · 10¹⁷ to 3×10¹⁹ training FLOPs" in shown
    best = document["optima"][0]["fits"]["parametric"]
    assert f"approach 3, optimum at 10²¹ FLOPs {best['parameters']['value'] / 1e9:.3g}B parameters" in shown


@pytest.mark.usefixtures("light")
def test_constants_have_four_digits_or_more_and_their_intervals() -> None:
    document = whole()
    shown = words(parsed(document))
    fit = document["fits"]["parametric"]
    for name in ("a", "b", "E", "alpha", "beta"):
        value, low, high = (fit[name][end] for end in ("value", "low", "high"))
        places = 4 if name == "E" else 5
        assert f"{value:.{places}f} [{low:.{places}f}, {high:.{places}f}]" in shown
    assert "80 % intervals" in shown


@pytest.mark.usefixtures("light")
def test_warnings_columns_dropped_rows_and_command_are_told() -> None:
    document = whole()
    shown = words(parsed(document))
    for told in (
        *document["warnings"],
        "equal runs are counted as independent: lines 3 and 4",
        "loss val_loss",
        "44 val_loss: empty",
        "hutch fit sweep.csv --at 1e21",
        "rows read 44",
        "bootstraps 40",
        "tied no",
        "3×10¹⁷ FLOPs: minimum at 1.19×10 8 parameters",
        "search converged",
        "Errors above 8×10¹⁸ FLOPs, relative",
    ):
        assert told in shown
    tested = document["holdout"]["fits"]["parametric"]["mean_absolute_error"]["value"]
    assert f"{100 * tested:.3f} [" in shown


@pytest.mark.usefixtures("light")
def test_hostile_text_stays_text() -> None:
    document = whole()
    document["title"] = document["command"] = document["table"]["source"] = HOSTILE
    document["table"]["columns"] = {"loss": HOSTILE, HOSTILE: "x"}
    document["table"]["dropped"] = [{"line": 1, "reason": HOSTILE}]
    document["table"]["notes"], document["warnings"] = [HOSTILE], [HOSTILE]
    document["table"]["units"] = {"loss": HOSTILE}
    document["options"][HOSTILE] = [HOSTILE]
    document["reasons"] = {"envelope": HOSTILE}
    document["fits"]["envelope"] = None
    document["fits"]["isoflop"]["profiles"][1]["reason"] = HOSTILE
    document["fits"]["parametric"]["notes"] = [HOSTILE]
    document["holdout"]["fits"]["isoflop"] |= {"mean_absolute_error": None, "reason": HOSTILE}
    document["drawing"]["published"][0]["name"] = HOSTILE
    text = fit_page(document)
    skeleton = Skeleton()
    skeleton.feed(text)
    assert skeleton.stack == []
    assert not any("onerror" in a or a.get("src") for a in skeleton.attributes)
    assert "<script>alert" not in text
    assert "alert(1)" in words(skeleton)
    for themes in figures(skeleton).values():
        assert "<img" not in str(themes["light"]["layout"])
        assert all("<img" not in str(trace.get("customdata")) for trace in themes["light"]["data"])
    text.encode()


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("approach", ["isoflop", "parametric", "envelope"])
def test_an_approach_without_a_law_says_why(approach: str) -> None:
    document = whole()
    document["fits"][approach] = None
    document["drawing"]["laws"].pop(approach)
    document["reasons"] = {approach: "three runs; six are needed (2, 3 and 4)"}
    shown = words(parsed(document))
    assert "three runs; six are needed" in shown


@pytest.mark.usefixtures("light")
def test_an_approach_that_was_not_asked_for_is_not_mentioned() -> None:
    document = whole()
    for approach in ("isoflop", "envelope"):
        document["fits"].pop(approach)
        document["drawing"]["laws"].pop(approach)
    document["drawing"]["curves"] = document["drawing"]["envelope_points"] = document["holdout"] = None
    document["warnings"] = []
    skeleton = parsed(document)
    assert set(figures(skeleton)) == FIGURES - {
        "isoflop", "curves", "holdout-loss", "holdout-loss-errors", "holdout-parameters", "holdout-parameters-errors"
    }  # fmt: skip
    assert "approach 1 (" not in words(skeleton)


PARTS = ("runs", "fits", "reasons", "optima", "holdout", "warnings", "options", "table", "drawing", "title", "command")


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("part", PARTS)
def test_page_stands_without(part: str) -> None:
    skeleton = parsed(without(whole(), part))
    assert {"allocation", "laws", "source"} <= {a.get("id") for a in skeleton.attributes}


@pytest.mark.usefixtures("light")
def test_page_of_nothing_says_so() -> None:
    skeleton = parsed({})
    assert "No approach gave a law of the optimum." in words(skeleton)
    assert figures(skeleton) == {}


@pytest.mark.usefixtures("light")
def test_an_unknown_unit_of_the_loss_is_the_documents() -> None:
    document = whole()
    document["table"]["units"] = {"loss": "bits per byte"}
    skeleton = parsed(document)
    assert figures(skeleton)["isoflop"]["light"]["layout"]["yaxis"]["title"]["text"] == "loss (bits per byte)"
    assert "nats per token" not in words(skeleton)


def test_drawing_libraries_wait_until_they_are_used() -> None:
    rooms = "fit_page, fit_terminal, static, fit_figures"
    code = (
        f"import sys; from hutch.reports.scaling import {rooms}; "
        "print(*{'plotly', 'rich', 'kaleido', 'torch'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
