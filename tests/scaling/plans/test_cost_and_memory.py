"""Time, money and memory, by hand."""

import pytest

from hutch.runs.errors import BadInput
from hutch.scaling.devices import DEVICES
from hutch.scaling.plans.cost import cost_of, hire
from hutch.scaling.plans.figures import Figure
from hutch.scaling.plans.memory import BYTES_PER_PARAMETER, activations_of, memory_of
from hutch.scaling.shapes import CHINCHILLA, Shape

GPT_3 = Shape(layers=96, width=12288, heads=96, key_size=128, feed_forward=49152, vocabulary=51200, context=2048)


def test_hours_days_and_dollars_by_hand():
    hired = hire("h100", mfu=(0.4, 0.4), count=1000, dollars_per_hour=3.0)
    cost = cost_of(Figure(value=5.76e23, reason="given"), hired)
    hours = 5.76e23 / (989e12 * 0.4 * 3600)
    assert cost.gpu_hours.value == pytest.approx(hours)
    assert cost.dollars.value == pytest.approx(3 * hours)
    assert cost.days.value == pytest.approx(hours / 1000 / 24)
    assert (cost.devices_for_a_month - 1) * 720 < hours <= cost.devices_for_a_month * 720


def test_a_range_of_mfu_gives_a_range_of_time():
    cost = cost_of(Figure(value=1e22), hire("h100", mfu=(0.25, 0.5), count=8, dollars_per_hour=None))
    assert cost.gpu_hours.high == pytest.approx(2 * cost.gpu_hours.low)
    assert cost.gpu_hours.low < cost.gpu_hours.value < cost.gpu_hours.high
    assert cost.days.low == pytest.approx(cost.gpu_hours.low / 8 / 24)
    assert cost.dollars.reason == "from an mfu of 0.25 to 0.5"


def test_the_interval_of_compute_is_that_of_time():
    compute = Figure(value=2e22, low=1e22, high=4e22, level=0.8)
    cost = cost_of(compute, hire(None, mfu=None, count=None, dollars_per_hour=None))
    assert cost.dollars.high == pytest.approx(4 * cost.dollars.low)
    assert cost.dollars.level == 0.8
    assert "--devices" in cost.days.reason


def test_a_device_without_a_price():
    hired = hire("b200", mfu=None, count=None, dollars_per_hour=None)
    assert "--price" in cost_of(Figure(value=1e22), hired).dollars.reason
    with pytest.raises(BadInput, match="b200 has no price of ours; give the dollars per hour of one with --price"):
        hired.hours_of_dollars(1e6)
    assert hire("b200", mfu=None, count=None, dollars_per_hour=5.0).hours_of_dollars(1e6) == 2e5


def test_bad_devices():
    with pytest.raises(BadInput, match="there is no device 'abacus': choose one of a100-40gb"):
        hire("abacus", mfu=None, count=None, dollars_per_hour=None)
    with pytest.raises(BadInput, match=r"mfu is 0\.5:0\.3"):
        hire("h100", mfu=(0.5, 0.3), count=None, dollars_per_hour=None)
    with pytest.raises(BadInput, match="devices is 0"):
        hire("h100", mfu=None, count=0, dollars_per_hour=None)
    with pytest.raises(BadInput, match="price is -1"):
        hire("h100", mfu=None, count=None, dollars_per_hour=-1.0)


def test_sixteen_bytes_a_parameter():
    assert [sum(parts.values()) for parts in BYTES_PER_PARAMETER.values()] == [16, 16]
    memory = memory_of(7e10, CHINCHILLA, DEVICES["h100"])
    assert memory.states == pytest.approx(1.12e12)
    assert (memory.weights, memory.optimizer) == pytest.approx((1.4e11, 8.4e11))
    assert memory.devices_for_states == 14
    assert memory_of(7e10, CHINCHILLA, DEVICES["h100"], precision="float32").weights == pytest.approx(2.8e11)


def test_gpt_3s_attention_scores_are_80_to_34():
    """Korthikanti et al. 2022: for GPT-3, 5·a·s/h is 80 beside 34."""
    kept = activations_of(GPT_3)
    layer = GPT_3.context * GPT_3.width
    ends = layer + 4 * layer + 4 * GPT_3.context * GPT_3.vocabulary
    assert kept.stored == 96 * layer * (34 + 80) + ends
    assert kept.without_scores == 96 * layer * 34 + ends
    assert kept.recomputed == 96 * layer * 2 + 34 * layer + ends
    assert 1.3 < kept.recomputation < 4 / 3


def test_masks_stay_at_one_byte_in_float32():
    layer = GPT_3.context * GPT_3.width
    wide = activations_of(GPT_3, "float32")
    scores = 96 * 96 * GPT_3.context**2
    assert wide.stored - wide.without_scores == 9 * scores
    assert wide.without_scores - activations_of(GPT_3).without_scores == 96 * 32 * layer + 4 * layer


def test_no_shape_no_activations():
    memory = memory_of(1e5, None, DEVICES["h100"], why="the vocabulary is too large")
    assert memory.activations_per_sequence is None
    assert memory.activations_reason == "the vocabulary is too large"
    with pytest.raises(BadInput, match="precision is 'int3'"):
        memory_of(1e5, None, DEVICES["h100"], precision="int3")
