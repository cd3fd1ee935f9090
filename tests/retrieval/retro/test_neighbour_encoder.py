import math

import pytest
import torch

from hutch.retrieval.retro.neighbour_encoder import ChunkReading, NeighbourEncoder, NeighbourSelfAttention

from .test_chunked_cross_attention import cosine_vector
from .tiny import CHUNK, TOKENS, VOCABULARY, lively, retro_config, texts, tiny_retro


def encoder_case(seed=0, k=3, **changes):
    random = torch.Generator().manual_seed(seed)
    encoder = lively(NeighbourEncoder(retro_config(**changes)), seed)
    _, ids = texts(2, 3 * CHUNK, k=k, seed=seed)
    return encoder, ids, torch.randn(2, 3, CHUNK, 16, generator=random)


def encode(encoder, ids, chunks):
    with torch.no_grad():
        return encoder(ids, chunks, lambda ids: ids)


def test_self_attention_is_the_sum_over_pairs():
    attention = lively(NeighbourSelfAttention(retro_config()))
    x = torch.randn(1, 5, 12, generator=torch.Generator().manual_seed(0))
    padding = torch.tensor([[0, 0, 0, 0, -1e30]])
    q, k, v = attention.qkv(x[0]).view(5, 3, 3, 4).unbind(1)
    rows = []
    for i in range(5):
        heads = []
        for head in range(3):
            weight = attention.position.map.weight[head]
            logits = [q[i, head] @ k[j, head] / 2 + weight @ cosine_vector(i - j, 12) for j in range(4)]
            heads.append(torch.stack(logits).softmax(0) @ v[:4, head])
        rows.append(torch.cat(heads))
    torch.testing.assert_close(attention(x, padding)[0], attention.output(torch.stack(rows)), rtol=1e-5, atol=1e-5)


def test_reading_the_chunk_is_the_sum_over_pairs():
    """d(i', i) = i' − i, the same for each neighbour."""
    reading = lively(ChunkReading(retro_config()))
    random = torch.Generator().manual_seed(1)
    x, chunk = torch.randn(2, 5, 12, generator=random), torch.randn(1, CHUNK, 16, generator=random)
    key, value = reading.key_value(reading.chunk_norm(chunk[0])).view(CHUNK, 2, 3, 4).unbind(1)
    slow = torch.zeros(2, 5, 12)
    for j in range(2):
        for i_prime in range(5):
            query = reading.query(x[j, i_prime]).view(3, 4)
            heads = []
            for head in range(3):
                weight = reading.position.map.weight[head]
                logits = [
                    query[head] @ key[i, head] / math.sqrt(4) + weight @ cosine_vector(i_prime - i, 12)
                    for i in range(CHUNK)
                ]
                heads.append(torch.stack(logits).softmax(0) @ value[:, head])
            slow[j, i_prime] = reading.output(torch.cat(heads))
    torch.testing.assert_close(reading(x, chunk), slow, rtol=1e-5, atol=1e-5)


def test_neighbours_are_encoded_apart():
    encoder, ids, chunks = encoder_case()
    before = encode(encoder, ids, chunks).states_bukrd
    changed = ids.clone()
    changed[0, 1, 2] = (ids[0, 1, 2].clamp(min=0) + 1) % VOCABULARY
    after = encode(encoder, changed, chunks).states_bukrd
    assert not torch.allclose(before[0, 1, 2], after[0, 1, 2])
    after[0, 1, 2] = before[0, 1, 2]
    assert torch.equal(before, after)


def test_shorter_padding_encodes_the_same():
    encoder, ids, chunks = encoder_case()
    ids[..., 4:] = -1
    ids[..., :4].clamp_(min=0)
    whole, cut = (encode(encoder, part, chunks).states_bukrd[..., :4, :] for part in (ids, ids[..., :4]))
    torch.testing.assert_close(whole, cut, rtol=0, atol=1e-5)


def test_the_first_token_sees_the_last():
    encoder, ids, chunks = encoder_case()
    ids.clamp_(min=0)
    changed = ids.clone()
    changed[..., TOKENS - 1] = (ids[..., TOKENS - 1] + 1) % VOCABULARY
    before, after = (encode(encoder, part, chunks).states_bukrd[..., 0, :] for part in (ids, changed))
    assert (before - after).abs().amax(-1).min() > 1e-4


def test_each_chunk_conditions_its_own_neighbours():
    encoder, ids, chunks = encoder_case()
    changed = chunks.clone()
    changed[0, 1, 2] += 1
    before, after = (encode(encoder, ids, part).states_bukrd for part in (chunks, changed))
    assert not torch.allclose(before[0, 1], after[0, 1])
    after[0, 1] = before[0, 1]
    assert torch.equal(before, after)


def test_without_reading_layers_the_chunk_does_not_matter():
    encoder, ids, chunks = encoder_case(encoder_cross_layers=())
    before, after = (encode(encoder, ids, part).states_bukrd for part in (chunks, chunks + 1))
    assert torch.equal(before, after)


@pytest.mark.parametrize("k", [1, 3])
def test_the_chunk_is_kept_once_whatever_k(k):
    """Its keys and values have no axis for the neighbours."""
    encoder, ids, chunks = encoder_case(k=k)
    reading, seen = encoder.blocks[0].reading, []
    handle = reading.key_value.register_forward_hook(lambda module, given, output: seen.append(output.shape))
    encode(encoder, ids, chunks)
    handle.remove()
    assert seen == [(2 * 3, CHUNK, 2 * 12)]


def test_a_shared_embedding_is_the_decoders():
    model = tiny_retro(shared_embedding=True)
    assert not [name for name, _ in model.encoder.named_parameters() if "embedding" in name]
    ids, neighbours = texts(1, 3 * CHUNK, padded=False)
    before = model(ids, neighbours)
    with torch.no_grad():
        unseen = next(token for token in range(VOCABULARY) if token not in ids and token in neighbours)
        model.decoder.model.embedding.weight[unseen] *= -1
    assert not torch.equal(before[..., 0], model(ids, neighbours)[..., 0])
