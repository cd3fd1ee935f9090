"""Figures draw what the analysis says, where it says it."""

import math
from typing import Any

import numpy as np
import pytest

from hutch.reports import forests, growth, published, themes, training_curves, valleys
from hutch.reports.reading import Missing


def traces(figure: Any, **wanted: Any) -> list[Any]:
    """The traces whose attributes have these values."""
    return [t for t in figure.data if all(getattr(t, k) == v for k, v in wanted.items())]


def test_valley_minimum_carries_its_interval(analysis: dict[str, Any]) -> None:
    figure = valleys.draw(analysis, themes.LIGHT)
    profile = analysis["fits"]["profiles"]["profiles"][0]
    minimum = next(t for t in figure.data if t.mode == "markers" and t.marker.symbol == "diamond")
    assert minimum.x[0] == profile["n_opt"]["value"]
    assert minimum.x[0] + minimum.error_x.array[0] == pytest.approx(profile["n_opt"]["high"])
    assert minimum.x[0] - minimum.error_x.arrayminus[0] == pytest.approx(profile["n_opt"]["low"])


def test_valley_curve_is_the_given_polynomial_in_log_n(analysis: dict[str, Any]) -> None:
    figure = valleys.draw(analysis, themes.LIGHT)
    profile = analysis["fits"]["profiles"]["profiles"][0]
    curve = traces(figure, mode="lines")[0]
    c0, c1, c2 = profile["coefficients_n"]
    assert curve.y[7] == pytest.approx(c2 * math.log(curve.x[7]) ** 2 + c1 * math.log(curve.x[7]) + c0)
    assert (curve.x[0], curve.x[-1]) == pytest.approx((min(profile["parameters"]), max(profile["parameters"])))


def test_the_held_out_valley_shows_all_its_models(analysis: dict[str, Any]) -> None:
    figure = valleys.draw(analysis, themes.LIGHT)
    (held_out,) = [t for t in figure.data if t.mode == "markers" and t.marker.symbol == "square"]
    mine = [run for run in analysis["runs"] if run["id"] in ("small", "opt", "gopher")]
    assert list(held_out.x) == [run["parameters"] for run in mine]
    assert ["(holdout)" in held_out.customdata[0], "(gopher-like)" in held_out.customdata[2]] == [True, True]


def test_growth_draws_published_slopes_through_the_centre(analysis: dict[str, Any]) -> None:
    figure = growth.draw(analysis, themes.LIGHT, growth.PARAMETERS)
    kaplan = next(t for t in figure.data if t.name and t.name.startswith("Kaplan"))
    slope = math.log(kaplan.y[2] / kaplan.y[0]) / math.log(kaplan.x[2] / kaplan.x[0])
    assert slope == pytest.approx(0.73)
    minima = [p["n_opt"]["value"] for p in analysis["fits"]["profiles"]["profiles"]]
    assert kaplan.y[1] == pytest.approx(np.exp(np.mean(np.log(minima))))


def test_growth_shows_prediction_and_measurement(analysis: dict[str, Any]) -> None:
    figure = growth.draw(analysis, themes.LIGHT, growth.PARAMETERS)
    (star,) = traces(figure, name="predicted")
    (ring,) = traces(figure, name="measured")
    assert star.y[0] == analysis["extrapolation"]["parameters_predicted"]["value"]
    assert ring.y[0] == analysis["extrapolation"]["parameters_measured"]["value"]
    tokens = growth.draw(analysis, themes.LIGHT, growth.TOKENS)
    assert traces(tokens, name="measured") == []


def spans(figure: Any) -> tuple[float, float]:
    """What the vertical, logarithmic axis spans."""
    low, high = figure.layout.yaxis.range
    return 10**low, 10**high


def test_growth_holds_the_measured_interval(analysis: dict[str, Any]) -> None:
    measured = analysis["extrapolation"]["parameters_measured"]
    measured["low"], measured["high"] = measured["value"] / 5, measured["value"] * 5
    assert spans(growth.draw(analysis, themes.LIGHT, growth.PARAMETERS))[1] > measured["high"]


def test_an_interval_of_many_decades_does_not_flatten_the_rest(analysis: dict[str, Any]) -> None:
    predicted = analysis["extrapolation"]["parameters_predicted"]
    predicted["low"], predicted["high"] = predicted["value"] * 1e-9, predicted["value"] * 1e9
    low, high = spans(growth.draw(analysis, themes.LIGHT, growth.PARAMETERS))
    minima = [p["n_opt"]["value"] for p in analysis["fits"]["profiles"]["profiles"]]
    assert low == pytest.approx(min(minima) / growth.REACH / 1.6)
    assert high == pytest.approx(predicted["value"] * growth.REACH * 1.6)


def test_forest_rows_read_from_top_to_bottom(analysis: dict[str, Any]) -> None:
    figure = forests.draw_exponents(analysis, themes.LIGHT)
    names = [a.text for a in figure.layout.annotations if a.x == 0]
    assert names[0].startswith("ours, approach 1")
    assert names[-1] == "Kaplan"
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]


def test_forest_of_the_test_has_overall_first(analysis: dict[str, Any]) -> None:
    figure = forests.draw_test(analysis, themes.LIGHT)
    assert [t.x[0] for t in figure.data] == [-0.09, -0.11, -0.07, 0.02]


def test_a_test_row_has_a_colour_only_where_its_interval_leaves_zero_out(analysis: dict[str, Any]) -> None:
    subsets = analysis["chinchilla_test"]["subsets"]
    subsets[1]["difference"] = {"value": -0.0004, "low": -0.0009, "high": 0.0001, "level": 0.8}
    figure = forests.draw_test(analysis, themes.LIGHT)
    light = themes.LIGHT
    assert [t.marker.color for t in figure.data] == [light.optimal, light.optimal, light.muted, light.other]
    assert "−0.0004 [−0.0009, 0.0001]" in [a.text for a in figure.layout.annotations]


def test_envelope_lies_where_the_analysis_put_it(analysis: dict[str, Any]) -> None:
    figure = training_curves.draw(analysis, themes.DARK)
    points = analysis["fits"]["envelope"]["points"]
    (pale,), (envelope,) = traces(figure, name="envelope, not in the law"), traces(figure, name="envelope")
    assert list(pale.y) == points["loss"]
    assert pale.opacity < envelope.opacity
    assert list(envelope.y) == [None] * 18 + points["loss"][18:]
    assert "at 50\u202f% of its run" in envelope.customdata[0]
    del points["used"]
    figure = training_curves.draw(analysis, themes.DARK)
    assert traces(figure, name="envelope, not in the law") == []
    assert list(traces(figure, name="envelope")[0].y) == points["loss"]


@pytest.mark.parametrize("theme", themes.THEMES, ids=lambda t: t.name)
def test_budget_palette_runs_one_way_in_lightness(theme: themes.Theme) -> None:
    budgets = [10.0**k for k in range(13, 20)]
    colours = themes.budget_colours(budgets, theme)
    light = [np.dot([int(colours[b][i : i + 2], 16) for i in (1, 3, 5)], (0.2126, 0.7152, 0.0722)) for b in budgets]
    steps = np.diff(light)
    assert (steps < 0).all() if theme.name == "light" else (steps > 0).all()


def test_one_budget_has_a_colour() -> None:
    assert themes.budget_colours([1e15], themes.LIGHT) == {1e15: themes.LIGHT.ramp[0]}


def test_nothing_to_draw_says_why(refused_analysis: dict[str, Any]) -> None:
    for draw in (
        lambda a, t: growth.draw(a, t, growth.TOKENS),
        forests.draw_exponents,
        forests.draw_test,
    ):
        with pytest.raises(Missing, match="interior minimum"):
            draw(refused_analysis, themes.LIGHT)
    with pytest.raises(Missing, match="No run"):
        valleys.draw({}, themes.LIGHT)


def test_curve_of_a_diverged_run_may_hold_gaps(analysis: dict[str, Any]) -> None:
    analysis["runs"][0]["curve"]["loss"] = [None for _ in analysis["runs"][0]["curve"]["loss"]]
    analysis["runs"][1]["curve"]["loss"][-1] = None
    figure = training_curves.draw(analysis, themes.LIGHT)
    drawn = [t for t in figure.data if not t.name.startswith("envelope")]
    assert len(drawn) == len(analysis["runs"]) - 1


def test_results_of_one_paper_share_their_look(analysis: dict[str, Any]) -> None:
    hoffmann, kaplan = published.families(analysis, themes.LIGHT)
    assert (hoffmann.name, len(hoffmann.results), kaplan.name) == ("Hoffmann", 3, "Kaplan")
    assert hoffmann.colour != kaplan.colour
    assert hoffmann.dash != kaplan.dash


def test_band_stops_where_its_interval_is_unbounded(analysis: dict[str, Any]) -> None:
    analysis["bands"]["profiles"]["parameters"]["high"][-1] = None
    figure = growth.draw(analysis, themes.LIGHT, growth.PARAMETERS)
    (band,) = traces(figure, fill="toself")
    assert len(band.x) == 2 * (len(analysis["bands"]["compute"]) - 1)


def test_the_approach_that_predicts_is_the_one_drawn(analysis: dict[str, Any]) -> None:
    analysis["extrapolation"]["approach"] = "envelope"
    analysis["bands"]["envelope"] = analysis["bands"]["profiles"]
    figure = growth.draw(analysis, themes.LIGHT, growth.PARAMETERS)
    (ours,) = [t.name for t in figure.data if t.name and t.name.startswith("ours")]
    assert ours == "ours, approach 1: 0.48, 80\u202f% band"
