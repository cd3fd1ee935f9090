"""The folder that transformers reads."""

import json
import logging

import pytest
import torch

from hutch.lm import build_model, load_model, model_of_width, save_weights
from hutch.lm.exchange import export_model
from hutch.lm.language_model import Sampling
from hutch.lm.own_model import OwnModel
from hutch.runs import BadInput, HutchError
from hutch.text.adopted_tokenizer import AdoptedTokenizer
from hutch.text.tokenizer import trained_engine

hf = pytest.importorskip("transformers")


@pytest.fixture(params=["llama", "arcee"])
def exported(request, run, tmp_path):
    return export_model(run, tmp_path / "out", architecture=request.param)


def test_transformers_gives_the_same_logits_and_ids(run, exported, tokenizer, speeches):
    architecture = json.loads((exported / "config.json").read_text())["architectures"]
    theirs, found = hf.AutoModelForCausalLM.from_pretrained(exported, output_loading_info=True)
    fast = hf.AutoTokenizer.from_pretrained(exported)
    assert [type(theirs).__name__] == architecture
    assert not any(found.values())
    ours = load_model(run / "model.safetensors")
    ids = fast(speeches[0], return_tensors="pt", verbose=False).input_ids[:, : ours.config.context]
    assert ids[0].tolist() == tokenizer.encode(speeches[0])[: ours.config.context]
    with torch.no_grad():
        assert torch.allclose(theirs(ids).logits, ours(ids), atol=1e-4)


def test_transformers_has_nothing_to_remark(exported, caplog):
    with caplog.at_level(logging.WARNING, "transformers"):
        model, fast = (kind.from_pretrained(exported) for kind in (hf.AutoModelForCausalLM, hf.AutoTokenizer))
        prompts = fast(["a dog", "and a cat"], padding=True, return_tensors="pt", return_token_type_ids=False)
        model.generate(**prompts, max_new_tokens=3, do_sample=False)
    assert caplog.messages == []


def test_a_text_ends_where_the_model_says_so(exported, tokenizer):
    model = hf.AutoModelForCausalLM.from_pretrained(exported)
    ends = model.generation_config.eos_token_id, model.config.eos_token_id, model.config.bos_token_id
    assert ends == (tokenizer.end_of_document,) * 3


def test_the_card_loads_what_it_describes(exported, capsys, monkeypatch):
    card = (exported / "README.md").read_text()
    assert f"{load_parameters(exported):,} parameters" in card
    monkeypatch.chdir(exported)
    code = card.split("```python\n")[1].split("```")[0]
    exec(code.replace("max_new_tokens=100", "max_new_tokens=4"))
    assert capsys.readouterr().out.startswith("<|end_of_document|>Once upon a time")


def load_parameters(folder):
    """The parameters of the exported model that are not dead."""
    state = hf.AutoModelForCausalLM.from_pretrained(folder).state_dict()
    dead = ("gate_proj.bias", "down_proj.bias", "lm_head.weight")
    dead += ("up_proj.bias", "up_proj.weight") if any("gate_proj" in name for name in state) else ()
    return sum(value.numel() for name, value in state.items() if not name.endswith(dead))


def test_an_export_again_replaces_the_old_one(run, exported, tmp_path, tokenizer):
    other = tmp_path / "other"
    save_weights(other / "model.safetensors", build_model(model_of_width(16, vocabulary=400, context=8), 0))
    tokenizer.save(other / "tokenizer.json")
    export_model(other, exported)
    assert hf.AutoModelForCausalLM.from_pretrained(exported).config.hidden_size == 16


def test_a_model_with_an_adopted_tokenizer(tmp_path, speeches):
    """The end of document is not the last id, and the embedding is padded."""
    engine = trained_engine(speeches, 350)
    engine.add_special_tokens(["<end>", "<begin>"])
    adopted = AdoptedTokenizer(engine.to_str(), 350, vocabulary=400)
    save_weights(tmp_path / "run" / "model.safetensors", build_model(model_of_width(16, vocabulary=400, context=32), 0))
    adopted.save(tmp_path / "run" / "tokenizer.json")
    own = OwnModel.load(tmp_path / "run")
    assert len(own.generate(["My <end> fellow"], Sampling(tokens=8))) == 1
    export_model(tmp_path / "run", tmp_path / "out")
    theirs = hf.AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    fast = hf.AutoTokenizer.from_pretrained(tmp_path / "out")
    assert fast.eos_token_id == fast.bos_token_id == theirs.config.eos_token_id == 350
    for text in [*speeches, "My <end> fellow"]:
        assert fast.encode(text, verbose=False) == adopted.encode(text)
    ids = torch.tensor([[350, *adopted.encode(speeches[0])[:20]]])
    with torch.no_grad():
        assert torch.allclose(theirs(ids).logits, own.model(ids), atol=1e-4)


def test_a_run_is_not_written_over(run):
    with pytest.raises(BadInput, match="holds a model of Hutch, which would be lost"):
        export_model(run, run)


def test_relative_positions_leave_nothing_behind(tmp_path, tokenizer):
    relative = build_model(model_of_width(16, vocabulary=400, context=8, positions="relative"), 0)
    save_weights(tmp_path / "run" / "model.safetensors", relative)
    tokenizer.save(tmp_path / "run" / "tokenizer.json")
    with pytest.raises(BadInput, match="relative positions cannot be exported"):
        export_model(tmp_path / "run", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_named(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HutchError, match="cannot write"):
        export_model(run, tmp_path / "file" / "out")
