"""Each rule against a slow, obvious reference."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hutch.lm.language_model import Sampling
from hutch.lm.token_choice import (
    choose_tokens,
    distribution,
    followers,
    forbid_repeats,
    keep_top_k,
    keep_top_p,
    penalise_seen,
)
from hutch.runs import BadInput, HutchError

INF = float("inf")
LOGITS = st.lists(st.floats(-8, 8, width=32), min_size=1, max_size=12)
IDS = st.lists(st.integers(0, 4), max_size=30)


def kept(logits_bv):
    return [index for index, value in enumerate(logits_bv[0].tolist()) if value > -INF]


@given(LOGITS, st.integers(1, 14))
def test_top_k_keeps_those_with_fewer_than_k_above_them(logits, k):
    found = keep_top_k(torch.tensor([logits]), k)
    assert kept(found) == [i for i, value in enumerate(logits) if sum(other > value for other in logits) < k]
    assert all(found[0, i] == logits[i] for i in kept(found))


@given(LOGITS, st.floats(0.01, 1))
def test_the_nucleus_is_the_smallest_set_that_reaches_p(logits, p):
    found = kept(keep_top_p(torch.tensor([logits]), p))
    weights = [math.exp(value) for value in logits]
    probability = [weight / sum(weights) for weight in weights]
    order = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
    assert set(found) == set(order[: len(found)])
    assert sum(probability[i] for i in found) >= min(p, 1) - 1e-5
    if p < 1:
        assert sum(probability[i] for i in order[: len(found) - 1]) < p + 1e-5


def test_nucleus_by_hand():
    logits = torch.tensor([[0.5, 0.1, 0.3, 0.1]]).log()
    for p, expected in (
        (0.01, [0]),
        (0.49, [0]),
        (0.51, [0, 2]),
        (0.81, [0, 1, 2]),
        (0.95, [0, 1, 2, 3]),
        (1, [0, 1, 2, 3]),
    ):
        assert kept(keep_top_p(logits, p)) == expected


def test_a_penalty_makes_what_was_seen_less_likely_whatever_its_sign():
    logits = torch.tensor([[2.0, -2.0, 1.0, -1.0], [2.0, -2.0, 1.0, -1.0]])
    found = penalise_seen(logits, [[0, 1, 0], []], 2.0)
    assert found.tolist() == [[1.0, -4.0, 1.0, -1.0], [2.0, -2.0, 1.0, -1.0]]
    assert logits[0, 0] == 2.0


@given(IDS, st.integers(1, 4))
def test_followers_are_what_would_repeat_a_sequence(ids, n):
    def sequences(tokens):
        return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]

    slow = {token for token in range(5) if len(ids) >= n - 1 and sequences([*ids, token])[-1] in sequences(ids)}
    assert followers(ids, n) == slow


@given(IDS, st.integers(1, 4), st.integers(0, 5))
def test_no_sequence_comes_twice_unless_nothing_else_is_left(prompt, n, seed):
    generator, ids = torch.Generator().manual_seed(seed), list(prompt)
    sampling = Sampling(no_repeat_ngram=n, top_k=None, temperature=1.0)
    for _ in range(15):
        forbidden = followers(ids, n)
        (token,) = choose_tokens(torch.zeros(1, 5), [ids], sampling, [generator])
        assert token not in forbidden or len(forbidden) == 5
        ids.append(token)


def test_a_row_with_nothing_left_stays_as_it_is():
    logits = torch.tensor([[1.0, 2.0], [1.0, 2.0]])
    assert forbid_repeats(logits, [[0, 1], [1]], 1).tolist() == [[1.0, 2.0], [1.0, -INF]]


@given(LOGITS, st.floats(0.1, 5), st.integers(1, 12), st.floats(0.05, 1))
def test_a_distribution_is_one_and_in_the_order_of_the_logits(logits, temperature, k, p):
    found = distribution(torch.tensor([logits]), temperature, k, p)[0].tolist()
    assert sum(found) == pytest.approx(1, abs=1e-5)
    assert all(a <= b for x, a in zip(logits, found, strict=True) for y, b in zip(logits, found, strict=True) if x < y)


def test_draws_follow_the_distribution():
    """3,000 draws; each share within five standard deviations."""
    logits, sampling = torch.tensor([[1.0, 0.0, -1.0, 3.0]]), Sampling(temperature=2.0, top_k=3)
    weights = [math.exp(0.5), 1.0, 0.0, math.exp(1.5)]
    generator = torch.Generator().manual_seed(0)
    drawn = [choose_tokens(logits, [[]], sampling, [generator])[0] for _ in range(3_000)]
    for token, weight in enumerate(weights):
        share = weight / sum(weights)
        assert abs(drawn.count(token) / 3_000 - share) <= 5 * math.sqrt(share * (1 - share) / 3_000)


def test_rows_draw_with_their_own_generators():
    logits, sampling = torch.zeros(3, 1000), Sampling(top_k=None)

    def draw(seeds):
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        return choose_tokens(logits[: len(seeds)], [[]] * len(seeds), sampling, generators)

    assert draw([1, 2, 3]) == draw([1]) + draw([2]) + draw([3])


@pytest.mark.parametrize("temperature", [0, 1e-300, 1e-6])
def test_no_temperature_and_next_to_none_take_the_most_likely(temperature):
    logits, generator = torch.tensor([[1.0, 40.0, 39.0]]), torch.Generator()
    sampling = Sampling(temperature=temperature, top_k=None)
    assert all(choose_tokens(logits, [[]], sampling, [generator]) == [1] for _ in range(20))


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_logits_that_are_not_numbers_are_an_error(temperature):
    with pytest.raises(HutchError, match="not numbers"):
        choose_tokens(torch.tensor([[float("nan"), 0.0]]), [[]], Sampling(temperature=temperature), [torch.Generator()])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"tokens": 0}, "tokens must be at least 1, not 0"),
        ({"temperature": -0.5}, "temperature must be from 0 .* not -0.5"),
        ({"temperature": INF}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_k": 0}, "top_k must be at least 1, not 0"),
        ({"top_p": 0.0}, "top_p must be above 0 and at most 1, not 0"),
        ({"top_p": 1.5}, "top_p"),
        ({"top_p": float("nan")}, "top_p"),
        ({"repetition_penalty": 0.0}, "repetition_penalty"),
        ({"repetition_penalty": INF}, "repetition_penalty"),
        ({"no_repeat_ngram": 0}, "no_repeat_ngram must be at least 1, not 0"),
        ({"stop": ("",)}, "stop must be strings of at least one character"),
        ({"stop": "User:"}, "stop"),
        ({"seed": -1}, "seed must be 0 or above, not -1"),
    ],
)
def test_impossible_sampling_is_refused(wrong, says):
    with pytest.raises(BadInput, match=says):
        Sampling(**wrong)
