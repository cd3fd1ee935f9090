"""A corpus can be encoded by an imported model's own tokenizer."""

import json
import types

import pytest
import torch

from hutch.lm.exchange import ImportedModel, load_language_model, tokenizer_of
from hutch.runs import BadInput
from hutch.text.corpora import Corpus, CorpusConfig, build_corpus
from hutch.text.tokenizer import END_OF_DOCUMENT
from tests.lm.exchange.conftest import VOCABULARY

pytest.importorskip("transformers")


@pytest.fixture
def model(folder_of):
    return load_language_model(folder_of("llama"))


def test_ids_are_the_models(model, tokenizer, speeches):
    adopted = tokenizer_of(model)
    assert (adopted.vocabulary, adopted.end_of_document) == (VOCABULARY + 8, VOCABULARY - 1)
    for text in [*speeches, "  two  spaces\n\n\tand\ttabs ", "", "naïve 🙂 12345", f"a{END_OF_DOCUMENT}b"]:
        ids = adopted.encode(text)
        assert ids == model.tokenizer.encode(text, add_special_tokens=False, verbose=False) == tokenizer.encode(text)
        assert adopted.decode_bytes(ids) == text.encode()


def test_the_model_reads_a_corpus_of_it(model, speeches, tmp_path):
    """The loss of a document's ids in the corpus is that of its text."""
    rows = [{"text": text[start : start + 2000]} for text in speeches for start in range(0, 8000, 2000)]
    (tmp_path / "texts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    adopted = tokenizer_of(model)
    config = CorpusConfig(source=str(tmp_path / "texts.jsonl")).encoded_by(adopted)
    build_corpus(config, tmp_path / "corpus", tokenizer=adopted)
    corpus = Corpus.open(tmp_path / "corpus")
    shard = corpus.train
    for i in range(len(shard)):
        assert corpus.tokenizer.decode(shard.document(i)) in [row["text"] for row in rows]
    ids = torch.tensor([[adopted.end_of_document, *shard.document(0)[:20].tolist()]])
    with torch.no_grad():
        nats = model.model(ids, labels=ids).loss.item() * 20
    text = corpus.tokenizer.decode(shard.document(0)[:20])
    [whole] = model.rolling_log_likelihood([text])
    assert -whole == pytest.approx(nats, rel=1e-4)


def with_tokenizer(model, **settings):
    """The model's parts with another tokenizer object."""
    given = {"eos_token_id": 1, "backend_tokenizer": model.tokenizer.backend_tokenizer} | settings
    part = types.SimpleNamespace(ends=model.ends, tokenizer=types.SimpleNamespace(**given), name="it")
    part.model = model.model
    return part


def test_what_cannot_be_adopted_is_refused(model):
    with pytest.raises(BadInput, match=r"^it has no fast tokenizer"):
        tokenizer_of(with_tokenizer(model, backend_tokenizer=None))
    with pytest.raises(BadInput, match=r"^it: token 1 cannot end documents"):
        tokenizer_of(with_tokenizer(model))
    with pytest.raises(BadInput, match=r"^it: this is no tokenizer of the library"):
        tokenizer_of(with_tokenizer(model, backend_tokenizer=types.SimpleNamespace(to_str=lambda: "{}")))


def test_the_model_may_say_what_ends_a_text(model):
    part = with_tokenizer(model, eos_token_id=None)
    assert tokenizer_of(part).end_of_document == VOCABULARY - 1
    part.ends = frozenset({3, 1})
    with pytest.raises(BadInput, match=r"^it: tokens \[1, 3\] end a text; one is needed"):
        tokenizer_of(part)
    part.ends = frozenset()
    with pytest.raises(BadInput, match=r"^it: no token ends a text; one is needed"):
        tokenizer_of(part)


def test_a_tokenizer_that_changes_texts_is_refused(folder_of, tmp_path):
    content = json.loads((folder_of("llama") / "tokenizer.json").read_text())
    content["normalizer"] = {"type": "NFC"}
    for file in folder_of("llama").iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    model = ImportedModel.load(tmp_path, name="it")
    with pytest.raises(BadInput, match=r"^it: this tokenizer changes texts by a normalizer, NFC"):
        tokenizer_of(model)
