"""The text of tokens as it grows, for tokenizers that write spaces and bytes in different ways."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutch.lm.exchange.token_texts import TokenTexts
from hutch.lm.exchange.tokenizer_files import to_tokenizers

hf = pytest.importorskip("transformers")


def byte_level(tokenizer, speeches):
    return to_tokenizers(tokenizer)


def sentence_pieces(tokenizer, speeches):
    """As Llama 2's: a word holds the space before it, the first word none, and rare characters are bytes."""
    from tokenizers import Tokenizer, decoders, models, normalizers, trainers

    engine = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    engine.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    pieces = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    engine.decoder = decoders.Sequence(pieces)
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>"], show_progress=False)
    engine.train_from_iterator([speech[:3000] for speech in speeches], trainer)
    # Bytes that were given to the trainer would be special tokens, which have no text.
    content = json.loads(engine.to_str())
    vocabulary = content["model"]["vocab"]
    vocabulary |= {f"<0x{byte:02X}>": len(vocabulary) + byte for byte in range(256)}
    return Tokenizer.from_str(json.dumps(content))


@pytest.fixture(scope="module", params=[byte_level, sentence_pieces])
def fast(request, tokenizer, speeches):
    return hf.PreTrainedTokenizerFast(tokenizer_object=request.param(tokenizer, speeches))


def told(fast, prompt, ids):
    """What is told of `ids` behind `prompt`, token by token, and at the end."""
    texts = TokenTexts(fast, prompt)
    return [*(texts.write(token) for token in ids), texts.close()]


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd▁"), min_size=1, max_size=40))
def test_the_pieces_are_the_text(fast, text):
    prompt = fast.encode("We say: ")
    ids = fast.encode(f"We say: {text}")
    cut = len([1 for a, b in zip(prompt, ids, strict=False) if a == b])
    whole, before = fast.decode(ids), fast.decode(ids[:cut])
    assert "".join(told(fast, ids[:cut], ids[cut:])) == whole[len(before) :].rstrip("\ufffd")


def test_words_keep_the_space_before_them(fast):
    ids = fast.encode("the state of the union")
    assert "".join(told(fast, ids[:1], ids[1:])) == fast.decode(ids)[len(fast.decode(ids[:1])) :]


def test_a_character_comes_whole_and_half_a_one_not_at_all(fast):
    ids = fast.encode("a🙂")
    pieces = told(fast, ids[:1], ids[1:])
    assert "🙂" in pieces
    assert "\ufffd" not in "".join(told(fast, ids[:1], ids[1:-1]))


def test_special_tokens_have_no_text(tokenizer):
    from tokenizers import AddedToken

    fast = hf.PreTrainedTokenizerFast(tokenizer_object=to_tokenizers(tokenizer))
    fast.add_special_tokens({"eos_token": AddedToken("<|end_of_document|>", special=True)})
    ids = fast.encode("the state")
    assert "".join(told(fast, ids[:1], [tokenizer.end_of_document, *ids[1:]])) == fast.decode(ids)[1:]
