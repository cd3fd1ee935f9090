"""The page of the retrieval study: whole, safe with hostile text, and honest about what is missing."""

import json
import re

import pytest
from rich.console import Console

from hutch.reports import render_page, study_summary
from hutch.reports.retrieval import forest, frontier, gains, overlaps
from hutch.reports.themes import DARK, LIGHT
from hutch.runs.errors import HutchError
from tests.reports.test_page import rendered

SECTIONS = (
    "glance", "sizes", "subsets", "copying", "neighbours", "split", "claims", "examples", "costs", "runs", "corpus",
    "how", "notes",
)  # fmt: skip
FIGURES = (
    "database", "overlap", "isoflop", "frontier", "subsets-same_tokens", "subsets-equal_flops", "copying-neighbours",
    "copying-exact", "neighbours",
)  # fmt: skip


def test_every_section_and_every_figure_in_both_themes(analysis, tmp_path):
    text, skeleton = rendered(tmp_path, analysis)
    found = [a["id"] for a in skeleton.attributes if a.get("id") in SECTIONS]
    assert found == list(SECTIONS)
    drawn = {a["data-plot"]: json.loads(body) for a, body in skeleton.scripts if a.get("data-plot")}
    assert sorted(drawn) == sorted(f"plot-{name}" for name in FIGURES)
    assert all(set(figure) == {"light", "dark"} for figure in drawn.values())
    assert "http" not in re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)


def test_hostile_text_stays_text(analysis, tmp_path):
    text, skeleton = rendered(tmp_path, analysis)
    assert "<script>alert" not in text
    assert "<b>bold</b>" not in text
    assert any("alert('x')" in words for words in skeleton.words)


def test_tokens_are_tinted_by_what_was_gained(analysis, tmp_path):
    text, _ = rendered(tmp_path, analysis)
    assert text.count("var(--good) 55%") == 1  # four bits are more than a full tint
    assert text.count("var(--bad) 37%") == 1  # two of three bits
    assert '<span title="+0.0 bits"> same</span>' in text


def test_what_is_missing_says_why(sparse_analysis, tmp_path):
    text, skeleton = rendered(tmp_path, sparse_analysis)
    absent = {a["data-absent"] for a in skeleton.attributes if a.get("data-absent")}
    assert absent == {"database", "neighbours", "frontier", "subsets-same_tokens", "subsets-equal_flops"}
    assert "no model was trained on RETRO" in text
    assert "The study kept no examples." in text
    assert "There is no model without, same tokens to compare with." in text


def test_a_multiplier_outside_the_range_is_a_bound(analysis, tmp_path):
    last = analysis["multiplier"][-1]
    last |= {"multiplier": {"value": None, "low": None, "high": None, "level": 0.95}, "bound": "under 0.54"}
    text, _ = rendered(tmp_path, analysis)
    assert "under 0.54: outside the measured range" in text


def test_the_database_curve_starts_without_a_database(analysis):
    figure = gains.draw_database(analysis, LIGHT)
    assert figure.layout.xaxis.ticktext == ("none", "64k", "256k", "1.02M")
    mean = next(trace for trace in figure.data if trace.name == "mean of all sizes")
    assert list(mean.y) == [-0.001, 0.002, 0.006, 0.01]
    # Left of the smallest by one step of the others, so that the steps look alike.
    assert list(mean.x) == pytest.approx([16000, 64000, 256000, 1024000])


def test_the_same_models_switched_off_are_the_closer_comparison(analysis):
    figure = gains.draw_database(analysis, LIGHT)
    over_off = next(trace for trace in figure.data if trace.name and "switched off" in trace.name)
    assert list(over_off.y) == [0.0, 0.003, 0.007, 0.011]


def test_models_of_other_seeds_are_drawn_as_what_they_are(analysis):
    analysis["runs"][1] |= {"role": "retro, other seed"}
    figure = frontier.draw(analysis, LIGHT)
    shown = {trace.name: len(trace.x) for trace in figure.data if trace.mode == "markers"}
    assert shown == {"without retrieval": 1, "with retrieval": 2}


def test_overlaps_without_chunks_are_left_out(analysis):
    for points in (*analysis["copying"]["exact"]["models"].values(), *analysis["copying"]["exact"]["gains"].values()):
        points[0] = {"value": None, "low": None, "high": None, "level": 0.95}
    for draw in (overlaps.draw_bits, overlaps.draw_gain):
        figure = draw(analysis, DARK, "exact")
        assert {tuple(trace.x) for trace in figure.data if trace.name} == {(0.125, 0.5, 1.0)}


def test_a_subset_that_loses_has_the_other_colour(analysis):
    figure = forest.draw(analysis, LIGHT, "same_tokens")
    assert [trace.marker.color for trace in figure.data] == [LIGHT.optimal, LIGHT.optimal, LIGHT.other]


def summary(analysis):
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(study_summary(analysis, "report.html"))
    return capture.get()


def test_the_summary_fits_a_terminal(analysis, sparse_analysis):
    told = summary(analysis)
    assert all(len(line) <= 80 for line in told.splitlines())
    for words in ("with", "equal FLOPs", "for each doubling of the database", "compute multiplier", "✓ reproduced"):
        assert words in told
    assert "for each doubling of the database" in summary(sparse_analysis)


def test_a_study_without_a_page_is_refused(analysis, tmp_path):
    (tmp_path / "analysis.json").write_text(json.dumps(analysis | {"study": "weather"}))
    with pytest.raises(
        HutchError, match="no page for the study 'weather'; there is one for compute-optimal, retrieval"
    ):
        render_page(tmp_path)
