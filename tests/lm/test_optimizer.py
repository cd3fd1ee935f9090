import pytest

from hutch.lm import build_model, model_of_width
from hutch.lm.optimizer import BASE_WIDTH, build_optimizer, set_rate


@pytest.mark.parametrize("width", [32, 64, 128])
def test_matrices_learn_at_a_rate_that_falls_with_width_and_embeddings_do_not(width):
    model = build_model(model_of_width(width, vocabulary=64, context=8), 0)
    optimizer = build_optimizer(model, betas=(0.9, 0.95), embedding_rate=60.0, weight_decay=0.1)
    set_rate(optimizer, 0.01)
    matrices, embedding, gains = optimizer.param_groups
    assert matrices["lr"] == pytest.approx(0.01 * BASE_WIDTH / width)
    assert embedding["lr"] == pytest.approx(0.6)
    assert gains["lr"] == pytest.approx(0.01)
    # What AdamW takes off a matrix in a step is rate × decay: the same for all widths.
    assert matrices["lr"] * matrices["weight_decay"] == pytest.approx(0.001)
    assert embedding["weight_decay"] == gains["weight_decay"] == 0


def test_every_parameter_is_in_one_group():
    model = build_model(model_of_width(32, vocabulary=64, context=8, positions="relative"), 0)
    optimizer = build_optimizer(model, betas=(0.9, 0.95), embedding_rate=1.0, weight_decay=0.1)
    grouped = [id(p) for group in optimizer.param_groups for p in group["params"]]
    # A head's two biases have three dimensions and belong to the undecayed ones.
    assert sorted(grouped) == sorted(id(p) for p in model.parameters())
