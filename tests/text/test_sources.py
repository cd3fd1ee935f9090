"""Files, folders and data sets as sources, and the one-line errors for what is wrong with them."""

import builtins
import gzip
import json
from collections import Counter

import pytest
import zstandard

from hutch.runs.errors import BadInput
from hutch.text.sources import cut_passages, read_source


def read(source, subsets=None):
    return list(read_source(source, subsets).documents())


def test_folder_gives_subsets_by_subfolder_stem_and_own_name(tmp_path):
    (tmp_path / "web" / "deep").mkdir(parents=True)
    (tmp_path / "web" / "deep" / "a.md").write_text("one")
    (tmp_path / "b.txt").write_text("two")
    (tmp_path / "books.jsonl").write_text('{"text": "three"}\n\n{"text": "four", "subset": "own", "id": 7}\n')
    (tmp_path / ".hidden.txt").write_text("no")
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    found = {(d.text, d.subset, d.key) for d in read(tmp_path)}
    assert found == {
        ("one", "web", "web/deep/a.md"),
        ("two", tmp_path.name, "b.txt"),
        ("three", "books", "books.jsonl:1"),
        ("four", "own", "books.jsonl:7"),
    }
    assert [d.text for d in read(tmp_path, ("web", "own"))] == ["four", "one"]


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


def test_a_single_text_file_is_cut_into_passages(tmp_path):
    text = "\n\n".join(f"{i} " + "word " * 400 for i in range(100)) + "\n" + "x\n" * 40_000
    (tmp_path / "input.txt").write_text(text)
    documents = read(tmp_path / "input.txt")
    assert "".join(d.text for d in documents) == text
    assert len(documents) > 20
    assert max(len(d.text) for d in documents) < 35_000
    assert cut_passages("") == []
    windows = ("w" * 5000 + "\r\n\r\n") * 4
    assert [len(passage) for passage in cut_passages(windows)] == [10_008, 10_008]


def test_the_order_of_folders_is_fixed(small_folder):
    assert read(small_folder) == read(small_folder)
    assert Counter(d.subset for d in read(small_folder)) == {"prose": 40, "notes": 10}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"abc\n\xff\xfe", r"a.txt is not UTF-8 text: byte 0xff at offset 4"),
        ("a.jsonl", b'{"text": "ok"}\n\xff', r"a.jsonl is not UTF-8 text: byte 0xff at offset 15"),
        ("a.jsonl", b'{"text": "ok"}\n{"title": "no"}\n', r"a.jsonl:2 has no text"),
        ("a.jsonl", b'{"text": 3}\n', r"a.jsonl:1 has no text"),
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
