"""A shard reads as whole or not at all."""

import os

import numpy as np
import pytest

from hutch.runs.errors import BadInput, HutchError
from hutch.text.shards import Shard, ShardWriter, subset_totals
from hutch.text.tokenizer import Tokenizer

TEXTS = ["first text", "zweiter Text: äöü", "third"]


@pytest.fixture
def tokenizer():
    return Tokenizer([b"te", b"xt", b"text"])


@pytest.fixture
def shard(tokenizer, tmp_path):
    with ShardWriter(tmp_path / "shard", tokenizer, ["en", "de"], "source") as writer:
        for text, subset in zip(TEXTS, (0, 1, 0), strict=True):
            writer.add(tokenizer.encode_batch([text])[0], subset)
    return Shard.open(tmp_path / "shard", tokenizer.digest)


def test_what_is_written_is_read(shard, tokenizer):
    assert len(shard) == 3
    assert shard.tokens.dtype == np.uint16
    assert shard.subsets == ("en", "de")
    assert (shard.tokenizer_digest, shard.source_digest) == (tokenizer.digest, "source")
    for i, text in enumerate(TEXTS):
        ids = shard.document(i)
        assert ids[-1] == tokenizer.end_of_document
        assert tokenizer.decode(ids) == text
        assert shard.documents["bytes"][i] == len(text.encode())
    assert shard.indices("en").tolist() == [0, 2]
    shard.verify()
    totals = dict(subset_totals(shard))
    assert totals["de"] == {"documents": 1, "tokens": len(shard.document(1)), "bytes": 20}
    with pytest.raises(BadInput, match="no subset 'fr'; it has en, de"):
        shard.indices("fr")


def test_wide_vocabulary_is_written_in_four_bytes(tmp_path):
    merged = [bytes([a, b]) for a in range(256) for b in range(256)]
    wide = Tokenizer(merged)
    with ShardWriter(tmp_path, wide, ["a"], "") as writer:
        writer.add(np.array([65_600], dtype=np.uint32), 0)
    assert Shard.open(tmp_path).tokens.tolist() == [65_600, wide.end_of_document]


@pytest.mark.parametrize("name", ["tokens.bin", "documents.npy"])
def test_a_truncated_file_is_named(shard, name):
    path = shard.folder / name
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(HutchError, match=rf"{name} has [\d,]+ bytes and should have [\d,]+"):
        Shard.open(shard.folder)
    path.unlink()
    with pytest.raises(HutchError, match=rf"{name} is missing"):
        Shard.open(shard.folder)


def test_other_content_is_named(shard, tokenizer):
    with pytest.raises(HutchError, match="was encoded by tokenizer"):
        Shard.open(shard.folder, "another")
    right = shard.documents.copy()
    table = right.copy()
    table["tokens"][0] += 1
    np.save(shard.folder / "documents.npy", table)
    with pytest.raises(HutchError, match=r"documents.npy does not match"):
        Shard.open(shard.folder)
    np.save(shard.folder / "documents.npy", right)
    path = shard.folder / "tokens.bin"
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    with pytest.raises(HutchError, match=r"tokens.bin is damaged"):
        Shard.open(shard.folder).verify()


def test_another_table_of_the_same_shape_is_named(shard):
    table = shard.documents.copy()
    table["bytes"][0] += 1
    np.save(shard.folder / "documents.npy", table)
    with pytest.raises(HutchError, match=r"documents.npy is damaged"):
        Shard.open(shard.folder).verify()


def test_an_interrupted_writer_leaves_no_shard(tokenizer, tmp_path):
    def interrupted():
        with ShardWriter(tmp_path, tokenizer, ["a"], "") as writer:
            writer.add(np.array([1, 2]), 0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(HutchError, match=r"manifest.json does not exist"):
        Shard.open(tmp_path)


def test_what_a_killed_writer_left_is_removed(tokenizer, tmp_path):
    old, fresh = tmp_path / ".tokens.bin.1.tmp", tmp_path / ".tokens.bin.2.tmp"
    old.touch()
    fresh.touch()
    os.utime(old, (0, 0))
    with ShardWriter(tmp_path, tokenizer, ["a"], "") as writer:
        writer.add(np.array([1]), 0)
    assert not old.exists()
    assert fresh.exists()


def test_an_empty_shard_is_refused(tokenizer, tmp_path):
    with pytest.raises(BadInput, match="no documents"), ShardWriter(tmp_path, tokenizer, ["a"], ""):
        pass
