import pytest

from hutch.lm import TrainConfig, build_model, model_of_width
from hutch.lm.optimizer import BASE_WIDTH, build_optimizer


def optimizer_of(model, **change):
    options = {"tokens": 1000, "sequences": 2, "peak_rate": 0.01, "embedding_rate": 1.0} | change
    built = build_model(model, 0)
    return built, build_optimizer(built, TrainConfig(model=model, **options))


@pytest.mark.parametrize("width", [32, 64, 128])
def test_matrices_learn_at_a_rate_that_falls_with_width_and_embeddings_do_not(width):
    _, optimizer = optimizer_of(model_of_width(width, vocabulary=64, context=8), embedding_rate=60.0)
    optimizer.set_rate(0.01)
    matrices, embedding, gains = optimizer.groups()
    assert matrices["lr"] == pytest.approx(0.01 * BASE_WIDTH / width)
    assert embedding["lr"] == pytest.approx(0.6)
    assert gains["lr"] == pytest.approx(0.01)
    # What AdamW takes off a matrix in a step is rate × decay: the same for all widths.
    assert matrices["lr"] * matrices["weight_decay"] == pytest.approx(0.001)
    assert embedding["weight_decay"] == gains["weight_decay"] == 0


@pytest.mark.parametrize("change", [{}, {"algorithm": "muon"}])
def test_every_parameter_is_in_one_group(change):
    model, optimizer = optimizer_of(model_of_width(32, vocabulary=64, context=8, positions="relative"), **change)
    grouped = [id(p) for group in optimizer.groups() for p in group["params"]]
    # A head's two biases have three dimensions and belong to the undecayed ones.
    assert sorted(grouped) == sorted(id(p) for p in model.parameters())


def test_muon_has_the_matrices_and_adamw_the_rest():
    model, optimizer = optimizer_of(model_of_width(32, vocabulary=64, context=8), algorithm="muon")
    muon, adamw = optimizer.parts
    matrices = {id(p) for group in muon.param_groups for p in group["params"]}
    assert matrices == {id(p) for block in model.blocks for p in block.parameters() if p.ndim == 2}
    assert id(model.embedding.weight) in {id(p) for group in adamw.param_groups for p in group["params"]}


def test_the_state_of_a_parameter_is_that_of_its_own_optimizer():
    model, optimizer = optimizer_of(model_of_width(32, vocabulary=64, context=8), algorithm="muon")
    for parameter in model.parameters():
        parameter.grad = parameter.new_ones(parameter.shape)
    optimizer.step()
    assert set(optimizer.state_of(model.blocks[0].up.weight)) == {"momentum_buffer"}
    assert {"exp_avg", "exp_avg_sq"} <= set(optimizer.state_of(model.embedding.weight))
    with pytest.raises(KeyError):
        optimizer.state_of(model.embedding.weight.clone())
