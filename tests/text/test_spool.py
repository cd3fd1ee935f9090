"""The spool keeps each text once."""

import contextlib
from pathlib import Path

import pytest

from hutch.runs.errors import BadInput, HutchError
from hutch.text.documents import Document
from hutch.text.spool import NAMES_KEPT, Spool, listed


@pytest.fixture
def filled(tmp_path):
    """Makes spools filled with (text, subset) pairs."""
    with contextlib.ExitStack() as stack:

        def fill(*documents):
            spool = stack.enter_context(Spool(tmp_path))
            spool.fill([Document(text, subset, f"{subset}/{i}") for i, (text, subset) in enumerate(documents)])
            return spool

        yield fill


def test_texts_come_back_without_duplicates(filled):
    spool = filled(("ä b", "x"), ("", "y"), ("ä  b\n", "y"), ("c\u2028", "y"), ("d", "x"))
    assert [spool.read(i) for i in (2, 0, 1)] == ["d", "ä b", "c\u2028"]
    assert spool.names == ["x", "y"]
    assert spool.subsets.tolist() == [0, 1, 0]
    assert spool.sizes.tolist() == [4, 4, 1]
    assert len(set(spool.hashes.tolist())) == 3
    y = spool.notes["y"]
    assert (y.documents, y.bytes, y.duplicates, y.empty) == (1, 4, 1, 1)


def test_names_are_those_of_kept_documents_in_alphabetical_order(filled):
    spool = filled(("", "_"), ("one", "b"), ("two", "a"), ("one", "c"))
    assert spool.names == ["a", "b"]
    assert [spool.names[i] for i in spool.subsets] == ["b", "a"]
    assert spool.notes["c"].duplicates == 1


def test_which_duplicate_is_kept_does_not_depend_on_the_order(filled):
    documents = [("a b", "x"), ("a  b", "x"), ("c", "y"), ("c", "w"), ("d", "x")]
    one, two = filled(*documents), filled(*documents[::-1])
    assert one.digest() == two.digest()
    for spool in (one, two):
        assert {spool.read(i) for i in range(3)} == {one.read(i) for i in range(3)}
        assert spool.names == ["w", "x"]
        counts = {name: (notes.documents, notes.bytes, notes.duplicates) for name, notes in spool.notes.items()}
        assert counts == {"w": (1, 1, 0), "x": (2, 1 + len(one.read(0)), 1), "y": (0, 0, 1)}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_one_line(tmp_path):
    with Spool(tmp_path) as spool:
        spool._file.close()
        spool._file = open("/dev/full", "wb")  # noqa: SIM115  closed by the spool
        with pytest.raises(HutchError, match="cannot write the temporary file of the corpus: No space left"):
            spool.fill([Document("short, so that it stays in the buffer until the end", "x", "k")])


def test_the_digest_knows_texts_and_subsets_but_not_the_order(filled):
    spools = [
        filled(("a", "x"), ("b", "x")),
        filled(("b", "x"), ("a", "x")),
        filled(("b", "x"), ("a", "y")),
        filled(("b", "x"), ("a ", "x")),
    ]
    digests = [spool.digest() for spool in spools]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_a_lone_surrogate_is_named(filled):
    with pytest.raises(BadInput, match=r"x/0 \(subset x\) holds a lone surrogate at character 1"):
        filled(("a\udc80", "x"))


def test_long_lists_of_names_are_cut():
    assert listed({"b", "a"}) == "a; b"
    assert listed({f"{i:03}" for i in range(NAMES_KEPT + 1)}).endswith("019; ...")
