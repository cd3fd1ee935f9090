import numpy as np
import pytest
import torch

from hutch.lm import build_model, document_nats
from hutch.retrieval.retro import build_retro
from hutch.retrieval.training.retrieved_likelihood import HeldOutWindows, token_nats
from hutch.text import Shard
from tests.retrieval.training.copies import CHUNK, CONTEXT, DECODER, IDS, RETRO, VOCABULARY, values

END = VOCABULARY - 1
LENGTHS = (1, 3, 16, 17, 40)


class SmallShard:
    """Five documents, as a `Shard` shows them."""

    def __init__(self):
        random = np.random.default_rng(1)
        self.texts = [random.integers(END, size=length) for length in LENGTHS]
        starts = np.cumsum([0, *(length + 1 for length in LENGTHS)])[:-1]
        self.documents = np.array(
            list(zip(starts, [length + 1 for length in LENGTHS], strict=True)), [("start", int), ("tokens", int)]
        )

    def document(self, number):
        return np.append(self.texts[number], END)

    def __len__(self):
        return len(LENGTHS)


@pytest.fixture(scope="module")
def shard() -> Shard:
    return SmallShard()


@pytest.fixture(scope="module")
def windows(shard):
    return HeldOutWindows.of(shard, CONTEXT, END)


def test_without_retrieval_the_tokens_sum_to_the_documents(shard, windows):
    model = build_model(DECODER, 0)
    nats = token_nats(model, windows)
    assert len(nats) == sum(LENGTHS)
    owners = np.repeat(np.arange(len(LENGTHS)), LENGTHS)
    sums = np.bincount(owners, nats)
    np.testing.assert_allclose(sums, document_nats(model, shard, END), rtol=1e-6)


def test_only_chunks_without_padding_are_looked_up(windows):
    whole = windows.whole_chunks(CHUNK)
    # Windows of 1, 3, 16, 16 + 1, 16 + 16 + 8 tokens.
    assert whole.sum(1).tolist() == [0, 0, 4, 4, 0, 4, 4, 2]


def test_neighbours_change_what_comes_after_their_chunk_and_nothing_before(windows):
    model = build_retro(RETRO, 0)
    ids = np.where(windows.whole_chunks(CHUNK)[..., None], IDS[: windows.owner_wt.shape[1] // CHUNK], -1)
    off, on = token_nats(model, windows), token_nats(model, windows, ids, values)
    changed = off != on
    # The window of 16 tokens: its first chunk is untouched up to its last token.
    first = sum(LENGTHS[:2])
    assert changed[first : first + 16].tolist() == [False] * 3 + [True] * 13
    assert not changed[:first].any()


def test_no_neighbours_is_retrieval_off(windows):
    model = build_retro(RETRO, 0)
    none = np.empty((*windows.whole_chunks(CHUNK).shape, 0), np.int64)
    assert torch.equal(
        torch.from_numpy(token_nats(model, windows, none, values)), torch.from_numpy(token_nats(model, windows))
    )
