"""The page and the terminal view of a plan: whole, self-contained, honest about what is missing."""

import json

import pytest

from hutch.reports import themes
from hutch.reports.reading import Interval
from hutch.reports.scaling import plan_units
from hutch.reports.scaling.papers import paper_of
from hutch.reports.scaling.plan_figures import draw_allocation
from hutch.reports.scaling.plan_page import plan_page, render_plan
from hutch.reports.scaling.plan_terminal import plan_summary
from hutch.runs.errors import HutchError
from hutch.scaling.plans import PlanRequest, plan
from tests.reports.test_page import Skeleton, figures, words
from tests.scaling.plans import saved_fits


@pytest.fixture(scope="module")
def law_file(tmp_path_factory):
    return saved_fits.parametric(tmp_path_factory.mktemp("law"))


def document(**asked):
    return json.loads(json.dumps(plan(PlanRequest(**asked)).as_dict(), allow_nan=False))


def parsed(made):
    skeleton = Skeleton()
    skeleton.feed(plan_page(made))
    assert skeleton.stack == []
    return skeleton


def terminal(made):
    from rich.console import Console

    console = Console(width=100, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(plan_summary(made, "plan.html"))
    return capture.get()


def test_the_page_is_whole(law_file):
    made = document(flops=5.76e23, law=law_file, inference_tokens=2e12, unique_tokens=2e11, devices=512)
    skeleton = parsed(made)
    ids = {a["id"] for a in skeleton.attributes if "id" in a}
    assert {"run", "alternatives", "hyperparameters", "beyond", "laws", "assumed"} <= ids
    drawn = figures(skeleton)
    assert set(drawn) == {"valley", "allocation"}
    assert all(set(themes) == {"light", "dark"} for themes in drawn.values())
    shown = words(skeleton)
    for told in (
        "Plan for a budget of 5.76×10²³ FLOP",
        "80 %",
        "512 devices",
        "2T tokens",
        "200B unique tokens",
        "Suggestions to start a search from",
        "arXiv:2401.02954",
        "16 bytes a parameter",
        "law.json",
    ):
        assert told in shown
    plots = [a for a in skeleton.attributes if str(a.get("id", "")).startswith("plot-")]
    assert all(a["role"] == "img" and len(str(a["aria-label"])) > 80 for a in plots)


def test_the_figures_draw_what_the_document_says(law_file):
    made = document(flops=1e21, law=law_file)
    drawn = figures(parsed(made))
    line = next(
        trace for trace in drawn["valley"]["light"]["data"] if trace["mode"] == "lines" and not trace.get("fill")
    )
    assert line["y"] == pytest.approx(made["curves"]["valley"]["value"])
    marks = [trace for trace in drawn["valley"]["light"]["data"] if trace["mode"] == "markers+text"]
    assert [trace["text"][0] for trace in marks] == ["¼", "½", "plan", "2×", "4×"]
    assert [trace["x"][0] for trace in marks] == pytest.approx(
        [row["parameters"] for row in made["other_sizes"]["rows"]]
    )
    star = next(trace for trace in drawn["allocation"]["light"]["data"] if trace.get("name") == "the plan")
    assert (star["x"][0], star["y"][0]) == pytest.approx((1e21, made["parameters"]["value"]))
    names = {trace.get("name") for trace in drawn["allocation"]["light"]["data"]}
    apart = {f"Hoffmann, approach {one}" for one in (1, 2, 3)}
    assert apart | {"Kaplan", "Besiroglu", "Llama 3", "the plan"} <= names
    looks = [trace["line"] for trace in drawn["allocation"]["light"]["data"] if trace.get("name") in apart]
    assert len({look["dash"] for look in looks}) == 3
    assert len({look["color"] for look in looks}) == 1


def test_papers_look_as_on_the_page_of_a_fit():
    for theme in themes.THEMES:
        drawn = json.loads(draw_allocation(document(flops=1e21, law="hoffmann-2"), theme).to_json())["data"]
        for name in ("Hoffmann, approach 1", "Kaplan", "Besiroglu", "Llama 3"):
            (line,) = (trace["line"] for trace in drawn if trace.get("name") == name)
            paper = paper_of(name, theme)
            assert (line["color"], line["dash"]) == (paper.colour, paper.dash)


def test_another_count_of_compute_is_shown(tmp_path):
    law = saved_fits.parametric(tmp_path, flops_per_nd=2.0)
    made = document(flops=1e22, law=law)
    for said in (terminal(made), words(parsed(made))):
        assert "as 6·N·D (FLOP)" in said
        assert "compute as 2·N·D (FLOP)" in said
    assert "as 6·N·D (FLOP)" not in terminal(document(flops=1e22))


def test_the_page_loads_nothing_from_elsewhere():
    skeleton = parsed(document(flops=1e20))
    for attributes in skeleton.attributes:
        assert "src" not in attributes
        assert str(attributes.get("href", "#")).startswith("#")


def test_what_is_missing_is_said():
    made = document(flops=1e12, law="llama3")
    assert "shape" in {warning["kind"] for warning in made["warnings"]}
    shown, text = words(parsed(made)), terminal(made)
    for said in (shown, " ".join(text.split())):
        assert "publishes no loss law" in said
        assert "vocabulary of 32,000" in said
    assert set(figures(parsed(made))) == {"allocation"}


def test_warnings_are_on_the_page():
    made = document(flops=1e28)
    assert made["warnings"][0]["message"].split(" FLOP")[1][:40] in words(parsed(made))


def test_hostile_names_stay_text(tmp_path):
    made = document(flops=1e20)
    made["law"]["name"] = "</script><script>alert(1)</script>"
    assert "<script>alert" not in plan_page(made)


def test_the_terminal_tells_the_same():
    text = terminal(document(flops=5.76e23, law="hoffmann-2"))
    for told in (
        "63.4B parameters on 1.51T tokens, 23.9 a parameter",
        "[50.2B, 91.7B] 80\u202f%",
        "3.09× [2.90×, 3.42×]",
        "5.37×",
        "report  plan.html",
    ):
        assert told in text


def test_the_file_appears_or_the_reason_does(tmp_path):
    made = document(flops=1e20)
    page = render_plan(made, tmp_path / "new" / "plan.html")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    (tmp_path / "file").write_text("")
    with pytest.raises((HutchError, OSError)):
        render_plan(made, tmp_path / "file" / "plan.html")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (plan_units.storage(1.16e12), "1.16 TB"),
        (plan_units.storage(500.0), "500 B"),
        (plan_units.plural(1, "device"), "1 device"),
        (plan_units.hours_told(Interval(404e3)), "404k hours"),
        (plan_units.hours_told(Interval(0.5)), "1800 s"),
        (plan_units.days_told(Interval(16.5)), "16.5 days"),
        (plan_units.days_told(Interval(1.0)), "24 hours"),
        (plan_units.dollars(Interval(1e-5)), "under $0.01"),
        (plan_units.dollars(Interval(12.3)), "$12.30"),
        (plan_units.dollars(Interval(809e3, 647e3, 1.08e6)), "$809k [647k, 1.08M]"),
        (plan_units.factor(None), "–"),
    ],
)
def test_units(told, expected):
    assert told == expected
