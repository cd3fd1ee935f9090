import dataclasses
import math

import numpy as np
import pytest
import torch

import hutch.lm.training as training
from hutch.lm import build_model
from hutch.retrieval.retro import OwnDecoder, load_trained, retrofit
from hutch.retrieval.retro.trained_weights import fingerprint
from hutch.retrieval.training.retro_training import WEIGHTS, retro_model_of, train_retro
from hutch.runs import BadInput
from tests.retrieval.training.copies import DECODER, IDS, RETRO, TOKENS, config, values

pytestmark = pytest.mark.usefixtures("one_thread")


def parameters(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def test_what_the_neighbours_foretell_is_learned_from_them(tmp_path):
    model, result = train_retro(config(400), TOKENS, IDS, values, tmp_path)
    assert result.losses[0] == pytest.approx(math.log(32), abs=0.5)
    # The first chunk of four has no neighbours, and the last token of each predicts what they hold.
    assert result.losses[-20:].mean() < 0.35 * math.log(32)
    strangers = np.roll(IDS, 7)
    inputs = torch.from_numpy(TOKENS[:16].astype(np.int64))[None]
    targets = torch.from_numpy(TOKENS[1:17].astype(np.int64))[None]
    own, other = (
        model.loss(inputs, targets, torch.from_numpy(values(ids[:4])[None])).item() for ids in (IDS, strangers)
    )
    assert own < 1.5 < math.log(32) < other


@pytest.mark.parametrize("decoder", [None, OwnDecoder(build_model(DECODER, 5))], ids=["from scratch", "retrofit"])
def test_a_run_killed_anywhere_goes_on_bit_for_bit(tmp_path, monkeypatch, decoder):
    frozen = "" if decoder is None else fingerprint(retrofit(decoder, RETRO, 0))
    run = config(30, decoder=frozen)
    straight, whole = train_retro(run, TOKENS, IDS, values, tmp_path / "whole", decoder=decoder)
    expected = parameters(straight)
    step_once = training.train_step

    class Killed(BaseException):
        """Stands for a signal."""

    def die(*arguments):
        if arguments[-1] == 17:
            raise Killed
        return step_once(*arguments)

    monkeypatch.setattr(training, "train_step", die)
    with pytest.raises(Killed):
        train_retro(run, TOKENS, IDS, values, tmp_path / "killed", decoder=decoder, checkpoint_seconds=0.0)
    monkeypatch.setattr(training, "train_step", step_once)
    resumed, rest = train_retro(run, TOKENS, IDS, values, tmp_path / "killed", decoder=decoder)
    assert rest.steps_here == 13
    assert np.array_equal(rest.losses, whole.losses)
    assert all(torch.equal(expected[name], p) for name, p in resumed.named_parameters())
    assert (tmp_path / "killed" / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()


def test_a_retrofit_leaves_the_decoder_alone_and_learns_beside_it(tmp_path):
    decoder = OwnDecoder(build_model(DECODER, 5))
    before = parameters(decoder)
    run = config(200, decoder=fingerprint(retrofit(decoder, RETRO, 0)))
    model, result = train_retro(run, TOKENS, IDS, values, tmp_path, decoder=decoder)
    assert all(torch.equal(before[name], p) for name, p in model.decoder.named_parameters())
    assert result.losses[-10:].mean() < result.losses[:10].mean() - 0.2
    ids = torch.arange(16)[None]
    assert torch.equal(model(ids), decoder.model(ids))
    fresh = retro_model_of(run, OwnDecoder(build_model(DECODER, 5)))
    load_trained(tmp_path / WEIGHTS, fresh)
    neighbours = torch.from_numpy(values(IDS[:4])[None])
    assert torch.equal(fresh(ids, neighbours), model(ids, neighbours))


def test_another_decoder_than_the_run_s_is_refused(tmp_path):
    run = config(10, decoder=fingerprint(retrofit(OwnDecoder(build_model(DECODER, 5)), RETRO, 0)))
    for decoder in (None, OwnDecoder(build_model(DECODER, 6))):
        with pytest.raises(BadInput, match="another one than the run's"):
            train_retro(run, TOKENS, IDS, values, tmp_path, decoder=decoder)


def test_a_context_that_cuts_chunks_is_refused():
    run = config(10)
    train = dataclasses.replace(run.train, model=dataclasses.replace(DECODER, context=14))
    with pytest.raises(BadInput, match="multiple of the chunk"):
        dataclasses.replace(run, train=train)
