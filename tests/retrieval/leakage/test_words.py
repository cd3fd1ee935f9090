"""Spaces, capitals, quotation marks and line breaks do not change the words of a text."""

import pytest

from hutch.retrieval.leakage.words import words_of


def spans(text):
    words = words_of(text)
    return [text[start:end] for start, end in zip(words.starts, words.ends, strict=True)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World!", ["Hello", "World"]),
        ("x_y 3.14 don’t", ["x", "y", "3", "14", "don", "t"]),
        ("“über” हिन्दी", ["über", "हिन्दी"]),
        ("a漢字b かな", ["a", "漢", "字", "b", "か", "な"]),
        ("𝒜 😀 \ud800z", ["𝒜", "z"]),
        ("", []),
        (" \n", []),
    ],
)
def test_words_are_runs_of_letters_and_digits(text, words):
    assert spans(text) == words


def test_what_formatting_changes_is_no_part_of_a_word():
    plain = words_of("It is 'the' best of TIMES").hashes.tolist()
    assert words_of("it\n is   “The” best—of times!").hashes.tolist() == plain
    assert words_of("it is the best of time").hashes.tolist() != plain


def test_each_word_has_a_hash_of_its_own():
    text = " ".join(f"w{number}" for number in range(20_000))
    assert len(set(words_of(text).hashes.tolist())) == 20_000
