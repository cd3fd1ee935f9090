"""Passages side by side."""

from hutch.retrieval.leakage.evidence import passages, shortened
from tests.retrieval.leakage.conftest import prose


def test_a_dropped_word_does_not_end_a_passage_and_a_paragraph_does():
    words = prose(1, 120)
    copy = words[:30] + words[31:50] + prose(2, 40) + words[80:110]
    first, second = passages(" ".join(copy), " ".join(words), 13)
    assert (first.words, second.words) == (49, 30)
    assert first.text == " ".join(words[:30] + words[31:50])
    assert first.source_text == " ".join(words[:50])
    assert second.text == second.source_text == " ".join(words[80:110])


def test_offsets_point_into_both_texts():
    words = " ".join(prose(3, 40))
    text, source = f"Éh, new text! {words.upper()}.", f"{'x ' * 50}\n{words}"
    (passage,) = passages(text, source, 13)
    assert text[passage.start : passage.end] == passage.text == words.upper()
    assert source[passage.source_start : passage.source_end] == passage.source_text == words


def test_the_longest_are_shown_in_the_order_of_the_text():
    source = [prose(10 + i, 20 + i) for i in range(6)]
    text = [word for i, block in enumerate(source) for word in [*block, *prose(50 + i, 10)]]
    shown = passages(" ".join(text), " ".join(" ".join([*b, *prose(80, 30)]) for b in source), 13, most=3)
    assert [passage.words for passage in shown] == [23, 24, 25]
    assert passages("a b", "c d", 13) == ()


def test_of_several_places_the_one_with_the_longest_run_is_taken():
    words = prose(4, 40)
    (passage,) = passages(" ".join(words), " ".join([*words[:15], "x", *words]), 13)
    assert passage.words == 40


def test_long_passages_keep_their_ends():
    assert shortened("a" * 50 + "b" * 50, 26) == "a" * 10 + " […] " + "b" * 10
    assert shortened("short", 20) == "short"
