import zlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hutch.lm import build_model, model_of_width
from hutch.lm.token_windows import Window, encode_pair, score_windows, windows_of_continuation

IDS = st.lists(st.integers(0, 99), max_size=40)


@given(IDS.filter(len), IDS, st.integers(1, 12))
def test_every_token_is_predicted_once_from_what_stands_before_it(before, after, context):
    windows, whole = windows_of_continuation(before, after, context), [*before, *after]
    assert [target for window in windows for target in window.targets] == after
    place = len(before)
    for window in windows:
        place += len(window.targets)
        assert 1 <= len(window.targets) <= len(window.inputs) <= context
        assert window.inputs == whole[place - 1 - len(window.inputs) : place - 1]
        assert len(window.inputs) == context or place - 1 == len(window.inputs) or window is windows[0]


def test_windows_by_hand():
    """As lm-evaluation-harness cuts 0 … 9 with the prefix 100 in rolling windows of 4."""
    assert windows_of_continuation([100], list(range(10)), 4) == [
        Window([100, 0, 1, 2], [0, 1, 2, 3]),
        Window([3, 4, 5, 6], [4, 5, 6, 7]),
        Window([5, 6, 7, 8], [8, 9]),
    ]
    assert windows_of_continuation([1, 2, 3, 4, 5], [6, 7], 4) == [Window([3, 4, 5, 6], [6, 7])]
    assert windows_of_continuation([1], [], 4) == []


def by_words(text):
    """Tokens that hold the space before a word, as byte-level BPE makes them; "in" and "to" melt."""
    pieces = text.replace("into", "in\0to").replace(" ", "| ").replace("in\0to", "into").split("|")
    return [zlib.crc32(piece.encode()) for piece in pieces if piece]


def test_a_space_before_the_cut_belongs_to_the_continuation():
    assert encode_pair(by_words, "the cat ", "sat down") == (by_words("the cat"), by_words(" sat down"))
    assert encode_pair(by_words, "the cat", " sat down") == (by_words("the cat"), by_words(" sat down"))
    assert encode_pair(by_words, "", "the cat") == ([], by_words("the cat"))
    assert encode_pair(by_words, "  ", "cat") == ([], by_words("  cat"))


def test_a_continuation_that_melts_into_the_context_keeps_a_token():
    assert encode_pair(by_words, "in", "to") == (by_words("in"), by_words("to"))
    assert encode_pair(by_words, "in", "") == (by_words("in"), [])


@torch.no_grad()
@pytest.mark.parametrize("positions", ["rotary", "relative"])
def test_scores_are_those_of_one_token_at_a_time(positions, monkeypatch):
    """Windows of different lengths read together in small batches, logits in small parts."""
    monkeypatch.setattr("hutch.lm.token_windows.TOKENS_AT_ONCE", 20)
    monkeypatch.setattr("hutch.lm.token_windows.LOGITS_AT_ONCE", 150)
    model = build_model(model_of_width(16, vocabulary=50, context=9, positions=positions), 0)
    generator, windows = torch.Generator().manual_seed(0), []
    for inputs, targets in ((9, 9), (3, 1), (1, 1), (9, 2), (5, 3), (5, 5), (2, 2)):
        ids = torch.randint(50, (inputs + 1,), generator=generator).tolist()
        windows.append(Window(ids[:-1], ids[inputs - targets + 1 :]))
    likely = [5]
    likely += [int(model(torch.tensor([likely]))[0, -1].argmax())]
    likely += [int(model(torch.tensor([likely]))[0, -1].argmax())]
    windows.append(Window(likely[:2], likely[1:]))
    for window, (nats, greedy) in zip(windows, score_windows(model, windows), strict=True):
        slow, best, first = 0.0, True, len(window.inputs) - len(window.targets) + 1
        for end, target in enumerate(window.targets, start=first):
            log_probability = model(torch.tensor([window.inputs[:end]]))[0, -1].log_softmax(-1)
            slow += log_probability[target].item()
            best &= int(log_probability.argmax()) == target
        assert nats == pytest.approx(slow, rel=1e-5)
        assert greedy is best
    assert score_windows(model, windows)[-1][1] is True
