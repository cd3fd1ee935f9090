import json
import os

import pytest

from hutch.runs import HutchError
from hutch.runs.atomic import atomic_path, read_json, write_json, write_text


def write_and_raise(path, error):
    with atomic_path(path) as temporary:
        temporary.write_text("half of the ne")
        raise error


def test_a_file_appears_whole(tmp_path):
    write_json(tmp_path / "deep" / "a.json", {"b": 1, "a": [1.5]})
    assert read_json(tmp_path / "deep" / "a.json") == {"a": [1.5], "b": 1}
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.json"]


def test_an_error_in_the_middle_leaves_the_old_file(tmp_path):
    write_text(tmp_path / "a", "old")
    with pytest.raises(RuntimeError):
        write_and_raise(tmp_path / "a", RuntimeError())
    assert (tmp_path / "a").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_one_clear_line(tmp_path):
    write_text(tmp_path / "a", "old")
    with pytest.raises(HutchError, match=r"cannot write .*a: No space left on device"):
        write_and_raise(tmp_path / "a", OSError(28, os.strerror(28)))
    assert (tmp_path / "a").read_text() == "old"


def test_json_has_no_nan(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "a", float("nan"))
    assert not (tmp_path / "a").exists()


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "a").write_text(json.dumps({"a": 1})[:-1])
    with pytest.raises(HutchError, match="a is not JSON"):
        read_json(tmp_path / "a")
    with pytest.raises(HutchError, match="does not exist"):
        read_json(tmp_path / "b")


def test_a_parent_that_is_a_file_is_one_clear_line(tmp_path):
    write_text(tmp_path / "a", "old")
    with pytest.raises(HutchError, match=r"cannot write .*b: Not a directory"):
        write_text(tmp_path / "a" / "deep" / "b", "new")
