"""Our transformer and transformers' two classes give the same logits."""

import pytest
import torch

from hutch.lm import ModelConfig, build_model, model_of_width
from hutch.lm.exchange import to_arcee, to_llama
from hutch.lm.exchange.llama import to_architecture
from hutch.runs import BadInput

hf = pytest.importorskip("transformers")

SHAPES = {
    "usual": model_of_width(64, vocabulary=50, context=300),
    "keys that are not width / heads": ModelConfig(
        layers=2, width=24, heads=2, key_size=6, feed_forward=40, vocabulary=50, context=20
    ),
    "heads that do not divide the width": ModelConfig(
        layers=2, width=16, heads=3, key_size=6, feed_forward=40, vocabulary=50, context=20
    ),
}


def lively(config):
    """A model whose gains are not all 1 and whose logits differ by tens."""
    model, generator = build_model(config, 0), torch.Generator().manual_seed(1)
    with torch.no_grad():
        model.embedding.weight.mul_(8)
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.uniform_(0.5, 2, generator=generator)
    return model


def theirs(converted):
    config, tensors = converted
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    model = hf.AutoModelForCausalLM.from_config(hf.AutoConfig.for_model(**config, **ends))
    told = model.load_state_dict(tensors, strict=False)
    assert (told.missing_keys, told.unexpected_keys) == (["lm_head.weight"], [])
    return model.eval()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("convert", [to_llama, to_arcee])
def test_the_logits_are_the_same(shape, convert):
    ours = lively(SHAPES[shape])
    ids = torch.randint(50, (3, ours.config.context), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, found = ours(ids), theirs(convert(ours))(ids).logits
    assert expected.std() > 2
    assert torch.allclose(found, expected, atol=1e-4)


def test_arcee_has_our_parameters_and_llama_dead_ones():
    ours = lively(SHAPES["usual"])
    feed_forward = ours.config.layers * (64 * 256 + 2 * 256 + 64)
    assert theirs(to_arcee(ours)).num_parameters() == ours.parameter_count()
    assert theirs(to_llama(ours)).num_parameters() == ours.parameter_count() + feed_forward


def test_the_tensors_are_copies():
    ours = lively(SHAPES["usual"])
    _, tensors = to_llama(ours)
    before = ours.embedding.weight.clone()
    tensors["model.embed_tokens.weight"].zero_()
    assert torch.equal(ours.embedding.weight, before)


def test_relative_positions_are_refused():
    relative = build_model(model_of_width(16, vocabulary=50, context=8, positions="relative"), 0)
    with pytest.raises(BadInput, match="relative positions cannot be exported"):
        to_llama(relative)


def test_another_class_is_refused():
    with pytest.raises(BadInput, match="one of llama, arcee, not 'gpt2'"):
        to_architecture(lively(SHAPES["usual"]), "gpt2")
