"""Token by token against the whole text at once."""

import pytest
import torch

from hutch.retrieval.retro import new_retro_cache, read_on
from hutch.runs import BadInput

from .tiny import CHUNK, VOCABULARY, decoder_config, texts, tiny_retro

T = 4 * CHUNK + 2


def in_pieces(model, ids, neighbours, sizes):
    """Logits of a text read in pieces of these sizes, each with the neighbours of the chunks that it ends."""
    cache, start, found = new_retro_cache(model, len(ids), T), 0, []
    with torch.no_grad():
        for size in sizes:
            first, last = start // CHUNK, (start + size) // CHUNK
            given = None if neighbours is None else neighbours[:, first:last]
            found.append(model.logits(read_on(model, cache, ids[:, start : start + size], given)))
            start += size
    assert cache.length == start
    return torch.cat(found, dim=1)


@pytest.mark.parametrize("positions", ["rotary", "relative"])
@pytest.mark.parametrize("sizes", [[1] * T, [T], [CHUNK] * 4 + [2], [5, 1, 1, 8, 3], [3, 1, 4, 9, 1]])
def test_logits_are_those_of_the_whole(positions, sizes):
    model = tiny_retro(decoder=decoder_config(positions=positions))
    ids, neighbours = texts(2, T)
    with torch.no_grad():
        whole = model(ids, neighbours)
    torch.testing.assert_close(in_pieces(model, ids, neighbours, sizes), whole, rtol=0, atol=1e-5)


def test_chunks_may_have_no_neighbours():
    model = tiny_retro()
    ids, neighbours = texts(2, T, padded=False)
    neighbours[:, 1] = -1
    cache, found = new_retro_cache(model, 2, T), []
    with torch.no_grad():
        for place in range(T):
            u = place // CHUNK
            ends = place % CHUNK == CHUNK - 1
            given = neighbours[:, u : u + 1] if ends and u != 1 else None
            found.append(model.logits(read_on(model, cache, ids[:, place : place + 1], given)))
        torch.testing.assert_close(torch.cat(found, 1), model(ids, neighbours), rtol=0, atol=1e-5)


def test_without_neighbours_it_is_the_decoder():
    model = tiny_retro()
    ids, _ = texts(2, T)
    with torch.no_grad():
        wanted = model.decoder.model(ids)
    torch.testing.assert_close(in_pieces(model, ids, None, [1] * T), wanted, rtol=0, atol=1e-5)


def test_k_may_change_from_chunk_to_chunk():
    model = tiny_retro()
    ids, neighbours = texts(2, T, k=3, padded=False)
    neighbours[:, 1, 1:] = -1
    cache, found = new_retro_cache(model, 2, T), []
    with torch.no_grad():
        for u in range(4):
            given = neighbours[:, u : u + 1, : 1 if u == 1 else 3]
            found.append(model.logits(read_on(model, cache, ids[:, u * CHUNK : u * CHUNK + CHUNK], given)))
        whole = model(ids, neighbours)[:, : 4 * CHUNK]
    torch.testing.assert_close(torch.cat(found, 1), whole, rtol=0, atol=1e-5)


def test_the_last_token_of_a_chunk_wants_its_neighbours():
    model = tiny_retro()
    ids, neighbours = texts(2, CHUNK, padded=False)
    with torch.no_grad():
        late, timely = (
            in_pieces(model, ids, given, [1] * CHUNK) for given in (torch.full_like(neighbours, -1), neighbours)
        )
    assert torch.equal(late[:, :-1], timely[:, :-1])
    assert (late[:, -1] - timely[:, -1]).abs().max() > 1e-3


def test_neighbours_of_too_few_chunks_are_refused():
    model = tiny_retro()
    ids, neighbours = texts(2, T)
    with pytest.raises(BadInput, match=r"\[2, 4 or more, k"):
        read_on(model, new_retro_cache(model, 2, T), ids, neighbours[:, :3])
    with pytest.raises(BadInput, match="0 to 49"):
        read_on(model, new_retro_cache(model, 2, T), ids, neighbours + VOCABULARY)
