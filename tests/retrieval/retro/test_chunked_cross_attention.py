"""Against a loop that follows the paper's equations, one index at a time, counted from 1 as there."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.retrieval.retro.chunked_cross_attention import (
    ChunkedCrossAttention,
    Encoded,
    at_positions,
    attending_chunks,
)

from .tiny import CHUNK, TOKENS, decoder_config, lively, retro_config


def random_case(seed, t, k, r=TOKENS):
    random = torch.Generator().manual_seed(seed)
    cross = lively(ChunkedCrossAttention(retro_config()), seed)
    x = torch.randn(2, t, 16, generator=random)
    states = torch.randn(2, t // CHUNK, k, r, 12, generator=random)
    real = torch.rand(states.shape[:4], generator=random) < 0.7
    return cross, x, Encoded(states_bukrd=states, real_bukr=real)


def cosine_vector(distance, width):
    angles = [distance * 10_000 ** (-place / (width // 2)) for place in range(width // 2)]
    return torch.tensor([math.sin(angle) for angle in angles] + [math.cos(angle) for angle in angles])


def slow_read(cross, h, e_of, real_of, i):
    """What one position reads: h its activation, i = 1 … m its place in the attending chunk, e_of[j][i'] its
    neighbours' tokens."""
    heads, size = cross.heads, cross.key_size
    query = cross.query(cross.norm(h)).view(heads, size)
    read = torch.zeros(heads, size)
    for head in range(heads):
        logits, values = [], []
        for j in range(len(e_of)):
            for i_prime in range(1, len(e_of[j]) + 1):
                if not real_of[j][i_prime - 1]:
                    continue
                key, value = cross.key_value(e_of[j][i_prime - 1]).view(2, heads, size)
                distance = i - i_prime + cross.chunk - 1
                by_position = cross.position.map.weight[head] @ cosine_vector(distance, len(h))
                logits.append(query[head] @ key[head] / math.sqrt(size) + by_position)
                values.append(value[head])
        if logits:
            read[head] = torch.stack(logits).softmax(0) @ torch.stack(values)
    return cross.output(read.flatten())


def slow_update(cross, x_btd, encoded):
    """CCA(H, E) − H, position by position."""
    m, t = cross.chunk, x_btd.shape[1]
    update = torch.zeros_like(x_btd)
    for b in range(len(x_btd)):
        for u in range(1, t // m + 1):
            for i in range(1, m + 1):
                position = u * m + i - 1
                if position > t:
                    continue
                e_of, real_of = encoded.states_bukrd[b, u - 1], encoded.real_bukr[b, u - 1]
                update[b, position - 1] = slow_read(cross, x_btd[b, position - 1], e_of, real_of, i)
    return update


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 99), t=st.integers(CHUNK, 3 * CHUNK + 1), k=st.integers(1, 3), r=st.integers(1, TOKENS))
def test_the_update_is_the_papers(seed, t, k, r):
    cross, x, encoded = random_case(seed, t, k, r)
    with torch.no_grad():
        torch.testing.assert_close(cross(x, encoded), slow_update(cross, x, encoded), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("t", [4, 5, 7, 8, 11, 12])
def test_attending_chunks_begin_with_the_last_token_of_a_chunk(t):
    x = torch.arange(1, t + 1).float().view(1, t, 1)
    chunks = attending_chunks(x, CHUNK)[0, :, :, 0]
    for u in range(1, t // CHUNK + 1):
        wanted = [place if place <= t else 0 for place in range(u * CHUNK, u * CHUNK + CHUNK)]
        assert chunks[u - 1].tolist() == wanted
    back = at_positions(attending_chunks(x, CHUNK), t).flatten()
    assert back.tolist() == [0, 0, 0, *range(CHUNK, t + 1)]


def test_the_distances_are_the_papers():
    """d = 0 for i = 1, i' = m, from −m to 2m − 2 for neighbours of 2m tokens."""
    m = 64
    config = retro_config(decoder=decoder_config(context=2 * m), chunk=m, neighbour_tokens=2 * m)
    cross = ChunkedCrossAttention(config)
    with torch.no_grad():
        table = cross.position(2 * m)
        for i, i_prime, distance in [(1, m, 0), (1, 2 * m, -m), (m, 1, 2 * m - 2), (3, 5, m - 3)]:
            wanted = cross.position.map.weight @ cosine_vector(distance, 16)
            torch.testing.assert_close(table[:, i - 1, i_prime - 1], wanted, rtol=1e-5, atol=1e-5)


def test_the_order_of_neighbours_does_not_matter():
    cross, x, encoded = random_case(5, 3 * CHUNK, 4)
    order = [2, 0, 3, 1]
    shuffled = Encoded(states_bukrd=encoded.states_bukrd[:, :, order], real_bukr=encoded.real_bukr[:, :, order])
    torch.testing.assert_close(cross(x, encoded), cross(x, shuffled), rtol=0, atol=1e-5)


def test_a_chunk_without_a_neighbour_adds_exactly_nothing():
    cross, x, encoded = random_case(6, 3 * CHUNK, 2)
    encoded.real_bukr[:, 1] = False
    update = cross(x, encoded)
    assert torch.equal(update[:, : CHUNK - 1], torch.zeros(2, CHUNK - 1, 16))
    assert torch.equal(update[:, 2 * CHUNK - 1 : 3 * CHUNK - 1], torch.zeros(2, CHUNK, 16))
    assert update[:, CHUNK - 1].abs().min() > 0
    assert update[:, -1].abs().min() > 0


def test_what_stands_in_padding_changes_nothing():
    cross, x, encoded = random_case(7, 3 * CHUNK, 2)
    other = encoded.states_bukrd.masked_fill(~encoded.real_bukr[..., None], 100.0)
    changed = cross(x, Encoded(states_bukrd=other, real_bukr=encoded.real_bukr))
    assert torch.equal(cross(x, encoded), changed)


def test_an_all_padding_chunk_has_finite_gradients():
    cross, x, encoded = random_case(8, 2 * CHUNK, 2)
    encoded.real_bukr[:] = False
    encoded.states_bukrd.requires_grad_()
    cross(x.requires_grad_(), encoded).sum().backward()
    assert torch.equal(encoded.states_bukrd.grad, torch.zeros_like(encoded.states_bukrd))
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in cross.parameters())
