"""Other people's byte-level BPE gives its own ids, and every text comes back."""

import itertools
import json
import pickle
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import Tokenizer as Library

from hutch.runs.errors import BadInput, HutchError
from hutch.text.adopted_tokenizer import AdoptedTokenizer
from hutch.text.embedded import EMBEDDED
from hutch.text.sources import read_source
from hutch.text.tokenizer import SPLIT_PATTERN, Tokenizer, byte_alphabet

END, SIZE = "<|endoftext|>", 700
BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False)
AFTER_A_SPLIT = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)


@pytest.fixture(scope="module")
def texts():
    return [document.text for document in itertools.islice(EMBEDDED["speeches"].read(), 20)]


def trained(texts, pre_tokenizer, special, alphabet=None):
    """An engine of the library; the special tokens have the first ids."""
    engine = Library(models.BPE())
    engine.pre_tokenizer, engine.decoder = pre_tokenizer, decoders.ByteLevel()
    letters = list(byte_alphabet() if alphabet is None else alphabet)
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE, initial_alphabet=letters, special_tokens=special, show_progress=False
    )
    engine.train_from_iterator(texts, trainer)
    return engine


def like_smollm2(texts):
    """Special tokens come first, digits stand alone."""
    steps = [pre_tokenizers.Digits(individual_digits=True), BYTE_LEVEL]
    return trained(texts, pre_tokenizers.Sequence(steps), [END, "<|im_start|>"])


def like_llama3(texts):
    """A pattern, pieces that are tokens taken whole, special tokens last and one before each text."""
    steps = [pre_tokenizers.Split(Regex(SPLIT_PATTERN), "isolated"), AFTER_A_SPLIT]
    engine = trained(texts, pre_tokenizers.Sequence(steps), [])
    content = json.loads(engine.to_str())
    content["model"]["ignore_merges"] = True
    engine = Library.from_str(json.dumps(content))
    engine.add_special_tokens(["<|begin|>", END])
    engine.post_processor = processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[("<|begin|>", SIZE)])
    return engine


def like_gpt_neox(texts):
    """Runs of spaces and a name that are added without being special."""
    engine = trained(texts, BYTE_LEVEL, [END])
    engine.add_tokens([AddedToken(" " * n, normalized=True) for n in (2, 3, 4)] + ["<think>", "é\n"])
    return engine


KINDS = {kind.__name__: kind for kind in (like_smollm2, like_llama3, like_gpt_neox)}


@pytest.fixture(scope="module", params=list(KINDS))
def engine(request, texts):
    return KINDS[request.param](texts)


@pytest.fixture(scope="module")
def adopted(engine):
    return AdoptedTokenizer(engine.to_str(), engine.token_to_id(END))


@pytest.fixture(scope="module")
def smol(texts):
    """One kind, for what does not depend on it."""
    return like_smollm2(texts)


def changed(engine, **parts):
    """The JSON text with other parts; those of the model by `model`."""
    content = json.loads(engine.to_str())
    return json.dumps({**content, **parts, "model": content["model"] | parts.get("model", {})})


def test_ids_are_the_librarys(engine, adopted, texts):
    for text in [*texts, "in 1984,  12345 € naïve\n\n\tdef f(x):\n    return x", ""]:
        ids = adopted.encode(text)
        assert ids == engine.encode(text, add_special_tokens=False).ids
        assert adopted.decode(ids) == text == engine.decode(ids)
    assert adopted.end_of_document == engine.token_to_id(END)
    assert adopted.vocabulary == engine.get_vocab_size()


def test_ids_and_bytes_on_the_work_corpus(work_corpus, engine, adopted):
    for subset in ("news", "dialogue", "encyclopedia", "web"):
        documents = read_source(work_corpus / "holdout" / f"{subset}.jsonl.zst").documents()
        for document in itertools.islice(documents, 100):
            ids = adopted.encode(document.text)
            assert ids == engine.encode(document.text, add_special_tokens=False).ids
            assert adopted.decode_bytes(ids) == document.text.encode()


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_unicode_comes_back(adopted, text):
    ids = adopted.encode(text)
    assert adopted.decode_bytes(ids) == text.encode()
    assert adopted.byte_lengths[ids].sum() == len(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        unicodedata.normalize("NFC", "é ở Å"),
        unicodedata.normalize("NFD", "é ở Å"),
        "".join(map(chr, range(0xA0))),
        "\r\n\r \n\t  x   \u00a0\u2003\u3000y\u2028z",
        "👩‍👩‍👧‍👦🏳️‍🌈\ufeff\U0010ffff",
        f"a {END} b<|im_start|><|begin|>{END}",
        "  <think> \u00e9\n <thi",
        " " * 100_000 + "x",
        "",
    ],
)
def test_difficult_text_comes_back(adopted, text):
    ids = adopted.encode(text)
    assert adopted.decode_bytes(ids) == text.encode()
    assert adopted.byte_lengths[ids].sum() == len(text.encode())
    assert adopted.end_of_document not in ids


def test_long_runs_come_back(adopted):
    for text in ("a" * 300_000, " " * 300_000, "é" * 100_000, "\n" * 100_000):
        assert adopted.decode(adopted.encode(text)) == text


def test_a_character_is_several_tokens(adopted):
    ids = adopted.encode("🙂")
    assert len(ids) == 4
    assert [adopted.decode_bytes([i]) for i in ids] == [bytes([byte]) for byte in "🙂".encode()]
    assert adopted.decode([*ids, adopted.end_of_document, *ids[:2]]) == "🙂\ufffd"


def test_names_of_special_tokens_are_text_and_those_of_others_are_not(texts):
    engine = like_gpt_neox(texts)
    adopted = AdoptedTokenizer(engine.to_str(), engine.token_to_id(END))
    assert engine.encode(END).ids == [adopted.end_of_document] != adopted.encode(END)
    think = engine.token_to_id("<think>")
    assert adopted.encode("<think>") == [think]
    assert adopted.decode_bytes([think, adopted.end_of_document]) == b"<think>"


def test_the_end_of_document_counts_as_special(texts):
    engine = like_gpt_neox(texts)
    adopted = AdoptedTokenizer(engine.to_str(), engine.token_to_id("<think>"))
    assert adopted.end_of_document not in adopted.encode("a<think>b")
    assert adopted.decode(adopted.encode("a<think>b")) == "a<think>b"


def test_what_is_put_around_texts_does_not_matter(texts, smol):
    plain = AdoptedTokenizer(smol.to_str(), 0)
    smol = like_smollm2(texts)
    smol.enable_truncation(8)
    smol.enable_padding(length=12)
    smol.post_processor = processors.TemplateProcessing(single=f"{END} $A", special_tokens=[(END, 0)])
    adopted = AdoptedTokenizer(smol.to_str(), 0)
    assert adopted.digest == plain.digest
    assert adopted.encode(texts[0]) == plain.encode(texts[0])


def test_padded_embeddings(smol):
    adopted = AdoptedTokenizer(smol.to_str(), 0, vocabulary=70_000)
    assert (adopted.vocabulary, adopted.dtype, len(adopted.byte_lengths)) == (70_000, np.uint32, 70_000)
    assert adopted.encode_batch(["a b"])[0].dtype == np.uint32
    assert adopted.decode([69_999, *adopted.encode("a"), SIZE]) == "a"
    with pytest.raises(BadInput, match="run from 0 to 70000; they must be below 70000"):
        adopted.decode_bytes([0, 70_000])


def test_special_tokens_that_the_model_does_not_know(texts):
    engine = like_smollm2(texts)
    engine.add_special_tokens(["[PAD]"])
    assert AdoptedTokenizer(engine.to_str(), 0).vocabulary == SIZE + 1
    adopted = AdoptedTokenizer(engine.to_str(), 0, vocabulary=SIZE)
    assert adopted.decode(adopted.encode("a [PAD]")) == "a [PAD]"
    with pytest.raises(BadInput, match=f"uses token {SIZE - 1}; a vocabulary of {SIZE - 1} does not have it"):
        AdoptedTokenizer(engine.to_str(), 0, vocabulary=SIZE - 1)
    with pytest.raises(BadInput, match=f"uses token {SIZE}; a vocabulary of {SIZE} does not"):
        AdoptedTokenizer(engine.to_str(), SIZE, vocabulary=SIZE)
    engine.add_tokens(["a word"])
    with pytest.raises(BadInput, match=f"uses token {SIZE + 1}; a vocabulary of {SIZE} does not"):
        AdoptedTokenizer(engine.to_str(), 0, vocabulary=SIZE)


def test_batches_equal_single_texts(adopted, texts):
    for threads in (1, 2):
        for text, ids in zip(texts, adopted.encode_batch(texts, threads), strict=True):
            assert ids.dtype == np.uint16
            assert ids.tolist() == adopted.encode(text)


def test_the_digest_names_what_decides_the_ids(smol):
    adopted = AdoptedTokenizer(smol.to_str(), 0)
    joined = {"merges": [" ".join(pair) for pair in json.loads(smol.to_str())["model"]["merges"]]}
    assert AdoptedTokenizer(changed(smol, model=joined), 0).digest == adopted.digest
    others = [
        AdoptedTokenizer(smol.to_str(), 1),
        AdoptedTokenizer(smol.to_str(), 0, vocabulary=SIZE + 8),
        AdoptedTokenizer(changed(smol, model={"merges": json.loads(smol.to_str())["model"]["merges"][:-1]}), 0),
        AdoptedTokenizer(changed(smol, pre_tokenizer=json.loads(BYTE_LEVEL.__getstate__())), 0),
    ]
    assert len({adopted.digest, *(other.digest for other in others)}) == 5


def test_save_and_load(adopted, tmp_path, texts):
    adopted.save(tmp_path / "tokenizer.json")
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.json"]
    copies = [Tokenizer.load(tmp_path / "tokenizer.json"), pickle.loads(pickle.dumps(adopted))]
    for copy in copies:
        assert type(copy) is AdoptedTokenizer
        assert (copy.digest, copy.vocabulary, copy.end_of_document, copy.end_name) == (
            adopted.digest,
            adopted.vocabulary,
            adopted.end_of_document,
            END,
        )
        for text in (texts[0], f"a{END}b"):
            assert copy.encode(text) == adopted.encode(text)


def test_either_class_loads_either_kind(smol, tmp_path):
    AdoptedTokenizer(smol.to_str(), 0).save(tmp_path / "adopted.json")
    Tokenizer([b"ab"]).save(tmp_path / "learned.json")
    for kind in (Tokenizer, AdoptedTokenizer):
        assert type(kind.load(tmp_path / "adopted.json")) is AdoptedTokenizer
        assert type(kind.load(tmp_path / "learned.json")) is Tokenizer


def test_damaged_files(smol, tmp_path):
    path = tmp_path / "tokenizer.json"
    AdoptedTokenizer(smol.to_str(), 0).save(path)
    content = json.loads(path.read_text())
    for change in (
        {"end_of_document": 1},
        {"vocabulary": SIZE + 1},
        {"vocabulary": "all"},
        {"end_of_document": None},
        {"tokenizers": content["tokenizers"].replace("Ġthe", "Ġhte")},
        {"tokenizers": content["tokenizers"][:1000]},
        {"tokenizers": "{}"},
        {"tokenizers": None},
        {"digest": None},
    ):
        path.write_text(json.dumps(content | change))
        with pytest.raises(HutchError, match=r"tokenizer.json is a damaged tokenizer file: .*"):
            Tokenizer.load(path)
    del content["tokenizers"]
    path.write_text(json.dumps(content))
    with pytest.raises(HutchError, match=r"tokenizer.json is a damaged tokenizer file: 'tokenizers'"):
        Tokenizer.load(path)


def pre(*steps):
    """The JSON of these steps."""
    return json.loads(pre_tokenizers.Sequence(list(steps)).__getstate__())


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"normalizer": json.loads(normalizers.NFC().__getstate__())}, "changes texts by a normalizer, NFC"),
        ({"normalizer": json.loads(normalizers.Lowercase().__getstate__())}, "changes texts by a normalizer, Lowerc"),
        ({"pre_tokenizer": pre(pre_tokenizers.Metaspace())}, "cuts texts by Metaspace"),
        ({"pre_tokenizer": pre(pre_tokenizers.Whitespace(), AFTER_A_SPLIT)}, "cuts texts by Whitespace"),
        ({"pre_tokenizer": pre(pre_tokenizers.Split(" ", "removed"), AFTER_A_SPLIT)}, "cuts texts by Split"),
        ({"pre_tokenizer": pre(pre_tokenizers.Punctuation("removed"), AFTER_A_SPLIT)}, "cuts texts by Punctuation"),
        ({"pre_tokenizer": pre(pre_tokenizers.ByteLevel())}, "puts a space before texts"),
        ({"pre_tokenizer": pre(AFTER_A_SPLIT, AFTER_A_SPLIT)}, "does not cut texts into bytes"),
        ({"pre_tokenizer": pre(pre_tokenizers.Digits())}, "does not cut texts into bytes"),
        ({"pre_tokenizer": None}, "does not cut texts into bytes"),
        ({"model": {"type": "WordPiece"}}, "is no BPE but WordPiece"),
        ({"model": {"dropout": 0.1}}, "has dropout=0.1"),
        ({"model": {"byte_fallback": True}}, "has byte_fallback=True"),
        ({"model": {"end_of_word_suffix": "</w>"}}, "has end_of_word_suffix='</w>'"),
    ],
)
def test_what_does_not_give_texts_back_is_refused(smol, parts, reason):
    with pytest.raises(BadInput, match=f"^this tokenizer {reason}.*: only byte-level BPE without a normalizer can be"):
        AdoptedTokenizer(changed(smol, **parts), 0)


def test_a_normalizer_that_does_nothing_is_none(smol):
    nothing = {"normalizer": {"type": "Sequence", "normalizers": []}}
    assert AdoptedTokenizer(changed(smol, **nothing), 0).digest == AdoptedTokenizer(smol.to_str(), 0).digest


def test_an_added_token_that_takes_spaces_away_is_refused_unless_special(texts):
    engine = like_smollm2(texts)
    engine.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    adopted = AdoptedTokenizer(engine.to_str(), 0)
    assert adopted.decode(adopted.encode("a  <mask>")) == "a  <mask>"
    engine.add_tokens([AddedToken("<sep>", rstrip=True)])
    with pytest.raises(BadInput, match="takes the spaces around '<sep>' away"):
        AdoptedTokenizer(engine.to_str(), 0)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"model": {}}'])
def test_what_is_no_tokenizer_is_refused(text):
    with pytest.raises(BadInput, match="this is no tokenizer of the library tokenizers: "):
        AdoptedTokenizer(text, 0)


def test_what_the_library_refuses_is_refused(smol):
    with pytest.raises(BadInput, match="this is no tokenizer of the library tokenizers: "):
        AdoptedTokenizer(changed(smol, model={"merges": [["x", "no such token"]]}), 0)


@pytest.mark.parametrize("end", [5, SIZE, -1])
def test_a_token_of_texts_cannot_end_documents(smol, end):
    with pytest.raises(BadInput, match=f"token {end} cannot end documents: it is none of the 2 added tokens"):
        AdoptedTokenizer(smol.to_str(), end)


def test_lone_surrogates_are_refused(adopted):
    for encode in (adopted.encode, lambda text: adopted.encode_batch([text])):
        with pytest.raises(BadInput, match="lone surrogate at character 2"):
            encode("ab\ud800")


def test_bytes_that_are_no_token_are_refused(texts):
    """Where the alphabet was learned, as SmolLM2's; the library would leave such bytes out without a word."""
    letters = {letter: byte for letter, byte in byte_alphabet().items() if byte not in (0x04, 0x80, 0xF1, 0xFF)}
    engine = trained(["words and words"], BYTE_LEVEL, [END], alphabet=letters)
    adopted = AdoptedTokenizer(engine.to_str(), 0)
    assert engine.encode("a\x04").ids == engine.encode("a").ids
    for text, found in (("é\x04", "0004"), ("é\U00041000", "41000"), ("🙂Ā", "0100")):
        for call in (adopted.check, adopted.encode):
            with pytest.raises(BadInput, match=rf"U\+{found} at character 1, for which the tokenizer has no token"):
                call(text)
    assert adopted.decode(adopted.encode("é\x05\U00012345")) == "é\x05\U00012345"


def test_a_piece_that_is_a_special_token_is_refused(smol):
    """Cut by nothing, a whole text may be a token's name."""
    text = changed(smol, pre_tokenizer=pre(AFTER_A_SPLIT), model={"ignore_merges": True})
    adopted = AdoptedTokenizer(text, 0)
    assert adopted.decode(adopted.encode(f" {END}")) == f" {END}"
    with pytest.raises(BadInput, match="gives 0 bytes back of a text of 13: '<|endoftext|>'".replace("|", r"\|")):
        adopted.encode(END)


def test_nothing_is_learned_of_this_kind():
    assert type(AdoptedTokenizer.train(["ab ab ab"], 258)) is Tokenizer
