"""The figures of a fit draw the document's numbers, where the document puts them."""

import itertools
import math
from typing import Any

import plotly.graph_objects as go
import pytest

from hutch.reports.growth import PARAMETERS, TOKENS
from hutch.reports.reading import Missing
from hutch.reports.scaling import (
    allocation_lines,
    approaches,
    cloud,
    contours,
    envelope_curves,
    exponents,
    holdout,
    isoflop,
    isoflop_frame,
    papers,
    residuals,
)
from hutch.reports.scaling.fit_figures import FIGURES
from hutch.reports.themes import DARK, LIGHT
from tests.reports.scaling.fit_documents import BUDGETS, LOPSIDED, whole, without


@pytest.fixture
def document() -> dict[str, Any]:
    return whole()


def named(figure: Any, start: str) -> Any:
    """The one trace whose name begins so."""
    (found,) = [trace for trace in figure.data if (trace.name or "").startswith(start)]
    return found


def test_profiles_show_each_run_with_its_line(document: dict[str, Any]) -> None:
    figure = isoflop.draw(document, LIGHT)
    points = [t for t in figure.data if t.mode == "markers" and t.marker.symbol != "diamond"]
    assert sum(len(t.x) for t in points) == 42
    first = document["runs"]
    assert points[0].x[0] == min(first["parameters"])
    assert "<b>line 2</b>" in points[0].customdata[0]
    assert f"loss {first['loss'][0]:.4f}" in points[0].customdata[0]


def test_a_refused_budget_is_hollow_and_has_no_minimum(document: dict[str, Any]) -> None:
    figure = isoflop.draw(document, LIGHT)
    hollow = [t for t in figure.data if t.mode == "markers" and t.marker.symbol == "circle-open"]
    assert len(hollow) == 1
    assert "budget refused: minimum at" in hollow[0].customdata[0]
    minima = [t for t in figure.data if t.mode == "markers" and t.marker.symbol == "diamond"]
    assert len(minima) == len(BUDGETS) - 1
    assert [line.split(" FLOPs")[0] for line in isoflop.refusals(document)] == ["3×10¹⁷"]


def test_a_minimum_lies_where_the_fit_put_it_with_its_interval(document: dict[str, Any]) -> None:
    figure = isoflop.draw(document, LIGHT)
    profile = document["fits"]["isoflop"]["profiles"][0]
    diamond = next(t for t in figure.data if t.mode == "markers" and t.marker.symbol == "diamond")
    assert (diamond.x[0], diamond.y[0]) == (profile["n_opt"]["value"], profile["loss_opt"]["value"])
    assert diamond.x[0] + diamond.error_x.array[0] == pytest.approx(profile["n_opt"]["high"])


def test_a_parabola_is_drawn_over_the_sizes_that_were_fitted(document: dict[str, Any]) -> None:
    profile = document["fits"]["isoflop"]["profiles"][0]
    profile["fitted"] = [False, True, True, True, True, True, False]
    figure = isoflop.draw(document, LIGHT)
    curve = next(t for t in figure.data if t.mode == "lines")
    assert (curve.x[0], curve.x[-1]) == pytest.approx((profile["parameters"][1], profile["parameters"][5]))
    runs = next(t for t in figure.data if t.mode == "markers" and t.marker.symbol != "diamond")
    assert list(runs.marker.symbol) == ["circle-open", *["circle"] * 5, "circle-open"]
    assert "too far from the minimum" in runs.customdata[0]


def test_a_run_far_above_the_valleys_becomes_a_triangle(document: dict[str, Any]) -> None:
    profile = document["fits"]["isoflop"]["profiles"][0]
    assert isoflop.above(document) == ""
    profile["loss"][-1] = 40.0
    figure = isoflop.draw(document, LIGHT)
    runs = next(t for t in figure.data if t.mode == "markers" and t.marker.symbol != "diamond")
    assert runs.marker.symbol[-1] == "triangle-up"
    assert runs.y[-1] < 6
    assert "loss 40.000" in runs.customdata[-1]
    assert isoflop.above(document).startswith("Triangles: 1 runs above the frame")


def test_no_name_of_a_budget_stands_on_a_triangle() -> None:
    """The name of a curve that leaves the frame beside a run above it moves down; others stay."""
    top = 3.0
    points = [{"parameters": n, "loss": loss} for n, loss in ((1e8, 2.0), (1e9, 2.2), (1e10, 9.0), (3e10, 2.1))]
    figure = go.Figure()
    for size, loss in ((9e9, 2.99), (3e10, 2.1)):
        figure.add_scatter(x=[size], y=[loss], mode="text", text=["10²¹"])
    isoflop_frame.clear_names(figure, points, "right", top)
    near, far = figure.data
    assert near.y[0] == pytest.approx(top - 2 * isoflop_frame.LABEL[1] * (top - 2.0))
    assert far.y[0] == 2.1


def test_an_interpolated_minimum_needs_no_parabola(document: dict[str, Any]) -> None:
    assert isoflop.interpolated(document) == ""
    for profile in document["fits"]["isoflop"]["profiles"]:
        profile["coefficients_n"] = profile["coefficients_d"] = None
    curve = next(t for t in isoflop.draw(document, LIGHT).data if t.mode == "lines")
    assert list(curve.x) == document["fits"]["isoflop"]["profiles"][0]["parameters"]
    assert "interpolated" in isoflop.interpolated(document)


def test_budgets_are_named_where_no_run_stands_in_the_way() -> None:
    free = [{"parameters": 10.0**i, "loss": 3.0, "budget": 1.0} for i in range(5)]
    assert isoflop_frame.side(free) == "right"
    blocked = [*free, *({"parameters": 10.0 ** (4 + i / 20), "loss": 3.0, "budget": 2.0} for i in range(1, 5))]
    assert isoflop_frame.side(blocked) == "left"


def test_budgets_of_a_size_or_two_are_no_profiles(document: dict[str, Any]) -> None:
    for profile in document["fits"]["isoflop"]["profiles"]:
        for name in ("parameters", "tokens", "loss", "fitted"):
            profile[name] = profile[name][:2]
    assert not isoflop.drawable(document)
    with pytest.raises(Missing):
        isoflop.draw(document, LIGHT)


@pytest.mark.parametrize("quantity", [PARAMETERS, TOKENS], ids=lambda q: q.name)
def test_laws_and_bands_are_the_documents(document: dict[str, Any], quantity: Any) -> None:
    figure = allocation_lines.draw(document, LIGHT, quantity)
    for approach in approaches.NAMES:
        band = document["drawing"]["laws"][approach][quantity.name]
        line = named(figure, f"{approaches.NAMES[approach]}:")
        assert list(line.x) == document["drawing"]["compute"]
        assert list(line.y) == band["value"]
        (filled,) = [t for t in figure.data if t.fill == "toself" and t.legendgroup == approach]
        assert list(filled.y) == [*band["high"], *reversed(band["low"])]
    exponent = document["fits"]["isoflop"][quantity.exponent]["value"]
    assert named(figure, "approach 2:").name == f"approach 2: C<sup>{exponent:.3f}</sup>"


def test_published_laws_lie_where_they_lie(document: dict[str, Any]) -> None:
    figure = allocation_lines.draw(document, LIGHT, PARAMETERS)
    for law in document["drawing"]["published"]:
        assert any(t.y is not None and list(t.y) == law["parameters"] for t in figure.data)
    assert sum(t.name == "Hoffmann" and t.showlegend is not False for t in figure.data) == 1


def test_the_compute_of_the_runs_is_shaded(document: dict[str, Any]) -> None:
    (shade,) = allocation_lines.draw(document, LIGHT, PARAMETERS).layout.shapes
    assert (shade.x0, shade.x1) == pytest.approx((1e17, 3e19))
    low, high = allocation_lines.draw(document, LIGHT, PARAMETERS).layout.xaxis.range
    assert 10**high > 90 * shade.x1
    assert 10**low < shade.x0


def test_only_envelope_points_in_the_law_are_drawn(document: dict[str, Any]) -> None:
    points = document["drawing"]["envelope_points"]
    points["used"] = [i % 2 == 0 for i in range(len(points["flops"]))]
    drawn = named(allocation_lines.draw(document, LIGHT, PARAMETERS), "training envelope")
    assert list(drawn.x) == points["flops"][::2]


def test_minima_carry_their_intervals(document: dict[str, Any]) -> None:
    minima = named(allocation_lines.draw(document, LIGHT, TOKENS), "isoFLOP minima")
    profile = document["fits"]["isoflop"]["profiles"][0]
    assert LOPSIDED not in minima.x
    assert minima.y[0] == profile["d_opt"]["value"]
    assert minima.y[0] + minima.error_y.array[0] == pytest.approx(profile["d_opt"]["high"])


def test_a_paper_has_one_colour_in_every_picture(document: dict[str, Any]) -> None:
    lines = allocation_lines.draw(document, DARK, PARAMETERS)
    forest = exponents.draw(document, DARK, "a")
    for name in ("Kaplan", "Besiroglu"):
        colour = papers.paper_of(name, DARK).colour
        assert {t.line.color for t in lines.data if t.name == name} == {colour}
        assert any(f"<b>{name}</b>" in t.customdata[0] and t.marker.color == colour for t in forest.data)


@pytest.mark.parametrize("exponent", ["a", "b"])
def test_the_forest_has_our_exponents_first(document: dict[str, Any], exponent: str) -> None:
    figure = exponents.draw(document, LIGHT, exponent)
    ours = [document["fits"][approach][exponent]["value"] for approach in approaches.NAMES]
    assert [t.x[0] for t in figure.data[:3]] == ours
    printed = {"a": [0.5, 0.49, 0.46], "b": [0.5, 0.51, 0.54]}[exponent]
    assert [t.x[0] for t in figure.data[3:6]] == printed
    words = [a.text for a in figure.layout.annotations]
    assert {"a": "0.46 [0.454, 0.455]", "b": "0.54 [0.542, 0.543]"}[exponent] in words


def test_contours_hold_the_grid_and_their_levels_lie_between_the_losses(document: dict[str, Any]) -> None:
    figure = contours.draw(document, LIGHT)
    lines = [t for t in figure.data if t.type == "contour"]
    grid = document["drawing"]["parametric"]["contours"]
    assert list(lines[0].x) == grid["compute"]
    assert list(lines[0].y) == grid["parameters"]
    assert lines[0].z[7][11] == pytest.approx(grid["loss"][7][11], rel=1e-4)
    levels = [t.contours.start for t in lines]
    assert len(levels) >= 6
    steps = [b - a for a, b in itertools.pairwise(levels)]
    assert steps == pytest.approx([steps[0]] * len(steps))
    assert min(document["runs"]["loss"]) * 0.97 < min(levels)
    assert max(levels) < max(document["runs"]["loss"])
    assert all(t.contours.showlabels for t in lines)


def test_a_run_has_the_colour_of_the_line_of_its_loss(document: dict[str, Any]) -> None:
    figure = contours.draw(document, LIGHT)
    points = figure.data[-1]
    losses = document["runs"]["loss"]
    best, worst = losses.index(min(losses)), losses.index(max(losses))
    span = (min(losses) * 0.97, max(losses))
    assert points.marker.color[worst] == contours.ramp_colour(max(losses), span, LIGHT) == LIGHT.ramp[0]
    assert points.marker.color[best] != points.marker.color[worst]
    assert (points.x[best], points.y[best]) == tuple(document["runs"][k][best] for k in ("flops", "parameters"))
    frontier = named(figure, "efficient frontier")
    assert list(frontier.y) == document["drawing"]["laws"]["parametric"]["parameters"]["value"]


@pytest.mark.parametrize("against", [residuals.COMPUTE, residuals.PARAMETERS], ids=lambda a: a.column)
def test_residuals_are_in_per_cent_and_name_their_lines(document: dict[str, Any], against: Any) -> None:
    figure = residuals.draw(document, LIGHT, against)
    assert sum(len(t.x) for t in figure.data) == 42
    given = {
        (document["runs"][against.column][i], 100 * r): document["runs"]["lines"][i]
        for i, r in enumerate(document["drawing"]["parametric"]["residuals"])
    }
    for trace in figure.data:
        for x, y, words in zip(trace.x, trace.y, trace.customdata, strict=True):
            assert f"<b>line {given[x, y]:.0f}</b>" in words


def test_an_outlier_is_a_triangle_at_the_edge_and_named(document: dict[str, Any]) -> None:
    document["drawing"]["parametric"]["residuals"][3] = -0.5
    figure = residuals.draw(document, LIGHT, residuals.COMPUTE)
    large = named(figure, "5 largest")
    place = list(large.marker.symbol).index("triangle-down")
    assert large.y[place] > -5
    assert "−50.00\u202f%" in large.customdata[place]
    assert "line 5 (−50.0\u202f%)" in residuals.named(document)
    assert "1 runs beyond the frame" in residuals.named(document)


def test_the_cloud_holds_draws_and_intervals(document: dict[str, Any]) -> None:
    figure = cloud.draw(document, LIGHT)
    draws = named(figure, "resamples")
    assert list(draws.x) == document["drawing"]["parametric"]["cloud"]["a"]
    a, E = (document["fits"]["parametric"][name] for name in ("a", "E"))
    across, up = figure.layout.shapes
    assert (across.x0, across.x1, up.y0, up.y1) == (a["low"], a["high"], E["low"], E["high"])
    assert (named(figure, "this fit").x[0], named(figure, "this fit").y[0]) == (a["value"], E["value"])


def test_published_fits_are_in_the_frame_or_named_beside_it(document: dict[str, Any]) -> None:
    fit = document["fits"]["parametric"]
    assert "Hoffmann (a 0.4565, E 1.693)" in cloud.outside(document)
    fit["a"] = {"value": 0.5, "low": 0.45, "high": 0.55, "level": 0.8}
    fit["E"] = {"value": 1.75, "low": 1.65, "high": 1.85, "level": 0.8}
    assert cloud.outside(document) == ""
    besiroglu = named(cloud.draw(document, LIGHT), "Besiroglu")
    assert (besiroglu.x[0], besiroglu.y[0]) == pytest.approx((0.5126, 1.8169), abs=1e-4)


def test_curves_have_a_line_each_and_the_envelope_on_top(document: dict[str, Any]) -> None:
    figure = envelope_curves.draw(document, LIGHT)
    assert sum(t.line.width == 1 for t in figure.data) == len(document["drawing"]["curves"])
    assert sum(t.showlegend is True for t in figure.data) <= envelope_curves.NAMED
    assert list(figure.data[-1].y) == document["fits"]["envelope"]["points"]["loss"]


def test_held_out_losses_lie_against_what_was_measured(document: dict[str, Any]) -> None:
    figure = holdout.draw_values(document, LIGHT, "loss")
    rows = document["holdout"]["fits"]["parametric"]["rows"]
    drawn = named(figure, "approach 3")
    assert list(drawn.x) == [row["measured"] for row in rows]
    assert list(drawn.y) == [row["predicted"]["value"] for row in rows]
    assert drawn.y[0] + drawn.error_y.array[0] == pytest.approx(rows[0]["predicted"]["high"])
    profiles = named(figure, "approach 2")
    assert list(profiles.y) == [r["predicted"]["value"] for r in document["holdout"]["fits"]["isoflop_loss"]["rows"]]


def test_held_out_errors_are_relative_and_in_per_cent(document: dict[str, Any]) -> None:
    figure = holdout.draw_errors(document, LIGHT, "parameters")
    rows = document["holdout"]["fits"]["isoflop"]["rows"]
    drawn = named(figure, "approach 2")
    assert list(drawn.y) == pytest.approx([100 * (r["predicted"]["value"] / r["measured"] - 1) for r in rows])
    low, high = figure.layout.yaxis.range
    assert low < 0 < high


PARTS = (
    ("runs",), ("fits", "isoflop"), ("fits", "parametric"), ("fits", "envelope"), ("holdout",), ("drawing",),
    ("drawing", "laws"), ("drawing", "published"), ("drawing", "parametric"), ("drawing", "parametric", "cloud"),
    ("drawing", "parametric", "contours"), ("drawing", "envelope_points"), ("drawing", "curves"),
)  # fmt: skip


@pytest.mark.parametrize("path", PARTS, ids=".".join)
def test_every_figure_draws_or_says_why_without(document: dict[str, Any], path: tuple[str, ...]) -> None:
    without(document, *path)
    for figure in FIGURES.values():
        assert figure.describe(document)
        assert drawn_or_why(figure, document)


def drawn_or_why(figure: Any, document: dict[str, Any]) -> str:
    """What came of a figure: "drawn", or why not."""
    try:
        figure.draw(document, LIGHT)
    except Missing as why:
        return str(why)
    return "drawn"


def test_axes_of_logarithms_have_ticks(document: dict[str, Any]) -> None:
    for figure in FIGURES.values():
        drawn = figure.draw(document, LIGHT)
        for axis in (drawn.layout.xaxis, drawn.layout.yaxis):
            if axis.type == "log":
                assert len(axis.tickvals) >= 3
                assert all(axis.range[0] <= math.log10(v) <= axis.range[1] + 1e-9 for v in axis.tickvals)
