"""Every text comes back, and the two libraries agree."""

import itertools
import json
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.runs.errors import BadInput, HutchError
from hutch.text.embedded import EMBEDDED
from hutch.text.sources import read_source
from hutch.text.tokenizer import END_OF_DOCUMENT, Tokenizer, byte_alphabet, trained_engine


@pytest.fixture(scope="module")
def texts():
    return [document.text for document in EMBEDDED["speeches"].read()][:40]


@pytest.fixture(scope="module")
def tokenizer(texts):
    return Tokenizer.train(texts, 1000)


@pytest.fixture(scope="module")
def peer(texts):
    """Text to pieces of bytes by the library `tokenizers`, trained in the same way."""
    engine, alphabet = trained_engine(texts, 999), byte_alphabet()
    return lambda text: [bytes(map(alphabet.get, token)) for token in engine.encode(text).tokens]


def pieces(tokenizer, text):
    return [tokenizer.decode_bytes([i]) for i in tokenizer.encode(text)]


def test_training_is_repeatable(texts, tokenizer):
    assert Tokenizer.train(texts, 1000).digest == tokenizer.digest
    assert Tokenizer.train(texts, 999).digest != tokenizer.digest
    assert tokenizer.vocabulary == 1000
    assert tokenizer.end_of_document == 999


def test_same_tokens_as_tokenizers_on_speeches(texts, tokenizer, peer):
    for text in texts:
        assert pieces(tokenizer, text) == peer(text)


def test_same_tokens_as_tokenizers_on_the_work_corpus(work_corpus, tokenizer, peer):
    for subset in ("news", "dialogue", "encyclopedia", "web"):
        documents = read_source(work_corpus / "holdout" / f"{subset}.jsonl.zst").documents()
        for document in itertools.islice(documents, 100):
            assert pieces(tokenizer, document.text) == peer(document.text)


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_unicode_comes_back(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.byte_lengths[ids].sum() == len(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        unicodedata.normalize("NFC", "é ở Å"),
        unicodedata.normalize("NFD", "é ở Å"),
        "".join(map(chr, range(0xA0))),
        "\r\n\r \n\t  x   \u00a0\u2003\u3000y\u2028z",
        "👩‍👩‍👧‍👦🏳️‍🌈\ufeff\U0010ffff",
        f"a {END_OF_DOCUMENT} b<|endoftext|>",
        " " * 100_000 + "x",
        "",
    ],
)
def test_difficult_text_comes_back(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.end_of_document not in ids


def test_a_million_spaces_do_not_overflow(tokenizer):
    assert tokenizer.decode(tokenizer.encode(" " * 1_200_000)) == " " * 1_200_000


@pytest.mark.parametrize(
    ("text", "longest"),
    [
        pytest.param("a" * 1_000_000, 32, id="letters"),
        pytest.param("".join(chr(0x4E00 + i * 7919 % 20_000) for i in range(300_000)), 3 * 32, id="Chinese"),
        pytest.param("=" * 100_000, 32, id="marks"),
        pytest.param("\n" * 100_000, 256 + 32, id="newlines"),
    ],
)
def test_long_runs_are_cut_into_short_pieces(text, longest):
    tokenizer = Tokenizer([text[0].encode()[:2] * 2**i for i in range(1, 10)])
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.byte_lengths[ids].max() <= longest  # no token is longer than the piece it is in


def test_lone_surrogates_are_refused(tokenizer):
    for encode in (tokenizer.encode, lambda text: tokenizer.encode_batch([text])):
        with pytest.raises(BadInput, match="lone surrogate at character 2"):
            encode("ab\ud800")


def test_batches_equal_single_texts(texts, tokenizer):
    for threads in (1, 2):
        for text, ids in zip(texts, tokenizer.encode_batch(texts, threads), strict=True):
            assert ids.dtype == np.uint16
            assert ids.tolist() == tokenizer.encode(text)


def test_cut_characters_and_ends_decode(tokenizer):
    euro = list("€".encode())
    assert tokenizer.decode([*euro, tokenizer.end_of_document, *euro[:2]]) == "€\ufffd"
    assert tokenizer.decode_bytes(np.array(euro[:2])) == b"\xe2\x82"
    with pytest.raises(BadInput, match="run from 0 to 1000"):
        tokenizer.decode([0, 1000])


def test_a_vocabulary_that_the_text_cannot_fill():
    with pytest.raises(BadInput, match="supports at most 259 tokens"):
        Tokenizer.train(["ab ab ab"], 5000)
    assert Tokenizer.train(["ab ab ab"], 258).decode([256]) == "ab"
    with pytest.raises(BadInput, match="vocabulary is 200; it must be at least 257"):
        Tokenizer.train(["ab"], 200)


def test_large_vocabularies_need_wider_ids():
    merged = [bytes([a, b]) for a in range(256) for b in range(256)]
    assert Tokenizer(merged[: 2**16 - 257]).dtype == np.uint16
    assert Tokenizer(merged[: 2**16 - 256]).dtype == np.uint32


def test_save_and_load(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    loaded = Tokenizer.load(path)
    assert loaded.digest == tokenizer.digest
    assert loaded.encode("My fellow citizens") == tokenizer.encode("My fellow citizens")

    content = json.loads(path.read_text())
    content["merged"][0] = content["merged"][1]
    path.write_text(json.dumps(content))
    with pytest.raises(HutchError, match="given twice"):
        Tokenizer.load(path)
    path.write_text(json.dumps(content | {"merged": content["merged"][2:]}))
    with pytest.raises(HutchError, match=r"tokenizer.json is a damaged tokenizer file"):
        Tokenizer.load(path)
    path.write_text("{}")
    with pytest.raises(HutchError, match="is not a tokenizer of the format"):
        Tokenizer.load(path)
