import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutch.lm.text_stream import TextStream

TEXT = st.text(alphabet="ab\né…🐈", max_size=20)
STOP = st.lists(st.text(alphabet="ab\né…🐈", min_size=1, max_size=4), max_size=3).map(tuple)
CUTS = st.lists(st.integers(1, 5), min_size=100, max_size=100)


def pieces(data, cuts):
    for cut in cuts:
        yield data[:cut]
        data = data[cut:]


def streamed(data, stop, cuts):
    stream = TextStream(stop)
    return [*(stream.write(piece) for piece in pieces(data, cuts)), stream.close()]


def slow(text, stop):
    """One character after another, until the text ends with a stop string."""
    for end in range(1, len(text) + 1):
        lengths = [len(string) for string in stop if text[:end].endswith(string)]
        if lengths:
            return text[: end - max(lengths)]
    return text


@given(TEXT, STOP, CUTS)
def test_the_text_ends_before_the_first_stop_string_however_its_bytes_are_cut(text, stop, cuts):
    assert "".join(streamed(text.encode(), stop, cuts)) == slow(text, stop)


@given(st.binary(max_size=30), CUTS)
def test_any_bytes_are_read_as_they_are_when_whole(data, cuts):
    found = "".join(streamed(data, (), cuts))
    whole = data.decode(errors="replace")
    assert found == whole or found + "\ufffd" == whole


@given(TEXT, STOP)
def test_all_that_is_certain_is_given_at_once(text, stop):
    """What is held back is the beginning of a stop string."""
    stream, given_so_far = TextStream(stop), ""
    for end, character in enumerate(text, start=1):
        given_so_far += stream.write(character.encode())
        if stream.ended:
            break
        held = text[len(given_so_far) : end]
        assert not held or any(string.startswith(held) for string in stop)


def test_a_character_waits_for_its_last_byte():
    stream = TextStream()
    assert [stream.write(bytes([byte])) for byte in "é🐈".encode()] == ["", "é", "", "", "", "🐈"]


def test_an_unfinished_character_is_left_out():
    stream = TextStream()
    assert stream.write("a🐈".encode()[:-1]) + stream.close() == "a"


@pytest.mark.parametrize(
    ("text", "before", "at_the_end"),
    [("xUser", "x", "User"), ("xUs!", "xUs!", ""), ("xUser: y", "x", ""), ("UsUser:", "Us", "")],
)
def test_what_may_be_a_stop_string_waits(text, before, at_the_end):
    stream = TextStream(("User:",))
    written = "".join(stream.write(character.encode()) for character in text)
    assert (written, stream.close()) == (before, at_the_end)
