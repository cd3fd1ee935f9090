"""Retrofits of other people's classes, with random weights."""

import pytest
import torch

from hutch.lm import build_model
from hutch.retrieval.retro import HookedDecoder, OwnDecoder, new_retro_cache, read_on, retrofit
from hutch.retrieval.retro.decoders import ATTENTIONS
from hutch.runs import BadInput

from .tiny import CHUNK, VOCABULARY, decoder_config, lively, retro_config, texts

hf = pytest.importorskip("transformers")

T = 3 * CHUNK + 2


def config_of(name):
    sizes = {"vocab_size": VOCABULARY, "bos_token_id": 0, "eos_token_id": 0}
    common = {"num_hidden_layers": 4, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 24}
    near = {"max_position_embeddings": 24, **common, **sizes}
    return {
        "llama": lambda: hf.LlamaConfig(**near, num_key_value_heads=1),
        "mistral": lambda: hf.MistralConfig(**near, num_key_value_heads=1),
        "qwen2": lambda: hf.Qwen2Config(**near, num_key_value_heads=2),
        "gpt2": lambda: hf.GPT2Config(n_positions=24, n_embd=16, n_layer=4, n_head=2, **sizes),
        "gpt_neox": lambda: hf.GPTNeoXConfig(**near, use_parallel_residual=False),
        "gpt_neox parallel": lambda: hf.GPTNeoXConfig(**near, use_parallel_residual=True),
    }[name]()


NAMES = [*ATTENTIONS, "gpt_neox parallel"]


def base_of(name):
    torch.manual_seed(0)
    return lively(hf.AutoModelForCausalLM.from_config(config_of(name)).eval())


def retrofitted(name):
    base = base_of(name)
    decoder = HookedDecoder(base)
    return base, retrofit(decoder, retro_config(decoder=decoder.config), 0)


def stirred(model):
    """Cross-attention that adds something."""
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for layer in model.config.cross_layers:
            model.cross_of(layer).output.weight.normal_(std=0.2, generator=random)
    return model


def base_logits(base, ids):
    with torch.no_grad():
        return base(input_ids=ids).logits


@pytest.mark.parametrize("name", NAMES)
def test_a_retrofit_begins_as_the_model_and_is_it_without_neighbours(name):
    base, model = retrofitted(name)
    ids, neighbours = texts(2, T)
    wanted = base_logits(base, ids)
    assert torch.equal(model(ids, neighbours), wanted)
    stirred(model)
    assert torch.equal(model(ids), wanted)
    assert torch.equal(model(ids, torch.full_like(neighbours, -1)), wanted)
    assert not torch.equal(model(ids, neighbours), wanted)
    assert torch.equal(base_logits(base, ids), wanted)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("u", [1, 2, 3])
def test_neighbours_of_a_chunk_change_its_last_position_first(name, u):
    model = stirred(retrofitted(name)[1])
    ids, neighbours = texts(2, T, padded=False)
    changed = neighbours.clone()
    changed[:, u - 1] = (neighbours[:, u - 1] + 1) % VOCABULARY
    before, after = model(ids, neighbours), model(ids, changed)
    first = u * CHUNK - 1
    assert torch.equal(before[:, :first], after[:, :first])
    assert (before[:, first] - after[:, first]).abs().amax(-1).min() > 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_what_was_added_and_nothing_else(name):
    base, model = retrofitted(name)
    stirred(model).train()
    ids, neighbours = texts(2, T + 1)
    model.loss(ids[:, :-1], ids[:, 1:], neighbours).backward()
    assert all(p.grad is None for p in base.parameters())
    assert all(p.grad.abs().max() > 0 for p in [*model.encoder.parameters(), *model.cross.parameters()])


@pytest.mark.parametrize("name", NAMES)
def test_reading_on_is_reading_at_once(name):
    model = stirred(retrofitted(name)[1])
    ids, neighbours = texts(2, T)
    with torch.no_grad():
        whole = model(ids, neighbours)
        cache = new_retro_cache(model, 2, T)
        steps = [
            read_on(model, cache, ids[:, place : place + 1], neighbours[:, place // CHUNK :][:, :1])
            for place in range(T)
        ]
        torch.testing.assert_close(model.logits(torch.cat(steps, 1)), whole, rtol=0, atol=1e-5)


def test_our_own_model_and_its_llama_are_retrofitted_alike():
    """The same weights in both houses, the same updates between the same halves of a layer."""
    from hutch.lm.exchange.llama import to_llama

    own = build_model(decoder_config(heads=2, key_size=8, positions="rotary"), 0)
    config, tensors = to_llama(own)
    llama = hf.AutoModelForCausalLM.from_config(hf.LlamaConfig(**config)).eval()
    llama.load_state_dict(tensors, strict=False)
    retro = retro_config(decoder=own.config)
    ours = stirred(retrofit(OwnDecoder(own), retro, 0))
    theirs = stirred(retrofit(HookedDecoder(llama), retro, 0))
    ids, neighbours = texts(2, T)
    torch.testing.assert_close(ours(ids, neighbours), theirs(ids, neighbours), rtol=0, atol=1e-4)
    assert not torch.allclose(ours(ids, neighbours), ours(ids), atol=1e-2)


def test_hooks_are_gone_afterwards_even_after_an_error():
    base, model = retrofitted("llama")
    ids, neighbours = texts(2, T)

    def fail(x):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        model.decoder.hidden(ids, {2: fail})
    model(ids, neighbours)
    assert not [hook for part in base.modules() for hook in (*part._forward_hooks, *part._forward_pre_hooks)]


def test_a_frozen_model_has_no_dropout_in_training():
    _, model = retrofitted("gpt2")
    ids, neighbours = texts(2, T)
    model.train()
    assert torch.equal(model(ids, neighbours), model(ids, neighbours))


def test_a_model_in_bfloat16_takes_updates_in_float32():
    base = base_of("llama").bfloat16()
    decoder = HookedDecoder(base)
    model = stirred(retrofit(decoder, retro_config(decoder=decoder.config), 0))
    ids, neighbours = texts(2, T)
    logits = model(ids, neighbours)
    assert logits.dtype == torch.bfloat16
    assert not torch.equal(logits, base_logits(base, ids))


def test_a_class_with_other_layers_is_refused():
    bloom = hf.BloomConfig(hidden_size=16, n_layer=2, n_head=2, vocab_size=VOCABULARY)
    with pytest.raises(BadInput, match="type bloom cannot be retrofitted; these can: llama"):
        HookedDecoder(hf.AutoModelForCausalLM.from_config(bloom))
