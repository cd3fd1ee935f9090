"""GGUF files: what was written is what is read, quickly or not."""

import pytest
import torch

from hutch.lm.exchange import ImportedModel
from hutch.lm.exchange.gguf_files import quick_gguf
from hutch.runs import BadInput, HutchError
from tests.lm.exchange.small_gguf import write_gguf

hf = pytest.importorskip("transformers")
gguf = pytest.importorskip("gguf")


@pytest.fixture
def packed(folder_of, tmp_path):
    """A small Llama as a GGUF file, and as the folder that it was made from."""
    folder = folder_of("llama")
    path = tmp_path / "small.gguf"
    write_gguf(path, hf.AutoModelForCausalLM.from_pretrained(folder), hf.AutoTokenizer.from_pretrained(folder))
    return path, folder


def test_the_model_is_the_one_that_was_written(packed, speeches):
    found, expected = (ImportedModel.load(path) for path in packed)
    assert (found.context, found.ends, found.start) == (expected.context, expected.ends, expected.start)
    assert found.model.dtype == torch.float32
    # Its pieces are GPT-2's and not ours; where words stand alone that makes no difference.
    texts = ["We the people", "The state of the union"]
    assert found.rolling_log_likelihood(texts) == pytest.approx(expected.rolling_log_likelihood(texts), rel=1e-5)


def test_a_token_that_begins_texts_is_used_where_the_file_says_so(folder_of, packed, tmp_path):
    folder, path = folder_of("llama"), tmp_path / "begins.gguf"
    model, tokenizer = hf.AutoModelForCausalLM.from_pretrained(folder), hf.AutoTokenizer.from_pretrained(folder)
    write_gguf(path, model, tokenizer, begin=True)
    with_start, without = (ImportedModel.load(file).tokenizer.encode("We") for file in (path, packed[0]))
    assert with_start == [tokenizer.bos_token_id, *without]


def test_quick_reading_gives_the_same_weights(packed):
    path, _ = packed
    load = hf.AutoModelForCausalLM.from_pretrained
    before = gguf.GGUFReader, gguf.get_tensor_name_map
    plain = load(path.parent, gguf_file=path.name)
    with quick_gguf():
        quick = load(path.parent, gguf_file=path.name)
    assert (gguf.GGUFReader, gguf.get_tensor_name_map) == before
    found, expected = quick.state_dict(), plain.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_nothing_is_printed(packed, capfd):
    capfd.readouterr()
    ImportedModel.load(packed[0])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_a_file_that_was_cut_is_named(packed, share):
    path, _ = packed
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(HutchError, match=r"small\.gguf cannot be read as a language model: .+"):
        ImportedModel.load(path)


def test_another_file_with_its_name_is_refused(tmp_path):
    path = tmp_path / "text.gguf"
    path.write_text("not a model")
    with pytest.raises(BadInput, match=r"text\.gguf is not a GGUF file"):
        ImportedModel.load(path)


def test_an_unknown_architecture_is_named(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "new.gguf", "not-invented-yet")
    writer.add_block_count(1)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(HutchError, match="not-invented-yet"):
        ImportedModel.load(tmp_path / "new.gguf")
