"""Who sees what, and what a model without neighbours is."""

import math

import pytest
import torch
import torch.nn.functional as F

from hutch.lm import build_model
from hutch.retrieval.retro import OwnDecoder, build_retro, retrofit
from hutch.runs import BadInput

from .tiny import CHUNK, TOKENS, VOCABULARY, decoder_config, retro_config, texts, tiny_retro

T = 4 * CHUNK + 2
BOTH = pytest.mark.parametrize("positions", ["rotary", "relative"])


def model_with(positions):
    return tiny_retro(decoder=decoder_config(positions=positions))


@BOTH
@pytest.mark.parametrize("place", range(1, T))
def test_no_logits_depend_on_a_later_token(positions, place):
    model = model_with(positions)
    ids, neighbours = texts(2, T)
    changed = ids.clone()
    changed[:, place:] = (ids[:, place:] + 1) % VOCABULARY
    before, after = model(ids, neighbours), model(changed, neighbours)
    assert torch.equal(before[:, :place], after[:, :place])
    assert not torch.equal(before[:, place], after[:, place])


@BOTH
@pytest.mark.parametrize("u", range(1, T // CHUNK + 1))
@pytest.mark.parametrize("change", ["other", "missing"])
def test_neighbours_of_a_chunk_change_its_last_position_first(positions, u, change):
    """0-based position u·m − 1, the logits of the next chunk's first token; and not a bit before it."""
    model = model_with(positions)
    ids, neighbours = texts(2, T, padded=False)
    changed = neighbours.clone()
    changed[:, u - 1] = -1 if change == "missing" else (neighbours[:, u - 1] + 1) % VOCABULARY
    before, after = model(ids, neighbours), model(ids, changed)
    first = u * CHUNK - 1
    assert torch.equal(before[:, :first], after[:, :first])
    assert (before[:, first] - after[:, first]).abs().amax(-1).min() > 1e-4


def test_a_position_sees_the_neighbours_of_all_chunks_before():
    """Through self-attention, RET(C_1) reaches the last position."""
    model = tiny_retro()
    ids, neighbours = texts(2, T, padded=False)
    changed = neighbours.clone()
    changed[:, 0] = (neighbours[:, 0] + 1) % VOCABULARY
    assert (model(ids, neighbours) - model(ids, changed))[:, -1].abs().max() > 1e-6


def test_texts_of_a_batch_do_not_see_each_other():
    model = tiny_retro()
    ids, neighbours = texts(3, T)
    before = model(ids, neighbours)
    ids[1], neighbours[1] = 0, -1
    assert torch.equal(before[[0, 2]], model(ids, neighbours)[[0, 2]])


@pytest.mark.parametrize("cut", range(1, T))
def test_a_beginning_has_the_logits_that_it_has_in_the_whole(cut):
    model = tiny_retro()
    ids, neighbours = texts(2, T)
    torch.testing.assert_close(model(ids[:, :cut], neighbours), model(ids, neighbours)[:, :cut], rtol=0, atol=1e-5)


@BOTH
def test_without_neighbours_it_is_the_decoder_bit_for_bit(positions):
    model = model_with(positions)
    ids, neighbours = texts(2, T)
    wanted = model.decoder.model(ids)
    assert torch.equal(model(ids), wanted)
    assert torch.equal(model(ids, neighbours[:, :, :0]), wanted)
    assert torch.equal(model(ids, torch.full_like(neighbours, -1)), wanted)
    assert not torch.equal(model(ids, neighbours), wanted)


def test_the_order_of_neighbours_does_not_matter():
    model = tiny_retro()
    ids, neighbours = texts(2, T, k=4)
    shuffled = neighbours[:, :, [3, 1, 0, 2]]
    torch.testing.assert_close(model(ids, neighbours), model(ids, shuffled), rtol=0, atol=1e-5)


def test_k_may_change_from_call_to_call():
    """And a missing neighbour is as none."""
    model = tiny_retro()
    ids, neighbours = texts(2, T, k=4, padded=False)
    for k in range(1, 5):
        fewer = neighbours[:, :, :k]
        missing = neighbours.clone()
        missing[:, :, k:] = -1
        torch.testing.assert_close(model(ids, fewer), model(ids, missing), rtol=0, atol=1e-5)
    assert not torch.allclose(model(ids, neighbours[:, :, :1]), model(ids, neighbours), atol=1e-4)


def test_a_batch_padded_to_shorter_neighbours_is_the_same():
    model = tiny_retro()
    ids, neighbours = texts(2, T, padded=False)
    neighbours[..., 5:] = -1
    torch.testing.assert_close(model(ids, neighbours), model(ids, neighbours[..., :5]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_the_loss_is_the_cross_entropy_of_the_logits(reduction):
    model = tiny_retro()
    ids, neighbours = texts(2, T + 1)
    wanted = F.cross_entropy(model(ids[:, :-1], neighbours).flatten(0, 1), ids[:, 1:].flatten(), reduction=reduction)
    found = model.loss(ids[:, :-1], ids[:, 1:], neighbours, reduction)
    torch.testing.assert_close(found, wanted)


def test_every_weight_learns():
    model = tiny_retro()
    ids, neighbours = texts(2, T + 1)
    model.loss(ids[:, :-1], ids[:, 1:], neighbours).backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert still == []


def test_a_retrofit_begins_as_the_decoder_and_leaves_it_alone():
    decoder = build_model(decoder_config(), 3)
    ids, neighbours = texts(2, T + 1)
    wanted = decoder(ids[:, :-1])
    model = retrofit(OwnDecoder(decoder), retro_config(), 0)
    assert torch.equal(model(ids[:, :-1], neighbours), wanted)
    before = {name: p.clone() for name, p in decoder.named_parameters()}
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        model.loss(ids[:, :-1], ids[:, 1:], neighbours).backward()
        optimizer.step()
    assert all(p.grad is None and torch.equal(p, before[name]) for name, p in decoder.named_parameters())
    assert all(p.grad.abs().max() > 0 for p in [*model.encoder.parameters(), *model.cross.parameters()])
    assert torch.equal(model(ids[:, :-1]), wanted)
    assert not torch.equal(model(ids[:, :-1], neighbours), wanted)


def test_neighbours_that_give_the_answer_are_learned_from():
    """Each chunk's neighbour is the random chunk that follows it: who does not read it cannot beat chance."""
    config = retro_config(neighbour_tokens=CHUNK)
    model = build_retro(config, 0)
    random = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(200):
        ids = torch.randint(VOCABULARY, (16, 4 * CHUNK + 1), generator=random)
        following = ids[:, CHUNK : 4 * CHUNK].view(16, 3, 1, CHUNK)
        neighbours = F.pad(following, (0, 0, 0, 0, 0, 1), value=-1)
        optimizer.zero_grad()
        loss = model.loss(ids[:, :-1], ids[:, 1:], neighbours, reduction="none").view(16, 4 * CHUNK)
        loss.mean().backward()
        optimizer.step()
    chance = math.log(VOCABULARY)
    assert loss[:, CHUNK - 1 : 4 * CHUNK - 1].mean() < 0.5 * chance
    assert loss[:, : CHUNK - 1].mean() > 0.9 * chance


def test_a_fresh_model_is_set_by_its_seed_and_holds_the_plain_decoder():
    first, second, other = (build_retro(retro_config(), seed).state_dict() for seed in (4, 4, 5))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["encoder.embedding.weight"], other["encoder.embedding.weight"])
    plain = build_model(decoder_config(), 4).state_dict()
    assert all(torch.equal(first[f"decoder.model.{name}"], weight) for name, weight in plain.items())


@pytest.mark.parametrize("width", [16, 64, 256])
def test_updates_have_one_scale_at_all_widths(width):
    decoder = decoder_config(width=width, heads=2, key_size=width // 2)
    config = retro_config(decoder=decoder, encoder_width=width, encoder_heads=2, encoder_key_size=width // 2)
    model = build_retro(config, 0)
    x = torch.randn(2, 3 * CHUNK, width, generator=torch.Generator().manual_seed(0))
    _, neighbours = texts(2, 3 * CHUNK)
    with torch.no_grad():
        encoded = model.encode(neighbours, x.view(2, 3, CHUNK, width))
        update = model.cross_of(2)(x, encoded)[:, CHUNK - 1 :]
    # 1/√(2·4) for the depth, less for the averaging of values.
    assert 0.1 < update.std() < 0.4


def test_parameters_by_hand():
    d, a, d_encoder, a_encoder, f = 16, 12, 12, 12, 20
    cross = d + d * a + d_encoder * 2 * a + a * d + d * 2
    block = 2 * d_encoder + 4 * d_encoder * a_encoder + 3 * d_encoder + 2 * d_encoder * f
    reading = d_encoder + d + 2 * d_encoder * a_encoder + 2 * d * a_encoder + 3 * d_encoder
    encoder = VOCABULARY * d_encoder + 2 * block + reading + d_encoder
    plain = build_model(decoder_config(), 0).parameter_count()
    assert build_retro(retro_config(), 0).parameter_count() == plain + 2 * cross + encoder


def test_the_width_of_a_matrix_is_that_of_what_it_reads():
    d, d_encoder = 16, 12
    model = build_retro(retro_config(shared_embedding=True), 0)
    expected = {
        "decoder.model.blocks.0.down.weight": d,
        "cross.2.query.weight": d,
        "cross.2.key_value.weight": d_encoder,
        "cross.2.output.weight": d,
        "cross.2.position.map.weight": d,
        "encoder.project.weight": d,
        "encoder.blocks.0.attention.qkv.weight": d_encoder,
        "encoder.blocks.0.reading.query.weight": d_encoder,
        "encoder.blocks.0.reading.key_value.weight": d,
        "encoder.blocks.1.down.weight": d_encoder,
    }
    names = dict(model.named_parameters())
    assert {name: model.width_of(name) for name in expected if name in names} == expected


@pytest.mark.parametrize(
    ("neighbours", "says"),
    [
        (torch.zeros(2, 3, 2, TOKENS, dtype=torch.long), r"shape \(2, 3, 2, 7\); \[2, 4 or more, k, at most 7\]"),
        (torch.zeros(1, 4, 2, TOKENS, dtype=torch.long), "texts, chunks, neighbours, tokens"),
        (torch.zeros(2, 4, 2, TOKENS + 1, dtype=torch.long), "at most 7"),
        (torch.zeros(2, 4, TOKENS, dtype=torch.long), "at most 7"),
        (torch.zeros(2, 4, 2, TOKENS), "float32; token ids in int64"),
        (torch.full((2, 4, 2, TOKENS), VOCABULARY), "hold tokens 50 to 50; the vocabulary is 0 to 49"),
        (torch.full((2, 4, 2, TOKENS), -2), "hold tokens -2 to -2"),
    ],
)
def test_neighbours_of_another_kind_are_refused_in_one_line(neighbours, says):
    ids, _ = texts(2, T)
    with pytest.raises(BadInput, match=says) as refused:
        tiny_retro()(ids, neighbours)
    assert "\n" not in str(refused.value)


def test_another_decoder_is_refused_and_left_unfrozen():
    decoder = OwnDecoder(build_model(decoder_config(layers=5), 0))
    with pytest.raises(BadInput, match="another one than the configuration's"):
        retrofit(decoder, retro_config(), 0)
    assert all(parameter.requires_grad for parameter in decoder.parameters())
