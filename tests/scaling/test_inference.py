import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.runs.errors import BadInput
from hutch.scaling.devices import DEVICES, Rate
from hutch.scaling.inference import inference_optimum
from hutch.scaling.inference_costs import cost_optimum
from hutch.scaling.laws import ParametricLaw
from hutch.scaling.published import SARDANA_LAW

laws = st.builds(
    ParametricLaw,
    E=st.floats(0.3, 3),
    A=st.floats(10, 3000),
    B=st.floats(10, 30000),
    alpha=st.floats(0.1, 1.5),
    beta=st.floats(0.1, 1.5),
)


def test_published_loss():
    assert SARDANA_LAW.loss(70e9, 1e12) == pytest.approx(1.947273, abs=5e-7)


def test_published_optimum_for_two_trillion_served_tokens():
    best = inference_optimum(SARDANA_LAW, target_loss=1.947, inference_tokens=2e12)
    assert best.parameters == pytest.approx(2.4184e10, rel=5e-5)
    assert best.tokens == pytest.approx(2.6571e12, rel=5e-5)
    assert best.parameters_ratio == pytest.approx(0.7096, abs=5e-5)
    assert best.tokens_ratio == pytest.approx(1.4677, abs=5e-5)
    assert best.lifetime_flops_ratio == pytest.approx(0.9522, abs=5e-5)
    assert best.parameters_chinchilla == pytest.approx(3.4081e10, rel=5e-5)
    assert best.tokens_chinchilla == pytest.approx(1.8103e12, rel=5e-5)
    assert best.loss == pytest.approx(1.947, rel=1e-14)


def test_published_chinchilla_point_and_its_lifetime():
    compute = SARDANA_LAW.compute_for_parameters(30e9)
    assert compute == pytest.approx(2.801e23, rel=3e-4)
    # A round trip through D: with κ inside the power it would be off by 4.52.
    assert SARDANA_LAW.compute_for_tokens(SARDANA_LAW.d_opt(compute)) == pytest.approx(compute)
    assert SARDANA_LAW.d_opt(compute) == pytest.approx(1.556e12, rel=3e-4)
    assert SARDANA_LAW.loss_opt(compute) == pytest.approx(1.958253360475841, rel=1e-15)
    assert compute + 2 * 30e9 * 1e9 * 600 == pytest.approx(3.161e23, rel=3e-4)


def test_published_optimum_for_money():
    train = Rate.of(DEVICES["a100-80gb"], utilisation=0.5, dollars_per_hour=1.40)
    prefill, decode = (Rate.of(DEVICES["a100-40gb"], bits=8, utilisation=u, dollars_per_hour=0.60) for u in (0.4, 0.2))
    hired = {"tokens_in": 1e13, "tokens_out": 2.5e12, "training": train, "prefill": prefill, "decode": decode}
    best = cost_optimum(SARDANA_LAW, target_loss=1.947, **hired)
    assert best.parameters == pytest.approx(2.0527e10, rel=5e-5)
    assert best.tokens == pytest.approx(3.3021e12, rel=5e-5)
    assert best.parameters_ratio == pytest.approx(0.6023, abs=5e-5)
    assert best.tokens_ratio == pytest.approx(1.8241, abs=5e-5)
    assert best.dollars_ratio == pytest.approx(0.8876, abs=5e-5)
    # By hand: 6·N·D FLOP at half of 312e12 a second, $1.40 an hour.
    assert best.training_dollars == pytest.approx(6 * best.parameters * best.tokens / 156e12 / 3600 * 1.40)
    # What it costs buys no better model.
    assert cost_optimum(SARDANA_LAW, dollars=best.dollars, **hired).loss == pytest.approx(1.947, rel=1e-12)
    assert best.as_dict()["dollars"] == pytest.approx(best.dollars)


def test_at_one_price_for_a_flop_money_is_compute():
    rate = Rate(dollars_per_hour=2.0, peak=1e15, utilisation=0.5)
    priced = cost_optimum(
        SARDANA_LAW, compute=1e23, tokens_in=3e11, tokens_out=7e11, training=rate, prefill=rate, decode=rate
    )
    counted = inference_optimum(SARDANA_LAW, compute=1e23, inference_tokens=1e12)
    assert priced.parameters == pytest.approx(counted.parameters)
    assert priced.dollars_ratio == pytest.approx(counted.lifetime_flops_ratio)


@settings(max_examples=80, deadline=None)
@given(law=laws, ln_c=st.floats(40, 62), kappa=st.floats(4, 12))
def test_without_serving_it_is_the_training_optimum(law, ln_c, kappa):
    compute = float(np.exp(ln_c))
    for given_ in ({"compute": compute}, {"budget": compute}):
        best = inference_optimum(law, inference_tokens=0, flops_per_nd=kappa, **given_)
        assert best.parameters == pytest.approx(law.n_opt(compute, kappa), rel=1e-6)
        assert best.tokens == pytest.approx(law.d_opt(compute, kappa), rel=1e-6)
        assert best.lifetime_flops_ratio == pytest.approx(1)


def _moved(law, n, d, by):
    """A model of the same loss with exp(by) times the tokens."""
    d_moved = d * np.exp(by)
    gap = law.A * n**-law.alpha + law.B * d**-law.beta - law.B * d_moved**-law.beta
    return (gap / law.A) ** (-1 / law.alpha), d_moved


@settings(max_examples=80, deadline=None)
@given(law=laws, ln_c=st.floats(40, 62), ln_served=st.floats(-5, 8), kappa=st.floats(4, 12))
def test_no_model_of_the_same_loss_costs_less_over_its_life(law, ln_c, ln_served, kappa):
    compute = float(np.exp(ln_c))
    served = float(law.d_opt(compute, kappa) * np.exp(ln_served))
    best = inference_optimum(law, compute=compute, inference_tokens=served, flops_per_nd=kappa)

    def lifetime(by):
        n, d = _moved(law, best.parameters, best.tokens, by)
        return n * (kappa * d + 2 * served) / best.lifetime_flops

    assert lifetime(0) == pytest.approx(1)
    # First order: the slope by central differences is none; second order: both sides cost more.
    assert (lifetime(1e-4) - lifetime(-1e-4)) / 2e-4 == pytest.approx(0, abs=1e-6)
    assert lifetime(0.05) > 1
    assert lifetime(-0.05 * best.lifetime_flops_ratio) > 1
    assert best.lifetime_flops_ratio <= 1 + 1e-12
    assert best.parameters <= law.n_opt(compute, kappa) * (1 + 1e-9)


@settings(max_examples=80, deadline=None)
@given(law=laws, ln_c=st.floats(40, 62), share=st.floats(0.01, 0.999), kappa=st.floats(4, 12))
def test_a_lifetime_budget_is_spent_whole_and_best(law, ln_c, share, kappa):
    budget = float(np.exp(ln_c))
    served = float(law.d_opt(budget, kappa) * share / (1 - share))
    best = inference_optimum(law, budget=budget, inference_tokens=served, flops_per_nd=kappa)
    assert best.lifetime_flops == pytest.approx(budget, rel=1e-9)
    d = best.tokens * np.exp(np.linspace(-6, 6, 2001))
    loss = law.loss(budget / (kappa * d + 2 * served), d)
    assert best.loss <= loss.min() * (1 + 1e-13)
    # The other way round: this budget is the least for that loss.
    if best.loss - law.E > 1e-6:
        again = inference_optimum(law, target_loss=best.loss, inference_tokens=served, flops_per_nd=kappa)
        assert again.lifetime_flops == pytest.approx(budget, rel=1e-6)


def test_more_serving_means_a_smaller_model_trained_longer():
    served = np.concatenate([[0], np.geomspace(1e9, 1e16, 200)])
    best = inference_optimum(SARDANA_LAW, target_loss=2.0, inference_tokens=served)
    assert np.all(np.diff(best.parameters) < 0)
    assert np.all(np.diff(best.tokens) > 0)
    assert np.all(np.diff(best.lifetime_flops) > 0)
    assert np.all(np.diff(best.lifetime_flops_ratio) < 0)
    one = inference_optimum(SARDANA_LAW, target_loss=2.0, inference_tokens=float(served[50]))
    assert one.parameters == best.parameters[50]
    assert isinstance(one.parameters, float)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"target_loss": 1.5}, r"1\.5 is not above 1\.69"),
        ({"target_loss": 1.69}, r"1\.69 is not above 1\.69"),
        ({}, "one of target_loss, compute and budget"),
        ({"target_loss": 2.0, "compute": 1e21}, "target_loss and compute"),
        ({"target_loss": 2.0, "inference_tokens": -1}, "inference_tokens"),
        ({"budget": 0}, "budget"),
    ],
)
def test_refusals(arguments, words):
    with pytest.raises(BadInput, match=words):
        inference_optimum(SARDANA_LAW, **{"inference_tokens": 1e12, **arguments})


def test_a_loss_a_hair_above_the_floor_is_refused_where_no_float_holds_the_answer():
    flat = ParametricLaw(E=1.5, A=400, B=400, alpha=0.03, beta=0.03)
    with pytest.raises(BadInput, match="too near the law's E"):
        inference_optimum(flat, target_loss=1.5 + 1e-9, inference_tokens=1e12)


def test_devices_and_rates():
    assert DEVICES["a100-80gb"].peak(16) == pytest.approx(3.12e14)
    assert DEVICES["a100-40gb"].peak(8) == pytest.approx(6.24e14)
    assert DEVICES["h100"].peak(16) == pytest.approx(9.89e14)
    assert DEVICES["h100"].peak(8) == pytest.approx(1.978e15, rel=1e-3)
    assert [DEVICES[key].dollars_per_hour for key in ("a100-40gb", "a100-80gb", "h100")] == [1.10, 1.50, 2.00]
    for device in DEVICES.values():
        assert device.source
        assert 1e14 < device.peak_16bit <= device.peak_8bit
        assert device.as_dict()["name"] == device.name
    assert Rate.of(DEVICES["h100"], utilisation=0.5).dollars_per_flop == pytest.approx(2 / 3600 / 989e12 / 0.5)
    with pytest.raises(BadInput, match="no default price"):
        Rate.of(DEVICES["b200"], utilisation=0.5)
    with pytest.raises(BadInput, match="utilisation"):
        Rate.of(DEVICES["h100"], utilisation=1.5)
    with pytest.raises(BadInput, match="8 or 16"):
        DEVICES["h100"].peak(4)
