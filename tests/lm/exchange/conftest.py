"""Small models of other people's classes, with a tokenizer of ours."""

import itertools

import pytest
import torch

from hutch.lm import build_model, model_of_width, save_weights
from hutch.text.embedded import EMBEDDED
from hutch.text.tokenizer import Tokenizer

VOCABULARY, CONTEXT = 400, 32


@pytest.fixture(autouse=True)
def everything_on_one_thread(one_thread):
    """Of all tests of this folder."""


@pytest.fixture(scope="session")
def speeches():
    return [document.text for document in itertools.islice(EMBEDDED["speeches"].read(), 12)]


@pytest.fixture(scope="session")
def tokenizer(speeches):
    return Tokenizer.train(speeches, VOCABULARY)


@pytest.fixture(scope="session")
def run(tokenizer, tmp_path_factory):
    """A run of Hutch: an untrained model with livelier logits than it would have, and its tokenizer."""
    folder = tmp_path_factory.mktemp("run")
    model = build_model(model_of_width(32, vocabulary=VOCABULARY, context=CONTEXT), 0)
    with torch.no_grad():
        model.embedding.weight.mul_(6)
    save_weights(folder / "model.safetensors", model)
    tokenizer.save(folder / "tokenizer.json")
    return folder


def tiny_configs():
    """One configuration of each class, by the class's name."""
    import transformers as hf

    sizes = {"vocab_size": VOCABULARY + 8, "bos_token_id": VOCABULARY - 1, "eos_token_id": VOCABULARY - 1}
    layers = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48}
    near = {"max_position_embeddings": CONTEXT, **layers, **sizes}
    return {
        "llama": hf.LlamaConfig(**near, num_key_value_heads=2),
        "gpt2": hf.GPT2Config(n_positions=CONTEXT, n_embd=32, n_layer=2, n_head=4, **sizes),
        "gpt_neox": hf.GPTNeoXConfig(**near),
        "bloom": hf.BloomConfig(hidden_size=32, n_layer=2, n_head=4, **sizes),
        "mamba": hf.MambaConfig(hidden_size=32, num_hidden_layers=2, state_size=4, **sizes),
    }


CLASSES = ["llama", "gpt2", "gpt_neox", "bloom", "mamba"]


@pytest.fixture(scope="session")
def folder_of(tokenizer, tmp_path_factory):
    """A class's name to a folder with such a model, random but lively, and the tokenizer."""
    hf = pytest.importorskip("transformers")
    from hutch.lm.exchange.tokenizer_files import to_tokenizers, tokenizer_config

    made = {}

    def make(name):
        if name not in made:
            folder = made[name] = tmp_path_factory.mktemp(name)
            torch.manual_seed(3)
            model = hf.AutoModelForCausalLM.from_config(tiny_configs()[name])
            with torch.no_grad():
                model.get_output_embeddings().weight.mul_(20)
            model.save_pretrained(folder)
            settings = tokenizer_config(tokenizer, CONTEXT)
            del settings["tokenizer_class"]
            fast = hf.PreTrainedTokenizerFast(tokenizer_object=to_tokenizers(tokenizer), **settings)
            fast.save_pretrained(folder)
        return made[name]

    return make


@pytest.fixture(params=CLASSES)
def folder(request, folder_of):
    """A folder with a model of each class."""
    return folder_of(request.param)
