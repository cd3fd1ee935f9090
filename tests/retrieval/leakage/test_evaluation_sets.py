"""Any JSON lines with a text, or items of a task; else one line that says what is wrong where."""

import pytest

from hutch.retrieval.leakage.evaluation_sets import read_evaluation, text_of
from hutch.runs.errors import BadInput
from tests.retrieval.leakage.conftest import write_rows


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"text": "as it is", "question": "not this"}, "as it is"),
        ({"choices": ["yes", "no"], "question": "Is it?", "gold": 1}, "Is it?\nyes\nno"),
        ({"question": "Q", "choices": {"text": ["a", "b"], "label": ["A", "B"]}}, "Q\na\nb"),
        ({"context": "C", "target": "T"}, "C\nT"),
        ({"prompt": ""}, ""),
    ],
)
def test_the_fields_of_an_item_are_joined(row, text):
    assert text_of(row, "f:1", None) == text


def test_fields_can_be_chosen():
    row = {"text": "not this", "title": "this", "names": ["and", "these"]}
    assert text_of(row, "f:1", ("title", "names")) == "this\nand\nthese"
    with pytest.raises(
        BadInput, match=r"f:1 has no text; a row needs the field 'body', this one has text, title, names"
    ):
        text_of(row, "f:1", ("body",))


def test_a_file_a_folder_and_ids(tmp_path):
    write_rows(tmp_path / "a.jsonl", [{"text": "1", "id": 7}, {"text": "2", "subset": "s", "leak": "exact"}])
    write_rows(tmp_path / "deep" / "b.jsonl", [{"question": "3"}])
    (tmp_path / "note.txt").write_text("4")
    (tmp_path / "picture.png").write_text("")
    documents = read_evaluation(tmp_path)
    assert [(d.id, d.text, d.subset, d.leak) for d in documents] == [
        ("7", "1", "a", ""),
        ("a.jsonl:2", "2", "s", "exact"),
        ("b.jsonl:1", "3", "deep", ""),
        ("note.txt", "4", "note", ""),
    ]
    assert [document.text for document in read_evaluation(tmp_path / "a.jsonl")] == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a"}\n{"text": \n', r"x.jsonl:2 is not JSON, one object a line"),
        ("", r"x.jsonl holds no documents"),
        (
            '{"title": "a", "id": 1}\n',
            r"x.jsonl:1 has no text; a row needs the field 'text', .* this one has title, id",
        ),
        ("[1]\n", r"x.jsonl:1 has no text; .* this one has no fields"),
        ("\xff", "is not UTF-8 text"),
    ],
)
def test_bad_files_are_one_clear_line(tmp_path, content, message):
    path = tmp_path / "x.jsonl"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(BadInput, match=message) as refused:
        read_evaluation(path)
    assert "\n" not in str(refused.value)


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadInput, match="nowhere does not exist"):
        read_evaluation(tmp_path / "nowhere")
    (tmp_path / "note.txt").write_text("x")
    with pytest.raises(BadInput, match="fields can be chosen in JSON lines alone"):
        read_evaluation(tmp_path / "note.txt", fields=("a",))
