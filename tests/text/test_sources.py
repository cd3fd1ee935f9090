"""Files, folders and data sets as sources, and the one-line errors for what is wrong with them."""

import builtins
import gzip
import json
import os
import tracemalloc
from collections import Counter

import pytest
import zstandard

from hutch.runs.errors import BadInput
from hutch.text.files import cut_passages
from hutch.text.sources import read_source


def read(source, subsets=None):
    return list(read_source(source, subsets).documents())


def test_folder_gives_subsets_by_subfolder_stem_and_own_name(tmp_path):
    (tmp_path / "web" / "deep").mkdir(parents=True)
    (tmp_path / "web" / "deep" / "a.md").write_text("one")
    (tmp_path / "b.txt").write_text("two")
    (tmp_path / "books.jsonl").write_text('{"text": "three"}\n\n{"text": "four", "subset": "own", "id": 7}\n')
    (tmp_path / ".hidden.txt").write_text("no")
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    (tmp_path / "web" / "Photo.PNG").write_bytes(b"\x89PNG")
    found = {(d.text, d.subset, d.key) for d in read(tmp_path)}
    assert found == {
        ("one", "web", "web/deep/a.md"),
        ("two", tmp_path.name, "b.txt"),
        ("three", "books", "books.jsonl:1"),
        ("four", "own", "books.jsonl:7"),
    }
    assert [d.text for d in read(tmp_path, ("web", "own"))] == ["four", "one"]
    assert read_source(tmp_path).skipped == {".png": 2}


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("zst", zstandard.compress)])
def test_compressed_lines(tmp_path, ending, pack):
    rows = [{"text": f"naïve {i}", "licence": "CC0", "source": "s"} for i in range(50)]
    path = tmp_path / f"books.jsonl.{ending}"
    path.write_bytes(pack("\n".join(json.dumps(row) for row in rows).encode()))
    documents = read(path)
    assert [d.text for d in documents] == [row["text"] for row in rows]
    assert {(d.subset, d.licence, d.source) for d in documents} == {("books", "CC0", "s")}
    path.write_bytes(path.read_bytes()[4:])
    with pytest.raises(BadInput, match=rf"books.jsonl.{ending} is damaged"):
        read(path)


@pytest.mark.parametrize("name", ["a.txt.zst", "a.jsonl.zst"])
def test_a_zst_file_that_was_cut_off_is_named(tmp_path, name):
    frames = [
        zstandard.compress(b'{"text": "one"}\n' * 9000),
        b"\x50\x2a\x4d\x18\3\0\0\0pad",
        zstandard.compress(b"\n" * 99),
    ]
    path = tmp_path / name
    path.write_bytes(b"".join(frames))
    assert sum(d.text.count("one") for d in read(path)) == 9000
    for whole in (frames[0], b"".join(frames)):
        path.write_bytes(whole[:-5])
        with pytest.raises(BadInput, match=rf"{name} is damaged or not of the kind its name says: it ends within"):
            read(path)


def test_zst_frames_with_long_windows(tmp_path):
    parameters = zstandard.ZstdCompressionParameters(window_log=29, compression_level=1)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    (tmp_path / "a.txt.zst").write_bytes(packer.compress(b"text") + packer.flush())
    assert [d.text for d in read(tmp_path / "a.txt.zst")] == ["text"]


def test_a_single_text_file_is_cut_into_passages(tmp_path):
    text = "\n\n".join(f"{i} " + "word " * 400 for i in range(100)) + "\n" + "x\n" * 40_000
    (tmp_path / "input.txt").write_text(text)
    documents = read(tmp_path / "input.txt")
    assert "".join(d.text for d in documents) == text
    assert len(documents) > 20
    assert max(len(d.text) for d in documents) < 35_000
    assert list(cut_passages([""])) == []


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        (("w" * 5000 + "\r\n\r\n") * 4, [10_008, 10_008]),
        (("w" * 4999 + "\r\n") * 14, [7 * 5001, 7 * 5001]),
        (("w" * 4999 + "\r") * 14, [35_000, 35_000]),
        ("w" * 130_000, [64_000, 64_000, 2_000]),
    ],
)
def test_where_passages_end_does_not_depend_on_the_pieces(text, lengths):
    for size in (997, 50_000, len(text)):
        pieces = [text[i : i + size] for i in range(0, len(text), size)]
        passages = list(cut_passages(pieces))
        assert "".join(passages) == text
        assert [len(passage) for passage in passages] == lengths


def test_a_huge_text_file_in_a_folder_passes_through_in_little_memory(tmp_path):
    (tmp_path / "huge.txt").write_text("é" * 8_000_000)
    tracemalloc.start()
    sizes = [len(document.text) for document in read_source(tmp_path).documents()]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(sizes) == 8_000_000
    assert max(sizes) == 64_000
    assert peak < 10_000_000


def test_text_that_is_no_utf8_is_named_with_its_place_also_far_into_the_file(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x" * (2**20 - 1) + "é".encode() + b"\xc3(")
    with pytest.raises(BadInput, match=r"a.txt is not UTF-8 text: byte 0xc3 at offset 1048577"):
        read(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_bytes(b"abc\xc3")
    with pytest.raises(BadInput, match=r"byte 0xc3 at offset 3"):
        read(tmp_path / "a.txt")


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.json.gz"])
def test_json_lines_may_begin_with_a_byte_order_mark(tmp_path, name):
    data = '\ufeff{"text": "one"}\n'.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert [(d.text, d.subset) for d in read(tmp_path / name)] == [("one", "a")]


def test_names_that_are_no_utf8_become_printable(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system wants UTF-8")
    (folder / os.fsdecode(b"\xe9.jsonl")).write_text('{"text": "a", "licence": "\\ud800", "source": "\\udfff"}')
    (document,) = read(tmp_path)
    assert (document.subset, document.key) == ("caf?", "caf?/?.jsonl:1")
    assert (document.licence, document.source) == ("?", "?")
    assert [d.subset for d in read(tmp_path, (folder.name,))] == ["caf?"]
    assert read_source(folder).name == f"{tmp_path}/caf?"


def test_the_order_of_folders_is_fixed(small_folder):
    assert read(small_folder) == read(small_folder)
    assert Counter(d.subset for d in read(small_folder)) == {"prose": 40, "notes": 10}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"abc\n\xff\xfe", r"a.txt is not UTF-8 text: byte 0xff at offset 4"),
        ("a.jsonl", b'{"text": "ok"}\n\xff', r"a.jsonl is not UTF-8 text: byte 0xff at offset 15"),
        ("a.jsonl", b'{"text": "ok"}\n{"title": "no"}\n', r"a.jsonl:2 has no text"),
        ("a.jsonl", b'{"text": 3, "id": "x"}\n', r"a.jsonl:1 has no text.* has text \(int\), id \(str\)"),
        ("a.json", b"[" * 100_000, r"a.json:1 is not JSON, one object a line: maximum recursion depth"),
        ("a.json", b"[]", r"a.json:1 has no text.* has no fields \(list\)"),
        ("a.jsonl", b'{"text": "ok"}\n{oops\n', r"a.jsonl:2 is not JSON"),
        ("a.jsonl", b"\n", r"holds no documents"),
        ("a.png", b"\x89PNG", r"a.png is of no known kind; a file must be .txt"),
    ],
)
def test_a_bad_file_is_named_with_the_place(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=message):
        read(tmp_path / name)


def test_bad_places(tmp_path, small_folder):
    with pytest.raises(BadInput, match="nowhere does not exist"):
        read_source(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="cannot be read: File name too long"):
        read_source(tmp_path / ("x" * 300))
    with pytest.raises(BadInput, match=r"~nobody-of-this-name/texts does not exist"):
        read_source("~nobody-of-this-name/texts")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="empty holds no text"):
        read_source(tmp_path / "empty")
    with pytest.raises(BadInput, match="no subset 'poems'; it has notes, prose"):
        read(small_folder, ("poems",))
    with pytest.raises(BadInput, match="no subset 'poems'; it has speeches, "):
        read_source("embedded:poems")
    with pytest.raises(BadInput, match="nothing in common"):
        read_source("embedded:code", ("bible",))


@pytest.mark.parametrize(
    ("source", "library", "extra"),
    [("hf:some/name", "datasets", "datasets"), ("{}/a.parquet", "pyarrow", "parquet")],
)
def test_a_missing_library_names_its_extra(tmp_path, monkeypatch, source, library, extra):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.partition(".")[0] == library:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(BadInput, match=rf"pip install 'hutch-lab\[{extra}\]'"):
        read(source.format(tmp_path))


def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    rows = [{"text": f"row {i}", "id": f"r{i}", "other": i} for i in range(5000)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "table.parquet")
    documents = read(tmp_path / "table.parquet")
    assert [d.text for d in documents] == [row["text"] for row in rows]
    assert documents[7].key == "table.parquet:r7"
    parquet.write_table(pyarrow.Table.from_pylist([{"content": "a", "id": 1}]), tmp_path / "other.parquet")
    with pytest.raises(BadInput, match=r"other.parquet has no column 'text'; it has content, id"):
        read(tmp_path / "other.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(BadInput, match="not a Parquet file"):
        read(tmp_path / "broken.parquet")


def test_local_data_sets(tmp_path):
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    saved = datasets.Dataset.from_dict({"text": ["a", "b"], "subset": ["x", "y"]})
    datasets.DatasetDict({"train": saved}).save_to_disk(str(tmp_path / "saved"))
    assert [(d.text, d.subset) for d in read(f"hf:{tmp_path / 'saved'}")] == [("a", "x"), ("b", "y")]
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "train.jsonl").write_text('{"text": "c"}\n')
    assert [(d.text, d.subset) for d in read(f"hf:{tmp_path / 'lines'}")] == [("c", "lines")]


def test_work_corpus(work_corpus):
    documents = read(work_corpus / "holdout" / "news.jsonl.zst")
    assert len(documents) == 804
    assert {d.subset for d in documents} == {"news"}
    assert "unknown" not in {d.licence for d in documents}
