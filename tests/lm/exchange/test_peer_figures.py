"""The same figures as lm-evaluation-harness's own class for models of transformers."""

import pytest

from hutch.lm.exchange import ImportedModel

pytest.importorskip("transformers")

REQUESTS = [
    ("The state of the", " union"),
    ("The state of the ", "union"),
    ("The state\n\n", " of"),
    ("", "We the people of"),
    ("", "<|end_of_document|>We"),
    ("Question: what?\nAnswer:", " naïve 🙂"),
    ("one two three four five six seven eight nine ten eleven twelve", " thirteen"),
]


@pytest.fixture(params=["llama", "gpt2", "gpt_neox"])
def model(request, folder_of):
    return ImportedModel.load(folder_of(request.param))


@pytest.fixture(params=[False, True], ids=["as it is", "with a beginning token"])
def model_and_peer(request, model):
    """Also with a tokenizer that begins every text with a token of its own, as Llama's does."""
    hflm = pytest.importorskip("lm_eval.models.huggingface").HFLM
    if request.param:
        from tokenizers.processors import TemplateProcessing

        begin = (model.tokenizer.bos_token, model.tokenizer.bos_token_id)
        backend = model.tokenizer.backend_tokenizer
        backend.post_processor = TemplateProcessing(single=f"{begin[0]} $A", special_tokens=[begin])
        assert model.tokenizer.encode("a") == [begin[1], 97]
    return model, hflm(pretrained=model.model, tokenizer=model.tokenizer, batch_size=3, device="cpu")


def instances(kind, arguments):
    from lm_eval.api.instance import Instance

    return [Instance(kind, {}, argument, place) for place, argument in enumerate(arguments)]


def test_likelihoods(model_and_peer):
    model, peer = model_and_peer
    expected = peer.loglikelihood(instances("loglikelihood", REQUESTS), disable_tqdm=True)
    found = model.log_likelihood(REQUESTS)
    assert [each.nats for each in found] == pytest.approx([nats for nats, _ in expected], abs=1e-4)
    assert [each.greedy for each in found] == [greedy for _, greedy in expected]


def test_rolling_likelihoods(model_and_peer, speeches):
    model, peer = model_and_peer
    texts = ["We", speeches[0][:400], speeches[1][:90], "<|end_of_document|>We"]
    expected = peer.loglikelihood_rolling(instances("loglikelihood_rolling", [(text,) for text in texts]), True)
    assert model.rolling_log_likelihood(texts) == pytest.approx(expected, abs=1e-3, rel=1e-6)


def test_contexts(model_and_peer):
    model, peer = model_and_peer
    assert (model.context, model.start) == (peer.max_length, peer.prefix_token_id)
