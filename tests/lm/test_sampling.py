"""Sampling with a cache against the plain loop that reads the whole window for each token."""

import pytest
import torch

from hutch.lm.language_model import Sampling
from hutch.lm.model import ModelConfig, build_model
from hutch.lm.sampling import continue_prompts, sample_tokens
from hutch.runs import BadInput

BOTH = pytest.mark.parametrize("positions", ["rotary", "relative"])
PROMPTS = [[1, 2, 3], [7], [5, 6, 5, 6, 5, 6, 5], [9] * 40]
RULES = [
    Sampling(tokens=40, temperature=0),
    Sampling(tokens=40, temperature=1.0, top_k=None),
    Sampling(tokens=40, temperature=1.5, top_k=20, top_p=0.9, repetition_penalty=1.3),
    Sampling(tokens=40, temperature=0, no_repeat_ngram=2),
]


def sharp_model(positions="rotary", context=24):
    """Logits far enough apart that rounding turns no choice."""
    config = ModelConfig(
        layers=2, width=16, heads=2, key_size=8, feed_forward=32, vocabulary=60, context=context, positions=positions
    )
    model = build_model(config, 1)
    with torch.no_grad():
        model.norm.gain.mul_(6)
    return model


@torch.no_grad()
def plain_loop(model, prompt, *, tokens, seed, temperature, top_k, context):
    """All of the window, each time; a full window is cut to its latest half."""
    generator, window, ids = torch.Generator().manual_seed(seed), list(prompt)[-context:], []
    for _ in range(tokens):
        logits = model(torch.tensor([window]))[0, -1]
        if temperature == 0:
            ids.append(int(logits.argmax()))
        else:
            if top_k is not None:
                logits[logits < logits.topk(top_k).values[-1]] = float("-inf")
            ids.append(int(torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator)))
        if len(window) == context:
            window = window[context - context // 2 :]
        window.append(ids[-1])
    return ids


@BOTH
@pytest.mark.parametrize(("temperature", "top_k"), [(0, None), (1.0, None), (0.8, 10)])
def test_a_cache_changes_no_token(positions, temperature, top_k):
    model, rule = sharp_model(positions), {"temperature": temperature, "top_k": top_k}
    for seed, prompt in enumerate(PROMPTS):
        slow = plain_loop(model, prompt, tokens=60, seed=seed, context=24, **rule)
        assert sample_tokens(model, prompt, tokens=60, seed=seed, **rule) == slow


@BOTH
@pytest.mark.parametrize("sampling", RULES)
def test_a_batch_gives_what_its_prompts_give_alone(positions, sampling):
    model, seeds = sharp_model(positions), [3, 1, 4, 1]
    together = continue_prompts(model, PROMPTS, sampling, seeds=seeds)
    alone = [continue_prompts(model, [p], sampling, seeds=[s])[0] for p, s in zip(PROMPTS, seeds, strict=True)]
    assert together == alone
    assert [len(ids) for ids in together] == [40] * 4


def test_prompts_that_end_leave_the_others_as_they_are():
    model, sampling = sharp_model(), Sampling(tokens=40, temperature=1.0)
    full = continue_prompts(model, PROMPTS, sampling, seeds=[0, 1, 2, 3])
    told = []

    def on_token(prompt, token):
        told.append((prompt, token))
        return sum(index == prompt for index, _ in told) == 5 * (prompt + 1)

    cut = continue_prompts(model, PROMPTS, sampling, seeds=[0, 1, 2, 3], on_token=on_token)
    assert cut == [full[0][:5], full[1][:10], full[2][:15], full[3][:20]]
    assert [[token for index, token in told if index == prompt] for prompt in range(4)] == cut


def test_the_end_is_the_last_token_and_no_repetition():
    """It stands before every prompt; a rule against repetition that counted it would let no text end."""
    model = sharp_model()
    end = continue_prompts(model, [[1, 2]], Sampling(tokens=8, temperature=0), seeds=[0])[0][7]
    free = Sampling(tokens=30, temperature=0)
    found = continue_prompts(model, [[end, 1, 2]], free, seeds=[0], end=end)[0]
    assert found.count(end) <= 1
    strict = Sampling(tokens=300, temperature=0, no_repeat_ngram=1)
    ids = continue_prompts(model, [[end, 1, 2]], strict, seeds=[0], end=end)[0]
    assert ids[-1] == end
    assert len(set(ids)) == len(ids)


def test_a_rule_against_repetition_sees_the_prompt():
    ids = continue_prompts(sharp_model(), [[1, 2, 3]], Sampling(tokens=57, no_repeat_ngram=1), seeds=[0])[0]
    assert sorted([1, 2, 3, *ids]) == list(range(60))


def test_a_prompt_without_tokens_is_refused():
    with pytest.raises(BadInput, match="at least one token"):
        continue_prompts(sharp_model(), [[1], []], Sampling(), seeds=[0, 1])
