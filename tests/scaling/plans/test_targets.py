"""Any target as a budget: round trips, closed forms, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.runs.errors import BadInput
from hutch.scaling.plans.cost import hire
from hutch.scaling.plans.figures import Drawn
from hutch.scaling.plans.law_choice import choose_law
from hutch.scaling.plans.loss_laws import choose_loss_law
from hutch.scaling.plans.targets import budget_of, compute_for_loss, the_target
from hutch.scaling.published import BESIROGLU_LAW, LAWS

H100 = hire("h100", mfu=(0.4, 0.4), count=None, dollars_per_hour=None)


def budget(target, value, key="besiroglu", hired=H100):
    law = choose_law(key)
    return budget_of(target, value, law, choose_loss_law(law, None), hired)


@given(st.sampled_from(sorted(LAWS)), st.floats(12, 28))
@settings(max_examples=40, deadline=None)
def test_flops_to_tokens_to_flops(key, log_compute):
    law, compute = choose_law(key), 10**log_compute
    at = Drawn.given(compute)
    assert budget("tokens", law.tokens(at).value, key)[0].value == pytest.approx(compute, rel=1e-9)
    assert budget("parameters", law.parameters(at).value, key)[0].value == pytest.approx(compute, rel=1e-9)


@given(st.sampled_from(["hoffmann-1", "hoffmann-2", "hoffmann-3", "besiroglu", "kaplan"]), st.floats(14, 26))
@settings(max_examples=30, deadline=None)
def test_flops_to_loss_to_flops(key, log_compute):
    law = choose_law(key)
    loss_law, at = choose_loss_law(law, None), Drawn.given(10**log_compute)
    loss = loss_law.loss(law.parameters(at), law.tokens(at)).value
    assert compute_for_loss(loss, law, loss_law).value == pytest.approx(at.value, rel=1e-6)


def test_the_loss_of_a_law_in_closed_form():
    found = budget("loss", BESIROGLU_LAW.loss_opt(1e22))[0].value
    assert found == pytest.approx(1e22, rel=1e-9)


def test_hoffmanns_table_3_by_size():
    assert budget("parameters", 280e9, "hoffmann-1")[0].value == pytest.approx(9.90e24, rel=0.05)
    assert budget("parameters", 280e9, "hoffmann-2")[0].value == pytest.approx(1.18e25, rel=0.05)


def test_hours_and_dollars():
    compute, figure = budget("gpu_hours", 1e6)
    assert compute.value == figure.value == pytest.approx(1e6 * 3600 * 989e12 * 0.4)
    assert figure.low is None
    assert budget("dollars", 2e6)[0].value == pytest.approx(compute.value)  # $2.00 an hour
    ranged = hire("h100", mfu=(0.3, 0.5), count=None, dollars_per_hour=None)
    _, wide = budget("gpu_hours", 1e6, hired=ranged)
    assert (wide.low, wide.value, wide.high) == pytest.approx([1e6 * 3600 * 989e12 * x for x in (0.3, 0.4, 0.5)])
    assert (wide.level, wide.reason) == (None, "from an mfu of 0.3 to 0.5")


def test_draws_are_carried_from_the_target(law_file):
    law = choose_law(law_file)
    loss_law = choose_loss_law(law, None)
    compute = compute_for_loss(2.2, law, loss_law)
    reached = loss_law.loss(law.parameters(compute), law.tokens(compute))
    assert reached.draws == pytest.approx(np.full(len(reached.draws), 2.2), rel=1e-9)
    tokens = law.tokens(law.compute_for_tokens(Drawn.given(1e11)))
    assert tokens.draws == pytest.approx(np.full(len(tokens.draws), 1e11), rel=1e-9)


def test_profiles_reach_a_loss_through_their_minima(profiles_file):
    law = choose_law(profiles_file)
    loss_law = choose_loss_law(law, None)
    compute = compute_for_loss(2.2, law, loss_law)
    assert loss_law.lowest(compute).value == pytest.approx(2.2)


def test_a_loss_at_or_below_the_floor_is_refused_with_both_numbers():
    with pytest.raises(BadInput, match=r"a loss of 1\.5 cannot be reached: it lies 0\.3169 nats.* below 1\.8169"):
        budget("loss", 1.5)
    with pytest.raises(BadInput, match="it is the loss E that Besiroglu leaves at any compute"):
        budget("loss", BESIROGLU_LAW.E)
    with pytest.raises(BadInput, match=r"takes more than 1e\+60 FLOP"):
        budget("loss", BESIROGLU_LAW.E + 1e-12)
    with pytest.raises(BadInput, match="takes less than 1 FLOP"):
        budget("loss", 1e5)
    with pytest.raises(BadInput, match="a loss cannot be aimed at: Llama 3 publishes no loss law"):
        budget("loss", 2.0, "llama3")


def test_exactly_one_target():
    assert the_target({"flops": 1e20}) == ("flops", 1e20)
    with pytest.raises(BadInput, match=r"exactly one of flops, gpu_hours, .* is needed, not none"):
        the_target({})
    with pytest.raises(BadInput, match="not flops and loss"):
        the_target({"flops": 1.0, "loss": 2.0})
    for bad in (0.0, -1.0, float("nan"), float("inf"), "much"):
        with pytest.raises(BadInput, match="flops is"):
            the_target({"flops": bad})
