import shutil

import pytest
import torch

from hutch.lm import build_model, model_of_width, save_weights
from hutch.lm.language_model import Likelihood, Sampling
from hutch.lm.own_model import OwnModel
from hutch.runs import BadInput, HutchError
from hutch.text import Tokenizer

TEXTS = ["the grey cat sat on the old mat 🐈 and sang", "bread and salt, and a song\nof the cat", "é…🐈 the end"]
PROMPTS = ["the cat", "", "bread and salt, and the grey mat on the hill that the cat sang of", "🐈"]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(TEXTS * 4, 290)


@pytest.fixture(scope="module")
def own(tokenizer):
    model = build_model(model_of_width(16, vocabulary=290, context=12), 0)
    with torch.no_grad():
        model.norm.gain.mul_(4)
    return OwnModel(model, tokenizer, "tiny")


@torch.no_grad()
def log_probabilities(own, ids):
    """Of what follows `ids`, as many of the last as the model sees."""
    return own.model(torch.tensor([ids[-own.context :]]))[0, -1].log_softmax(-1)


def test_a_likelihood_is_the_sum_over_its_tokens(own):
    requests = [("the grey", " cat"), ("the grey ", "cat sat"), ("", "bread"), ("and " * 30, "a song"), ("🐈", "")]
    for (context, continuation), found in zip(requests, own.log_likelihood(requests), strict=True):
        words = context.rstrip()
        start = [own.tokenizer.end_of_document, *own.tokenizer.encode(words)]
        ids = [own.tokenizer.end_of_document, *own.tokenizer.encode(context + continuation)]
        slow, greedy, first = 0.0, True, max(0, len(ids) - own.context - 1)
        for place in range(len(start), len(ids)):
            found_v = log_probabilities(own, ids[first:place])
            slow += found_v[ids[place]].item()
            greedy &= int(found_v.argmax()) == ids[place]
        assert found == Likelihood(pytest.approx(slow, rel=1e-5), greedy, len(ids) - len(start))


def test_a_whole_text_costs_what_it_costs_after_nothing(own):
    texts = ["the cat", "bread and salt, " * 10, ""]
    alone = own.log_likelihood([("", text) for text in texts])
    assert own.rolling_log_likelihood(texts) == pytest.approx([found.nats for found in alone], rel=1e-6)
    whole, first, rest = own.log_likelihood([("", "the cat"), ("", "the"), ("the", " cat")])
    assert whole.nats == pytest.approx(first.nats + rest.nats, rel=1e-5)


def test_a_long_text_is_read_in_windows(own):
    text = "the old song of the grey cat " * 5
    ids, context = [own.tokenizer.end_of_document, *own.tokenizer.encode(text)], own.context
    slow = 0.0
    for place in range(1, len(ids)):
        end = min((place + context - 1) // context * context, len(ids) - 1)
        slow += log_probabilities(own, ids[max(0, end - context) : place])[ids[place]].item()
    assert own.rolling_log_likelihood([text]) == pytest.approx([slow], rel=1e-5)


def test_what_a_model_writes_by_itself_is_what_it_finds_most_likely(own):
    """Where the text, encoded anew, is cut into tokens as it was written."""
    encode, agreed = own.tokenizer.encode, 0
    for prompt in ("the", "bread and salt", "song", "the grey cat", "on", "mat"):
        (text,) = own.generate([prompt], Sampling(tokens=1, temperature=0))
        if text and len(encode(prompt + text)) == len(encode(prompt)) + 1:
            assert own.log_likelihood([(prompt, text)])[0].greedy
            agreed += 1
    assert agreed


def test_streamed_text_is_the_text(own):
    told = [""] * len(PROMPTS)

    def on_text(index, text):
        assert text
        told[index] += text

    texts = own.generate(PROMPTS, Sampling(tokens=30, temperature=1.0, top_k=None), on_text)
    assert texts == told
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_more_prompts_than_are_read_at_once_change_nothing(own, temperature, monkeypatch):
    sampling = Sampling(tokens=20, temperature=temperature)
    together = own.generate(PROMPTS, sampling)
    monkeypatch.setattr("hutch.lm.own_model.PROMPTS_AT_ONCE", 1)
    assert own.generate(PROMPTS, sampling) == together


def test_a_seed_gives_the_text_and_the_same_prompt_gives_several(own):
    first, again, other = (own.generate(["a"] * 3, Sampling(seed=seed, temperature=1.0)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first)) == 3


def test_a_text_ends_before_a_stop_string(own):
    sampling = Sampling(tokens=60, temperature=1.0)
    whole = own.generate(PROMPTS, sampling)
    stop = tuple(text[4:6] for text in whole[:2])
    for text, cut in zip(whole, own.generate(PROMPTS, Sampling(tokens=60, temperature=1.0, stop=stop)), strict=True):
        ends = [text.find(string) for string in stop if string in text]
        assert cut == text[: min(ends, default=len(text))]


def test_an_end_of_document_ends_the_text(tokenizer):
    """A model whose embedding knows nothing but the end writes nothing."""
    model = build_model(model_of_width(16, vocabulary=290, context=12), 0)
    with torch.no_grad():
        model.embedding.weight.zero_()
        model.embedding.weight[-1] = 1.0
    assert OwnModel(model, tokenizer, "mute").generate(["", ""], Sampling(temperature=0)) == ["", ""]


@pytest.fixture
def study(tmp_path, tokenizer):
    """A study's folder as far as a model goes."""
    for number, width in enumerate((16, 32)):
        model = build_model(model_of_width(width, vocabulary=290, context=12), 0)
        save_weights(tmp_path / "demo" / "runs" / f"run{number}" / "model.safetensors", model)
    tokenizer.save(tmp_path / "demo" / "corpus" / "tokenizer.json")
    return tmp_path / "demo"


def test_a_run_finds_the_tokenizer_of_its_study(study, monkeypatch):
    prompts, sampling = ["the cat"], Sampling(tokens=5)
    text = OwnModel.load(study / "runs" / "run0").generate(prompts, sampling)
    monkeypatch.chdir(study / "runs" / "run0")
    assert OwnModel.load(".").generate(prompts, sampling) == text


def test_a_folder_with_both_is_a_model(study, tmp_path):
    folder = tmp_path / "moved"
    shutil.copytree(study / "runs" / "run1", folder)
    with pytest.raises(
        BadInput, match=r"moved holds a model without its tokenizer: neither .*/moved/tokenizer.json nor"
    ):
        OwnModel.load(folder)
    shutil.copy(study / "corpus" / "tokenizer.json", folder)
    assert OwnModel.load(folder).context == 12


def test_what_cannot_be_opened_is_said_in_one_line(study, tmp_path):
    with pytest.raises(BadInput, match=r"demo is a study with 2 models: name one .* the largest, .*/demo/runs/run1$"):
        OwnModel.load(study)
    with pytest.raises(BadInput, match="nowhere does not exist"):
        OwnModel.load(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=r"corpus holds no model\.safetensors"):
        OwnModel.load(study / "corpus")
    (study / "runs" / "run0" / "model.safetensors").write_bytes(b"{}")
    with pytest.raises(HutchError, match=r"run0/model\.safetensors is not a model of Hutch"):
        OwnModel.load(study / "runs" / "run0")


def test_the_tokenizer_of_another_model_is_refused(study):
    Tokenizer.train(TEXTS * 4, 280).save(study / "corpus" / "tokenizer.json")
    with pytest.raises(
        BadInput, match="run0: its tokenizer has 280 tokens, the model 290: they do not belong together"
    ):
        OwnModel.load(study / "runs" / "run0")
