"""Models of five classes, against one token at a time and against transformers' own generation."""

import itertools

import pytest
import torch

from hutch.lm.exchange import ImportedModel
from hutch.lm.language_model import Sampling
from hutch.runs import BadInput
from tests.lm.exchange.conftest import CONTEXT

hf = pytest.importorskip("transformers")

GREEDY = Sampling(tokens=20, temperature=0)


@pytest.fixture
def model(folder):
    return ImportedModel.load(folder)


@pytest.fixture
def llama(folder_of):
    return ImportedModel.load(folder_of("llama"))


def log_probabilities(model, ids):
    with torch.no_grad():
        return model.model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)


def slow_likelihood(model, before, after):
    """One token at a time, each after as much as the model sees."""
    nats, greedy = 0.0, True
    for place, token in enumerate(after):
        seen = [*before, *after[:place]][-model.context :]
        probabilities = log_probabilities(model, seen)
        nats, greedy = nats + probabilities[token].item(), greedy and int(probabilities.argmax()) == token
    return nats, greedy


def slow_text(model, prompt, tokens):
    """The most likely tokens, each from a pass over the whole text."""
    ids = model.tokenizer.encode(prompt)
    for _ in range(tokens):
        ids.append(int(log_probabilities(model, ids).argmax()))
    return text_of(model, ids)[len(prompt) :]


def text_of(model, ids):
    """Their text, without bytes at the end that only begin a character."""
    return model.tokenizer.decode(ids, skip_special_tokens=True).rstrip("\ufffd")


def test_likelihoods_are_those_of_one_token_at_a_time(model):
    requests = [("The state", " of the union"), ("We ", "will"), ("a", "b c d e f"), ("In this year", " of our")]
    found = model.log_likelihood(requests)
    for (context, continuation), likelihood in zip(requests, found, strict=True):
        before = model.tokenizer.encode(context.rstrip())
        after = model.tokenizer.encode(context + continuation)[len(before) :]
        nats, greedy = slow_likelihood(model, before, after)
        assert likelihood.nats == pytest.approx(nats, abs=1e-4)
        assert (likelihood.greedy, likelihood.tokens) == (greedy, len(after))


def test_a_greedy_continuation_is_known_for_one(llama):
    """The model's own most likely words are greedy, others are not."""
    own = llama.generate(["The state of"], Sampling(tokens=3, temperature=0))[0]
    found = llama.log_likelihood([("The state of", own), ("The state of", own + " zebra")])
    assert [likelihood.greedy for likelihood in found] == [True, False]


def test_an_empty_context_is_the_start_of_a_text(llama):
    end = llama.start
    [likelihood, spaces] = llama.log_likelihood([("", "The state"), ("  ", "x")])
    assert likelihood.nats == pytest.approx(slow_likelihood(llama, [end], llama.tokenizer.encode("The state"))[0])
    assert spaces.nats == pytest.approx(slow_likelihood(llama, [end], llama.tokenizer.encode("  x"))[0])


def test_a_long_context_loses_its_beginning(llama, speeches):
    context, after = speeches[0][:600], " the people"
    whole = llama.tokenizer.encode(context + after)
    cut = len(llama.tokenizer.encode(context))
    [likelihood] = llama.log_likelihood([(context, after)])
    # The last target is predicted from exactly the context's last tokens, the one before from one less.
    window = whole[-(CONTEXT + 1) :]
    with torch.no_grad():
        logits = llama.model(torch.tensor([window[:-1]])).logits[0].log_softmax(-1)
    count = len(whole) - cut
    expected = sum(logits[place, window[place + 1]].item() for place in range(CONTEXT - count, CONTEXT))
    assert likelihood.nats == pytest.approx(expected, abs=1e-4)


def test_every_token_of_a_long_text_is_paid_once(llama, speeches):
    text = speeches[1][:300]
    ids = [llama.start, *llama.tokenizer.encode(text)]
    assert len(ids) > 3 * CONTEXT
    expected = 0.0
    for first in [*range(0, len(ids) - 1 - CONTEXT, CONTEXT), len(ids) - 1 - CONTEXT]:
        window = ids[first : first + CONTEXT + 1]
        with torch.no_grad():
            logits = llama.model(torch.tensor([window[:-1]])).logits[0].log_softmax(-1)
        last = first == len(ids) - 1 - CONTEXT
        new = (len(ids) - 1) % CONTEXT or CONTEXT
        places = range(CONTEXT - new if last else 0, CONTEXT)
        expected += sum(logits[place, window[place + 1]].item() for place in places)
    assert llama.rolling_log_likelihood([text, ""]) == pytest.approx([expected, 0.0], rel=1e-5)


def test_many_requests_are_as_each_alone(model, speeches):
    texts = [speech[:length] for speech, length in zip(speeches, itertools.cycle([5, 60, 200]), strict=False)]
    alone = [model.rolling_log_likelihood([text])[0] for text in texts]
    assert model.rolling_log_likelihood(texts) == pytest.approx(alone, rel=1e-5)


def test_equal_inputs_are_read_once_and_lengths_are_not_mixed(llama, monkeypatch):
    shapes, forward = [], llama.model.forward

    def watch(input_ids, **more):
        shapes.append(tuple(input_ids.shape))
        return forward(input_ids=input_ids, **more)

    long = "The state of the union is as strong as it ever was"
    requests = [(long, answer) for answer in (" a", " b", " c", " a")] + [("a", "b c")]
    expected = [llama.log_likelihood([request])[0] for request in requests]
    assert len({likelihood.nats for likelihood in expected}) == 4
    monkeypatch.setattr(llama.model, "forward", watch)
    found = llama.log_likelihood(requests)
    assert [each.nats for each in found] == pytest.approx([each.nats for each in expected], abs=1e-5)
    assert [rows for rows, _ in shapes] == [1, 1]


def test_greedy_text_is_that_of_one_token_at_a_time(model):
    prompts = ["The state of the", "We", "a b c"]
    found = model.generate(prompts, Sampling(tokens=12, temperature=0))
    assert found == [slow_text(model, prompt, 12) for prompt in prompts]


def test_greedy_text_is_that_of_transformers(model):
    ids = model.tokenizer("The state of", return_tensors="pt", return_token_type_ids=False)
    theirs = model.model.generate(**ids, max_new_tokens=20, do_sample=False, pad_token_id=0)
    assert model.generate(["The state of"], GREEDY) == [text_of(model, theirs[0, ids.input_ids.shape[1] :])]


def test_a_text_that_outgrows_the_context_is_read_anew_from_its_latest_half(llama):
    ids = llama.tokenizer.encode("The state of the union is as strong as ever was")
    length = len(ids)
    window = ids[-CONTEXT:]
    for _ in range(60):
        ids.append(int(log_probabilities(llama, window).argmax()))
        window = [*(window if len(window) < CONTEXT else window[-(CONTEXT // 2) :]), ids[-1]]
    prompt = llama.tokenizer.decode(ids[:length])
    beside = llama.generate([prompt, "We"], Sampling(tokens=60, temperature=0))
    assert beside[0] == text_of(llama, ids[length:])
    assert beside[1] == llama.generate(["We"], Sampling(tokens=60, temperature=0))[0]


def test_drawn_text_is_set_by_seed_and_place(model):
    sampling = Sampling(tokens=15, top_k=20, top_p=0.9, repetition_penalty=1.3, no_repeat_ngram=3, seed=5)
    first, again, twice = (model.generate(prompts, sampling) for prompts in (["We"], ["We"], ["We", "We"]))
    assert first == again == twice[:1]
    assert twice[0] != twice[1]


def test_what_is_told_is_the_text(model):
    told = {0: "", 1: "", 2: ""}

    def hear(index, text):
        assert text
        told[index] += text

    texts = model.generate(["The state", "", "é🙂"], Sampling(tokens=25, seed=3), hear)
    assert list(told.values()) == texts


def test_a_stop_string_ends_a_text_and_is_not_told(llama):
    whole = llama.generate(["The state of"], GREEDY)[0]
    stop, told = whole[4:7], []
    cut = llama.generate(
        ["The state of"], Sampling(tokens=20, temperature=0, stop=(stop,)), lambda i, t: told.append(t)
    )
    assert cut == [whole[: whole.index(stop)]] == ["".join(told)]


def test_a_token_that_ends_texts_ends_one(llama, monkeypatch):
    ids = llama.tokenizer.encode("The state of")
    written: list[int] = []
    while len(set(written)) < 4:
        written.append(int(log_probabilities(llama, ids + written).argmax()))
    monkeypatch.setattr(llama, "ends", frozenset(written[-1:]))
    beside = llama.generate(["The state of", "We"], GREEDY)
    assert beside == [text_of(llama, written[:-1]), llama.generate(["We"], GREEDY)[0]]


def test_more_prompts_than_are_read_at_once(llama, monkeypatch):
    import hutch.lm.exchange.imported as imported

    prompts = [f"{number} is" for number in range(7)]
    sampling = Sampling(tokens=8, seed=1)
    together, told = llama.generate(prompts, sampling), []
    monkeypatch.setattr(imported, "PROMPTS_AT_ONCE", 3)
    assert llama.generate(prompts, sampling, lambda index, text: told.append(index)) == together
    assert set(told) == set(range(7))


def test_a_token_without_an_embedding_is_named(llama):
    llama.tokenizer.add_tokens([f"[more {i}]" for i in range(10)])
    assert llama.log_likelihood([("a", "[more 0]")])[0].tokens == 1
    with pytest.raises(BadInput, match=r"has no embedding for '\[more 9\]'"):
        llama.rolling_log_likelihood(["a [more 9] b"])


def test_a_lone_surrogate_is_no_text(llama):
    with pytest.raises(BadInput, match="lone surrogate"):
        llama.generate(["a\ud800"], GREEDY)


def test_a_model_without_a_template_is_not_to_talk_with(llama):
    with pytest.raises(BadInput, match="has no chat template"):
        llama.chat_prompt([{"role": "user", "content": "Hello"}])


def test_a_chat_is_put_into_the_models_own_format(llama):
    llama.tokenizer.chat_template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system turns') }}{% endif %}"
        "[{{ m.role }}] {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}"
    )
    messages = [{"role": "user", "content": "Hello"}]
    assert llama.chat_prompt(messages) == "[user] Hello\n[assistant] "
    with pytest.raises(BadInput, match="refuses these messages: no system turns"):
        llama.chat_prompt([{"role": "system", "content": "Be short."}, *messages])


def test_half_precision_is_near(folder_of):
    single, half = (ImportedModel.load(folder_of("llama"), dtype=dtype) for dtype in ("float32", "bfloat16"))
    assert half.model.dtype == torch.bfloat16
    found, near = (model.log_likelihood([("The state", " of")])[0].nats for model in (single, half))
    assert near == pytest.approx(found, rel=0.05)
    assert near != found


def test_importing_the_room_imports_no_transformers():
    import subprocess
    import sys

    code = "import sys, hutch.lm, hutch.lm.exchange; print([n for n in ('transformers', 'gguf') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
