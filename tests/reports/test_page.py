"""The page: whole, self-contained, safe with hostile text, and honest about what is missing."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from hutch.reports import render_page
from hutch.reports.themes import LIGHT
from hutch.runs.errors import HutchError

HOSTILE_PIECES = ("<script>alert", "<b>bold</b>", "<b>Losses</b>", "killed <9>")
SECTIONS = (
    "glance",
    "chinchilla",
    "exponents",
    "curves",
    "claims",
    "samples",
    "runs",
    "corpus",
    "how",
    "notes",
)
FIGURES = ("valleys", "parameters", "test", "exponents", "tokens", "curves")
VOID = {"meta", "br", "link"}


class Skeleton(HTMLParser):
    """What a browser would see of a page: its elements, whether they nest, its scripts, its words."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append(dict(attrs))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif self.stack and self.stack[-1] != "style":
            self.words.append(data)


def rendered(folder: Path, analysis: dict[str, Any]) -> tuple[str, Skeleton]:
    """The page of an analysis, as text and parsed."""
    (folder / "analysis.json").write_text(json.dumps(analysis), encoding="utf-8")
    path = render_page(folder)
    assert path == folder / "report.html"
    text = path.read_text(encoding="utf-8")
    skeleton = Skeleton()
    skeleton.feed(text)
    assert skeleton.stack == []
    return text, skeleton


def figures(skeleton: Skeleton) -> dict[str, Any]:
    """The figures on the page by name, each in both themes."""
    return {
        str(attributes["data-plot"]).removeprefix("plot-"): json.loads(script)
        for attributes, script in skeleton.scripts
        if "data-plot" in attributes
    }


def words(skeleton: Skeleton) -> str:
    return " ".join(" ".join(skeleton.words).split())


def test_page_has_every_section_and_figure(tmp_path: Path, analysis: dict[str, Any]) -> None:
    _, skeleton = rendered(tmp_path, analysis)
    ids = {a["id"] for a in skeleton.attributes if "id" in a}
    assert set(SECTIONS) <= ids
    drawn = figures(skeleton)
    assert set(drawn) == set(FIGURES)
    assert all(set(themes) == {"light", "dark"} for themes in drawn.values())
    shown = words(skeleton)
    for told in (
        analysis["title"],
        analysis["question"],
        "reproduced",
        "Apache-2.0",
        "p00",
        "0.45 [0.41, 0.49]",
    ):
        assert told in shown
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".tmp")] == []


def test_every_figure_is_described_in_words(tmp_path: Path, analysis: dict[str, Any]) -> None:
    _, skeleton = rendered(tmp_path, analysis)
    plots = [a for a in skeleton.attributes if str(a.get("id", "")).startswith("plot-")]
    assert len(plots) == len(FIGURES)
    assert all(a["role"] == "img" and len(str(a["aria-label"])) > 40 for a in plots)


def test_page_loads_nothing_from_elsewhere(tmp_path: Path, analysis: dict[str, Any]) -> None:
    text, skeleton = rendered(tmp_path, analysis)
    for attributes in skeleton.attributes:
        assert "src" not in attributes
        assert str(attributes.get("href", "#")).startswith("#")
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    executable = [script for attributes, script in skeleton.scripts if "type" not in attributes]
    assert len(executable) == 2
    assert sum(len(script) > 1_000_000 for script in executable) == 1


def test_hostile_text_stays_text(tmp_path: Path, analysis: dict[str, Any], diverged_analysis: dict[str, Any]) -> None:
    analysis["runs"][0]["id"] = "<img src=x onerror=alert(1)></script>"
    analysis["title"] = "</title><script>alert(2)</script>"
    text, skeleton = rendered(tmp_path, analysis)
    assert "have seen in the optimal year. The hutch </script><script>alert('x')</script>" in words(skeleton)
    assert not any("onerror" in a or a.get("src") for a in skeleton.attributes)
    assert "<script>alert" not in text
    text, _ = rendered(tmp_path, diverged_analysis)
    assert not any(piece in text for piece in HOSTILE_PIECES)


def test_refused_fits_say_why(tmp_path: Path, refused_analysis: dict[str, Any]) -> None:
    _, skeleton = rendered(tmp_path, refused_analysis)
    shown = words(skeleton)
    for name in ("profiles", "envelope", "parametric", "extrapolation", "chinchilla_test"):
        assert f"{name}: fewer than three profiles have an interior minimum" in shown
    assert "the minimum lies at the edge" in shown
    valleys = figures(skeleton)["valleys"]["light"]
    markers = [trace for trace in valleys["data"] if trace["mode"] == "markers"]
    assert markers
    assert {trace["marker"]["symbol"] for trace in markers} == {"circle-open", "square"}
    assert "the minimum lies at the edge" in markers[0]["customdata"][0]


def test_lost_runs_are_marked_with_their_reason(tmp_path: Path, diverged_analysis: dict[str, Any]) -> None:
    _, skeleton = rendered(tmp_path, diverged_analysis)
    shown = words(skeleton)
    assert "diverged loss is not finite at step 12" in shown
    assert "failed the worker was killed <9>" in shown
    assert "2 of 33 runs did not finish" in shown
    assert sum(a.get("class") == "lost" for a in skeleton.attributes) == 2


def test_a_run_that_is_neither_done_nor_lost_says_what_it_is(tmp_path: Path, analysis: dict[str, Any]) -> None:
    analysis["runs"][0]["status"] = "waiting"
    _, skeleton = rendered(tmp_path, analysis)
    assert "p00 profile waiting" in words(skeleton)
    assert "p01 profile done" in words(skeleton)


def test_claims_go_by_their_short_names(tmp_path: Path, analysis: dict[str, Any]) -> None:
    _, skeleton = rendered(tmp_path, analysis)
    (chip,) = [a for a in skeleton.attributes if a.get("href") == "#claim-kaplan"]
    assert chip["title"] == "Parameters should grow as C^0.73"
    shown = words(skeleton)
    assert "≈ not at this scale 20 tokens a parameter ✗ contradicted N ∝ C 0.73 (Kaplan)" in shown
    assert "claim-kaplan" in {a.get("id") for a in skeleton.attributes}


def test_how_it_was_run_names_schedule_and_sizes(tmp_path: Path, analysis: dict[str, Any]) -> None:
    shown = words(rendered(tmp_path, analysis)[1])
    assert "schedule a cosine to one tenth" in shown
    assert "sizes and rates 64 units of width a layer" in shown


def test_captions_and_tiles_say_what_they_show(tmp_path: Path, analysis: dict[str, Any]) -> None:
    shown = words(rendered(tmp_path, analysis)[1])
    for told in (
        "the fitted minimum of a budget with its 80 % interval; hollow: no minimum inside the sizes tried",
        "Held-out text by subset, with 95 % intervals",
        "Filled: ours, with 80 % intervals",
        "the 10th to 90th percentile over 80 % subsamples",
        "exponent a, approach 2",
        "below 0: the optimum is better",
        "scored documents",
    ):
        assert told in shown
    analysis["extrapolation"]["approach"] = "parametric"
    assert "exponent b, approach 3" in words(rendered(tmp_path, analysis)[1])


def test_a_lone_surrogate_does_not_break_the_page(tmp_path: Path, analysis: dict[str, Any]) -> None:
    analysis["samples"][0]["text"] = analysis["runs"][0]["id"] = "half \ud83d a pair"
    shown = words(rendered(tmp_path, analysis)[1])
    assert "half ? a pair" in shown


PARTS = (
    "question", "answer", "how", "corpus", "model", "runs", "budgets", "holdout_budget", "fits", "bands",
    "published", "extrapolation", "chinchilla_test", "samples", "claims", "notes",
)  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_page_stands_without(
    part: str, tmp_path: Path, analysis: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "/* left out: parsing it takes most of the time */")
    monkeypatch.setattr("hutch.reports.themes.THEMES", (LIGHT,))
    analysis[part] = None
    _, skeleton = rendered(tmp_path, analysis)
    assert set(SECTIONS) <= {a.get("id") for a in skeleton.attributes}


def test_page_of_an_empty_analysis(tmp_path: Path) -> None:
    _, skeleton = rendered(tmp_path, {})
    assert "The analysis gives no answer." in words(skeleton)
    assert figures(skeleton) == {}


@pytest.mark.parametrize("approach", ["profiles", "envelope", "parametric"])
def test_page_stands_without_one_approach(approach: str, tmp_path: Path, analysis: dict[str, Any]) -> None:
    analysis["fits"][approach] = None
    _, skeleton = rendered(tmp_path, analysis)
    assert f"The analysis holds no fits {approach}." in words(skeleton)


def test_intervals_without_ends_are_drawn_as_points(tmp_path: Path, analysis: dict[str, Any]) -> None:
    bare = re.sub(r'"(low|high|level)": [-0-9.e]+', r'"\1": null', json.dumps(analysis))
    _, skeleton = rendered(tmp_path, json.loads(bare))
    assert set(figures(skeleton)) == set(FIGURES)


def test_curves_that_all_start_above_the_frame(tmp_path: Path, analysis: dict[str, Any]) -> None:
    for run in analysis["runs"]:
        run["curve"]["loss"] = [1000.0 for _ in run["curve"]["loss"]]
    _, skeleton = rendered(tmp_path, analysis)
    assert "curves" in figures(skeleton)


def test_missing_and_broken_analyses_are_named(tmp_path: Path) -> None:
    with pytest.raises(HutchError, match="does not exist"):
        render_page(tmp_path)
    (tmp_path / "analysis.json").write_text("[1]")
    with pytest.raises(HutchError, match="no JSON object"):
        render_page(tmp_path)
    assert not (tmp_path / "report.html").exists()
