import numpy as np
import pytest
import torch

from hutch.lm import build_model, document_nats, model_of_width, sample_tokens
from hutch.text import CorpusConfig, build_corpus

SENTENCES = ["the grey cat sat on the old mat", "a storm came over the hills at night", "bread and salt, and a song"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "text").mkdir()
    random = np.random.default_rng(0)
    for number in range(60):
        lines = [f"{SENTENCES[i]} {random.integers(1000)}" for i in random.integers(3, size=30)]
        (folder / "text" / f"{number}.txt").write_text("\n".join(lines))
    config = CorpusConfig(source=str(folder / "text"), vocabulary=300, holdout_fraction=0.1, holdout_document_tokens=50)
    return build_corpus(config, folder / "corpus")


def test_every_token_of_a_document_is_paid_once(corpus):
    """Against one token at a time, in windows of the same context."""
    model = build_model(model_of_width(16, vocabulary=300, context=16), 0)
    end = corpus.tokenizer.end_of_document
    found = document_nats(model, corpus.holdout, end, windows_at_once=3)
    for index in range(len(corpus.holdout)):
        tokens = [end, *corpus.holdout.document(index).tolist()]
        slow = 0.0
        for place in range(1, len(tokens) - 1):
            first = (place - 1) // 16 * 16
            with torch.no_grad():
                logits = model(torch.tensor([tokens[first:place]]))[0, -1]
            slow -= logits.log_softmax(-1)[tokens[place]].item()
        assert found[index] == pytest.approx(slow, rel=1e-5)


def test_samples_are_set_by_their_seed_and_stop_where_told():
    model = build_model(model_of_width(16, vocabulary=50, context=8), 0)
    draw = [sample_tokens(model, [1, 2, 3], tokens=20, seed=seed) for seed in (0, 0, 1)]
    assert draw[0] == draw[1] != draw[2]
    assert len(draw[0]) == 20
    stopped = sample_tokens(model, [1, 2, 3], tokens=20, seed=0, stop=draw[0][4])
    assert stopped == draw[0][: draw[0].index(draw[0][4]) + 1]


def test_temperature_zero_takes_the_most_likely():
    model = build_model(model_of_width(16, vocabulary=50, context=8), 0)
    with torch.no_grad():
        best = int(model(torch.tensor([[1, 2, 3]]))[0, -1].argmax())
    assert sample_tokens(model, [1, 2, 3], tokens=1, seed=0, temperature=0) == [best]
