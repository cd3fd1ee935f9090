"""Other sizes at the same compute, ten times the compute, serving and limited data."""

import pytest

from hutch.scaling.inference import inference_optimum
from hutch.scaling.plans.alternatives import SIZES, other_sizes, tenfold
from hutch.scaling.plans.figures import Drawn
from hutch.scaling.plans.law_choice import choose_law
from hutch.scaling.plans.limits import limited, served
from hutch.scaling.plans.loss_laws import choose_loss_law
from hutch.scaling.published import BESIROGLU_LAW, LAWS
from hutch.scaling.repetition import MUENNIGHOFF, RepeatedDataLaw


def sizes(key, compute=5.76e23, loss_key=None):
    law = choose_law(key)
    at = Drawn.given(compute)
    return other_sizes(law, choose_loss_law(law, loss_key), at, law.parameters(at), law.tokens(at))


def test_other_sizes_spend_the_same_and_do_worse():
    rows = sizes("besiroglu")
    assert [row.factor for row in rows] == list(SIZES)
    for row in rows:
        assert 6 * row.parameters * row.tokens == pytest.approx(5.76e23)
        assert row.loss.value == pytest.approx(BESIROGLU_LAW.loss(row.parameters, row.tokens))
        wasted = 1 - row.equal_compute.value / 5.76e23
        assert row.wasted.value == pytest.approx(wasted)
        assert BESIROGLU_LAW.loss_opt(row.equal_compute.value) == pytest.approx(row.loss.value, abs=1e-12)
    assert [row.wasted.value for row in rows] == sorted([row.wasted.value for row in rows[:2]], reverse=True) + sorted(
        [row.wasted.value for row in rows[2:]]
    )
    assert rows[1].wasted.value == pytest.approx(0.1555, abs=1e-4)


def test_the_wasted_share_does_not_depend_on_the_budget():
    """Under E + A·N^−α + B·D^−β both reducible terms scale alike along the optimum."""
    small, large = sizes("besiroglu", 1e20), sizes("besiroglu", 1e26)
    assert [r.wasted.value for r in small] == pytest.approx([r.wasted.value for r in large], abs=1e-9)


def test_kaplan_finds_a_wide_valley():
    """§6.1, Figure 12: 0.6 to 2.2 times the optimal size cost about 20 % more compute."""
    rows = {row.factor: row.wasted.value for row in sizes("kaplan", 1e21)}
    assert 0.15 < rows[2.0] < 0.3


def test_a_foreign_loss_law_may_favour_another_size():
    rows = {row.factor: row for row in sizes("hoffmann-2")}
    assert rows[0.5].difference.value < 0
    assert rows[0.5].wasted.value < 0


def test_draws_give_intervals(law_file):
    rows = sizes(law_file, 1e21)
    for row in rows:
        assert row.loss.low < row.loss.value < row.loss.high
        if row.factor != 1:
            assert 0 < row.wasted.low < row.wasted.value < row.wasted.high < 1
            assert row.difference.low > 0  # the same draw on both sides: never an interval of two losses


@pytest.mark.parametrize(
    ("key", "parameters", "tokens"),
    [("kaplan", 5.37, 1.86), ("hoffmann-1", 3.15, 3.18), ("besiroglu", 3.26, 3.07), ("llama3", 2.90, 3.44)],
)
def test_ten_times_the_compute(key, parameters, tokens):
    found = tenfold(choose_law(key))
    assert found.parameters.value == pytest.approx(parameters, abs=5e-3)
    assert found.tokens.value == pytest.approx(tokens, abs=5e-3)
    assert [row.key for row in found.published] == list(LAWS)


def test_tenfold_of_a_fit_has_the_interval_of_its_exponent(law_file):
    law = choose_law(law_file)
    found = tenfold(law).parameters
    assert found.low == pytest.approx(10 ** law.exponent("a").low)
    assert found.low < found.value < found.high


def test_serving_as_the_law_of_the_room_has_it():
    loss_law = choose_loss_law(choose_law("besiroglu"), None)
    found = served(loss_law, Drawn.given(1.97), 2e12)
    theirs = inference_optimum(BESIROGLU_LAW, inference_tokens=2e12, target_loss=1.97)
    assert found.parameters.value == theirs.parameters
    assert found.lifetime_flops_ratio.value == theirs.lifetime_flops_ratio < 1
    assert found.parameters_ratio.value < 1 < found.tokens_ratio.value
    assert found.training_flops_ratio.value > 1
    assert found.parameters.reason.startswith("no draws")


def test_serving_with_draws(law_file):
    law = choose_law(law_file)
    loss_law, at = choose_loss_law(law, None), Drawn.given(1e21)
    found = served(loss_law, loss_law.loss(law.parameters(at), law.tokens(at)), 1e12)
    assert found.parameters.low < found.parameters.value < found.parameters.high
    assert found.lifetime_flops_ratio.high <= 1


def test_limited_data_as_the_repeated_data_law_has_it():
    loss_law = choose_loss_law(choose_law("besiroglu"), "muennighoff")
    found = limited(loss_law, Drawn.given(1e22), 25e9, 6.0)
    theirs = MUENNIGHOFF.optimal(1e22, 25e9)
    assert found.tokens.value == pytest.approx(2.3720879e11, rel=1e-6)
    assert found.parameters.value == pytest.approx(theirs.parameters)
    assert found.epochs.value == pytest.approx(9.49, abs=5e-3)
    assert found.penalty.value == pytest.approx(theirs.loss - theirs.loss_unlimited)
    assert not found.enough


def test_enough_unique_tokens_change_nothing(law_file):
    law = choose_law(law_file)
    loss_law = choose_loss_law(law, None)
    found = limited(loss_law, Drawn.given(1e20), 1e13, 6.0)
    assert found.enough
    assert found.penalty.value == pytest.approx(0, abs=1e-12)
    few = limited(loss_law, Drawn.given(1e20), 1e8, 6.0)
    assert few.penalty.low < few.penalty.value < few.penalty.high
    repeated = RepeatedDataLaw(loss_law.parametric, MUENNIGHOFF.r_d_star, MUENNIGHOFF.r_n_star)
    assert few.loss.value == pytest.approx(repeated.optimal(1e20, 1e8).loss)
