"""The pure parts of the analysis, against numbers worked out by hand."""

import math

import numpy as np
import pytest

from hutch.studies.retrieval.claims import above_zero, every, shown_multiplier, within
from hutch.studies.retrieval.copying import LEAST_CHUNKS, gain_at
from hutch.studies.retrieval.costs import database_flops, join_flops, search_flops
from hutch.studies.retrieval.document import in_words
from hutch.studies.retrieval.multiplier import equivalent, frontier_of, told
from hutch.studies.retrieval.resampling import Figure, Resamples, mean, slope
from hutch.studies.retrieval.scores import HeldOut, bits_per_byte


def held_out():
    """Two documents: chunks of 64 and 6 tokens, and of 3."""
    return HeldOut(
        document=np.array([0, 0, 1]), bytes=np.array([100, 10, 5]), tokens=np.array([64, 6, 3]),
        by_neighbours=np.zeros(3), exact=np.zeros(3), subset=np.array([0, 1]),
    )  # fmt: skip


def test_tokens_are_summed_by_chunk_and_document():
    nats = np.ones(73)
    text = held_out()
    assert text.by_chunk(nats).tolist() == [64, 6, 3]
    assert text.by_document(text.by_chunk(np.stack([nats, 2 * nats]))).tolist() == [[70, 3], [140, 6]]
    assert text.document_bytes.tolist() == [110, 5]


def test_bits_per_byte_counts_every_byte_once():
    """A byte that costs ln 2 nats costs one bit."""
    assert bits_per_byte(np.array([3, 5]) * math.log(2), np.array([2, 2])) == pytest.approx(2.0)


def test_resamples_keep_each_subset_and_pair_the_models():
    subset, size = np.array([0, 0, 0, 1, 1]), np.full(5, 10.0)
    resamples = Resamples.draw(subset, size, 400, seed=3)
    assert (resamples.weights_bd[:, subset == 0].sum(1) == 3).all()
    assert (resamples.weights_bd[:, subset == 1].sum(1) == 2).all()
    nats = np.array([1.0, 9.0, 2.0, 30.0, 5.0])
    gap = resamples.bits_per_byte(nats + 1) - resamples.bits_per_byte(nats)
    assert gap.value == pytest.approx(5 / (50 * math.log(2)))
    assert np.ptp(gap.draws) < 1e-12
    assert gap.interval(0.9).low == pytest.approx(gap.value)
    again = Resamples.draw(subset, size, 400, seed=3)
    assert np.array_equal(resamples.weights_bd, again.weights_bd)


def test_a_mask_leaves_only_its_documents():
    resamples = Resamples.draw(np.zeros(3, int), np.array([10.0, 10, 10]), 50, seed=0)
    figure = resamples.bits_per_byte(np.array([1.0, 2, 300]), np.array([True, True, False]))
    assert figure.value == pytest.approx(3 / (20 * math.log(2)))


def test_a_slope_is_that_of_the_least_squares_line():
    figures = [Figure(y, np.array([y, 2 * y])) for y in (1.0, 3.0, 4.0)]
    line = slope([0, 1, 2], figures)
    assert line.value == pytest.approx(1.5)
    assert line.draws.tolist() == pytest.approx([1.5, 3.0])
    assert mean(figures).value == pytest.approx(8 / 3)


FLOPS, FRONTIER = np.array([1.0, 4.0, 16.0]), np.array([3.0, 2.0, 1.5])


@pytest.mark.parametrize(
    ("target", "flops"),
    [(3.0, 1.0), (2.5, 2.0), (2.0, 4.0), (1.75, 8.0), (1.5, 16.0), (3.1, 0.0), (1.4, math.inf)],
)
def test_the_frontier_is_read_by_the_logarithm_of_compute(target, flops):
    assert equivalent(FLOPS, FRONTIER, target) == pytest.approx(flops)


def test_a_frontier_takes_the_best_of_each_level_and_never_rises():
    def figure(value):
        return Figure(value, np.array([value, value + 0.1]))

    found = frontier_of([(4.0, figure(2.0)), (1.0, figure(3.0)), (1.1, figure(2.5)), (16.0, figure(2.2))])
    assert found.flops == pytest.approx([math.sqrt(1.1), 4.0, 16.0])
    assert found.values == pytest.approx([2.5, 2.0, 2.0])
    assert found.draws[1] == pytest.approx([2.6, 2.1, 2.1])


@pytest.mark.parametrize(
    ("needed", "draws", "verdict", "bound"),
    [
        (8.0, [6.0, 8.0, 10.0], "more", None),
        (2.0, [1.5, 2.0, 3.0], "less", None),
        (4.0, [3.0, 4.0, 5.0], "cannot be told", None),
        (0.0, [0.0, 0.0, 0.0], "less", "under 0.25"),
        (math.inf, [math.inf] * 3, "more", "over 4.00"),
        (math.inf, [3.0, math.inf, math.inf], "cannot be told", "over 4.00"),
    ],
)
def test_a_multiplier_says_no_more_than_was_measured(needed, draws, verdict, bound):
    """RETRO spent 4; the frontier was measured from 1 to 16."""
    found = told(needed, np.repeat(draws, 20), 4.0, FLOPS, 0.9)
    assert (found["verdict"], found["bound"]) == (verdict, bound)
    if bound is None:
        assert found["multiplier"]["value"] == needed / 4
        assert found["outside"] == 0


def test_better_than_a_frontier_that_ends_at_its_own_cost_cannot_be_told():
    found = told(math.inf, np.full(40, np.inf), 16.0, FLOPS, 0.9)
    assert (found["verdict"], found["bound"], found["outside"]) == ("cannot be told", "over 1.00", 1.0)


def test_a_multiplier_as_text():
    found = {"multiplier": {"value": 1.5, "low": 1.25, "high": None}, "bound": None}
    assert shown_multiplier(found) == "1.50 [1.25, over range]"
    assert shown_multiplier({"multiplier": {"value": None}, "bound": "under 0.54"}) == "under 0.54"


def interval(low, high):
    return {"value": (low + high) / 2, "low": low, "high": high, "level": 0.95}


@pytest.mark.parametrize(
    ("gain", "comparable", "verdict"),
    [
        (interval(0.001, 0.02), False, "reproduced"),
        (interval(-0.001, 0.02), True, "not at this scale"),
        (interval(-0.02, -0.001), False, "not at this scale"),
        (interval(-0.02, -0.001), True, "contradicted"),
        (interval(0.0, 0.02), True, "not at this scale"),
        (None, True, "not measured"),
        ({"value": 0.1, "low": None, "high": None}, True, "not measured"),
    ],
)
def test_a_gain_gets_the_verdict_that_its_interval_deserves(gain, comparable, verdict):
    assert above_zero(gain, comparable)[0] == verdict


@pytest.mark.parametrize(("noise", "verdict"), [(0.009, "reproduced"), (0.0105, "not at this scale")])
def test_a_difference_between_trainings_must_be_larger_than_that_of_seeds(noise, verdict):
    assert above_zero(interval(0.001, 0.02), True, noise)[0] == verdict
    assert every([interval(0.001, 0.02)], True, noise)[0] == verdict
    lost = "not at this scale" if verdict == "not at this scale" else "contradicted"
    assert above_zero(interval(-0.02, -0.001), True, noise)[0] == lost
    assert every([interval(-0.02, -0.001)], True, noise)[0] == lost


def test_all_sizes_means_all():
    up, down, either = interval(0.01, 0.02), interval(-0.02, -0.01), interval(-0.01, 0.02)
    assert every([up, up], False)[0] == "reproduced"
    assert every([up, either], True)[0] == "not at this scale"
    assert every([up, down], True)[0] == "contradicted"
    assert every([up, down], False)[0] == "not at this scale"
    assert every([up, None], True)[0] == every([], True)[0] == "not measured"


def test_small_means_within_the_bound_on_either_side():
    assert within(interval(-0.004, 0.009), 0.01, True)[0] == "reproduced"
    assert within(interval(0.004, 0.02), 0.01, True)[0] == "not at this scale"
    assert within(interval(0.015, 0.02), 0.01, True)[0] == "contradicted"
    assert within(interval(-0.02, -0.015), 0.01, False)[0] == "not at this scale"
    assert within(None, 0.01, True)[0] == "not measured"


def test_a_gain_from_a_handful_of_chunks_is_none():
    curve = {"alphas": [0.125, 1.0], "chunks": [LEAST_CHUNKS, 500], "gains": {"same": [interval(0, 1), interval(2, 3)]}}
    assert gain_at({"exact": curve}, "exact", "same") == interval(0, 1)
    assert gain_at({"exact": curve | {"chunks": [LEAST_CHUNKS - 1, 500]}}, "exact", "same") is None
    assert gain_at({"exact": curve}, "exact", "plain") is None


def test_costs_by_hand():
    """d = 2, 64 tokens a chunk: 128 additions to embed; 10 distances of 4 FLOPs to search, 30 to join; 5 chunks."""
    database = {"dimensions": 2, "distances_joining": 30.0, "distances_searching": 10.0, "chunks": 5}
    assert (join_flops(database), search_flops(database)) == (248, 168)
    assert database_flops(database) == 5 * (128 + 168)


def test_a_loss_in_words_has_no_sign_and_its_ends_in_order():
    assert in_words({"value": -0.1436, "low": -0.154, "high": -0.1311}) == "0.144 [0.131, 0.154]"
    assert in_words({"value": 0.00012, "low": -0.0002, "high": 0.0005}, signed=True) == "+0.0001 [−0.0002, +0.0005]"
