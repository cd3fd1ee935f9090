import pytest
import torch

from hutch.lm import build_model
from hutch.retrieval.retro import OwnDecoder, build_retro, load_trained, retro_config_of, retrofit, save_trained
from hutch.runs import BadInput, HutchError

from .tiny import CHUNK, decoder_config, retro_config, texts, tiny_retro


def retrofitted(seed=0, decoder_seed=3):
    return retrofit(OwnDecoder(build_model(decoder_config(), decoder_seed)), retro_config(), seed)


def weights(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def test_a_retrofits_file_holds_what_was_added_and_gives_it_back(tmp_path):
    path, trained, fresh = tmp_path / "retro.safetensors", retrofitted(), retrofitted(seed=9)
    for weight in trained.trainable_state().values():
        weight.add_(0.1)
    assert all(name.startswith(("encoder.", "cross.")) for name in trained.trainable_state())
    save_trained(path, trained)
    added = sum(p.numel() for p in [*trained.encoder.parameters(), *trained.cross.parameters()])
    assert path.stat().st_size < 4 * added + 10_000
    load_trained(path, fresh)
    assert retro_config_of(path) == retro_config()
    found, wanted = fresh.trainable_state(), trained.trainable_state()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert fresh.cross_of(2).query.weight.requires_grad


def test_a_model_trained_whole_comes_back_from_its_file_alone(tmp_path):
    path, trained = tmp_path / "retro.safetensors", tiny_retro()
    save_trained(path, trained)
    again = build_retro(retro_config_of(path), 7)
    load_trained(path, again)
    ids, neighbours = texts(2, 3 * CHUNK)
    assert torch.equal(again(ids, neighbours), trained(ids, neighbours))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"encoder_width": 14}, "is of a model with encoder_width 12 and not 14"),
        ({"cross_layers": (2, 3)}, r"cross_layers \[2, 4\] and not \[2, 3\]"),
        ({"decoder": decoder_config(layers=5)}, "layers 4 and not 5"),
    ],
)
def test_a_file_of_another_configuration_is_refused(tmp_path, changes, says):
    path = tmp_path / "retro.safetensors"
    save_trained(path, tiny_retro())
    model = build_retro(retro_config(**changes), 0)
    before = weights(model)
    with pytest.raises(BadInput, match=says) as refused:
        load_trained(path, model)
    assert "\n" not in str(refused.value)
    assert all(torch.equal(before[name], weight) for name, weight in weights(model).items())


def test_a_file_for_another_decoder_is_refused(tmp_path):
    path = tmp_path / "retro.safetensors"
    save_trained(path, retrofitted())
    with pytest.raises(BadInput, match="trained around another decoder"):
        load_trained(path, retrofitted(decoder_seed=4))


def test_a_retrofits_file_is_none_of_a_whole_model(tmp_path):
    path = tmp_path / "retro.safetensors"
    save_trained(path, retrofitted())
    with pytest.raises(BadInput, match="one of them is a retrofit"):
        load_trained(path, tiny_retro())


@pytest.mark.parametrize("kept", [0, 5, 200, -1])
def test_a_truncated_file_is_one_clear_line(tmp_path, kept):
    path, model = tmp_path / "retro.safetensors", retrofitted()
    save_trained(path, model)
    path.write_bytes(path.read_bytes()[:kept])
    before = weights(model)
    with pytest.raises(HutchError, match=r"retro\.safetensors is no whole file of RETRO weights") as refused:
        load_trained(path, model)
    assert "\n" not in str(refused.value)
    assert all(torch.equal(before[name], weight) for name, weight in weights(model).items())


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(HutchError, match=r"none\.safetensors is no whole file"):
        retro_config_of(tmp_path / "none.safetensors")


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    from hutch.retrieval.retro import trained_weights

    path = tmp_path / "retro.safetensors"
    save_trained(path, retrofitted())
    before = path.read_bytes()

    def full(tensors, target, metadata):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trained_weights, "save_file", full)
    with pytest.raises(HutchError, match="No space left"):
        save_trained(path, retrofitted(seed=1))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
