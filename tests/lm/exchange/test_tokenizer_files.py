"""The written tokenizer gives our ids."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.lm.exchange.tokenizer_files import merged_pairs, to_tokenizers, tokenizer_config
from hutch.text.adopted_tokenizer import AdoptedTokenizer
from hutch.text.embedded import EMBEDDED
from hutch.text.tokenizer import END_OF_DOCUMENT, Tokenizer


@pytest.fixture(scope="module")
def peer(tokenizer):
    return to_tokenizers(tokenizer)


@pytest.fixture(scope="module")
def in_transformers(tokenizer, peer, tmp_path_factory):
    """As `AutoTokenizer` reads it."""
    hf = pytest.importorskip("transformers")
    from hutch.runs.atomic import write_json

    folder = tmp_path_factory.mktemp("tokenizer")
    peer.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", tokenizer_config(tokenizer, 64))
    write_json(folder / "config.json", {"model_type": "llama"})
    return hf.AutoTokenizer.from_pretrained(folder)


def test_pairs_by_hand():
    tokens = [b"a", b"b", b"ab", b"abab", b"bab"]
    assert merged_pairs(tokens) == [(b"a", b"b"), (b"ab", b"ab"), (b"b", b"ab")]


@pytest.mark.parametrize("subset", list(EMBEDDED))
def test_ids_on_the_embedded_corpus(tokenizer, peer, subset):
    for document in itertools.islice(EMBEDDED[subset].read(), 10):
        text = document.text[:50_000]
        ids = tokenizer.encode(text)
        assert peer.encode(text).ids == ids
        assert peer.decode(ids) == text


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=100))
def test_ids_of_any_unicode(tokenizer, peer, text):
    assert peer.encode(text).ids == tokenizer.encode(text)


def test_ids_where_the_same_token_has_many_cuts():
    draw = random.Random(0)
    ours = Tokenizer.train(["".join(draw.choices("ab", k=40)) for _ in range(200)], 330)
    peer = to_tokenizers(ours)
    for _ in range(2000):
        text = "".join(draw.choices("ab", weights=[draw.random() + 0.01, draw.random()], k=draw.randint(1, 60)))
        assert peer.encode(text).ids == ours.encode(text)


def test_transformers_reads_the_same_ids(tokenizer, in_transformers, speeches):
    for text in [*speeches, "  two  spaces\n\n\tand\ttabs ", "", "naïve 🙂 12345"]:
        ids = in_transformers.encode(text, verbose=False)
        assert ids == tokenizer.encode(text)
        assert in_transformers.decode(ids) == text


def test_an_adopted_tokenizer_is_the_librarys_own(tokenizer, peer, speeches):
    adopted = AdoptedTokenizer(peer.to_str(), tokenizer.end_of_document)
    again = to_tokenizers(adopted)
    for text in speeches:
        assert again.encode(text).ids == tokenizer.encode(text)
        assert again.decode(tokenizer.encode(text)) == text
    assert tokenizer_config(adopted, 64) == tokenizer_config(tokenizer, 64)
    assert AdoptedTokenizer(again.to_str(), adopted.end_of_document).digest == adopted.digest


def test_bytes_that_are_no_character_decode_as_ours_do(tokenizer, in_transformers):
    ids = [*"é🙂".encode()[:-1], 65, 0xFF, 66]
    assert in_transformers.decode(ids) == tokenizer.decode(ids)


def test_the_end_of_document_is_one_id_and_its_name_is_text(tokenizer, in_transformers):
    end = tokenizer.end_of_document
    assert in_transformers.bos_token_id == in_transformers.eos_token_id == in_transformers.pad_token_id == end
    assert len(in_transformers) == tokenizer.vocabulary
    named = f"a{END_OF_DOCUMENT}b"
    assert in_transformers.encode(named) == tokenizer.encode(named)
    assert in_transformers.encode(named, split_special_tokens=False) == [97, end, 98]
    assert in_transformers.decode([97, end, 98], skip_special_tokens=True) == "ab"
