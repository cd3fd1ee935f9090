import math

import pytest
import torch

from hutch.lm import ModelConfig, build_model, model_of_shape, model_of_width, shape_of
from hutch.lm.model import RelativeAttention
from hutch.lm.positions import sinusoids
from hutch.runs import BadInput
from hutch.scaling import CHINCHILLA_TABLE_A9, GOPHER_FAMILY, parameters

BOTH = pytest.mark.parametrize("positions", ["rotary", "relative"])


def tiny(positions="rotary", **changes):
    sizes = {"layers": 2, "width": 16, "heads": 2, "key_size": 6, "feed_forward": 40, "vocabulary": 50, "context": 12}
    return ModelConfig(**(sizes | changes), positions=positions)


@BOTH
def test_a_prediction_does_not_see_what_follows(positions):
    model = build_model(tiny(positions), 0)
    ids = torch.randint(50, (1, 12), generator=torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[0, 7:] = (ids[0, 7:] + 1) % 50
    assert torch.allclose(model(ids)[0, :7], model(changed)[0, :7], atol=1e-6)
    assert not torch.allclose(model(ids)[0, 7], model(changed)[0, 7], atol=1e-3)


@BOTH
def test_parameters_are_the_formula_and_the_gains(positions):
    config = tiny(positions)
    model = build_model(config, 0)
    gains = (2 * config.layers + 1) * config.width
    biases = 2 * config.layers * config.attention_width if positions == "relative" else 0
    assert model.parameter_count() == parameters(shape_of(config), positions) + gains + biases


def test_relative_attention_equals_the_sum_over_pairs():
    """(q + u)·k + (q + v)·W_r R_{q−k}, one pair at a time."""
    config = tiny("relative")
    attention = RelativeAttention(config)
    torch.nn.init.normal_(attention.content_bias)
    torch.nn.init.normal_(attention.position_bias)
    t, h, e = 5, config.heads, config.key_size
    x = torch.randn(1, t, config.width)
    q, k, v = attention.qkv(x).view(t, 3, h, e).unbind(1)
    by_distance = attention.position(sinusoids(t, config.width)).view(t, h, e).flip(0)
    rows = []
    for i in range(t):
        heads = []
        for head in range(h):
            u, w = attention.content_bias[head, 0], attention.position_bias[head, 0]
            scores = torch.stack(
                [(q[i, head] + u) @ k[j, head] + (q[i, head] + w) @ by_distance[i - j, head] for j in range(i + 1)]
            )
            heads.append((scores / math.sqrt(e)).softmax(0) @ v[: i + 1, head])
        rows.append(torch.cat(heads))
    slow = attention.output(torch.stack(rows))[None]
    assert torch.allclose(attention(x), slow, atol=1e-5)


def test_relative_positions_run_past_the_training_context():
    assert build_model(tiny("relative"), 0)(torch.zeros(1, 40, dtype=torch.long)).shape == (1, 40, 50)


@pytest.mark.parametrize("width", [16, 64, 256])
def test_every_width_begins_near_the_uniform_loss(width):
    model = build_model(model_of_width(width, vocabulary=512, context=16), 3)
    ids = torch.randint(512, (8, 17), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        loss = model.loss(ids[:, :-1], ids[:, 1:]).item()
    assert math.log(512) - 0.1 < loss < math.log(512) + 0.5


def test_a_seed_gives_the_same_weights():
    first, second, other = (build_model(tiny(), seed).state_dict() for seed in (4, 4, 5))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["embedding.weight"], other["embedding.weight"])


def test_published_shapes_are_models():
    gopher = model_of_shape(GOPHER_FAMILY["44M"])
    assert (gopher.layers, gopher.width, gopher.positions) == (8, 512, "relative")
    assert all(model_of_shape(shape).feed_forward == 4 * shape.width for shape in CHINCHILLA_TABLE_A9.values())


def test_the_rule_meets_the_smallest_published_shapes():
    for name in ("44M", "117M"):
        published = GOPHER_FAMILY[name]
        assert model_of_width(published.width, vocabulary=32_000, context=2048).layers == published.layers


@pytest.mark.parametrize(("change", "says"), [({"layers": 0}, "layers"), ({"key_size": 3}, "even")])
def test_an_impossible_shape_is_refused(change, says):
    with pytest.raises(BadInput, match=says):
        tiny(**change)
