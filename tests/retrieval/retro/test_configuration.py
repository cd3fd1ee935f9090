import json

import pytest

from hutch.retrieval.retro import published_cross_layers, retro_of
from hutch.retrieval.retro.configuration import read_config, shallow_cross_layers
from hutch.runs import BadInput, canonical_json

from .tiny import decoder_config, retro_config


@pytest.mark.parametrize(
    ("layers", "expected"),
    [(6, [6]), (12, [6, 9, 12]), (15, [6, 9, 12, 15]), (24, [9, 12, 15, 18, 21, 24]), (32, list(range(9, 31, 3)))],
)
def test_the_published_layers(layers, expected):
    assert published_cross_layers(layers) == tuple(expected)


def test_the_published_rule_has_nothing_for_five_layers():
    with pytest.raises(BadInput, match="5: name its cross_layers") as refused:
        published_cross_layers(5)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("layers", "expected"), [(1, (1,)), (2, (2,)), (3, (3,)), (4, (4,)), (6, (3, 6)), (7, (4, 7)), (8, (2, 5, 8))]
)
def test_shallow_decoders_count_from_the_last_layer(layers, expected):
    assert shallow_cross_layers(layers) == expected


@pytest.mark.parametrize(("width", "layers"), [(16, 2), (256, 6), (384, 12), (4096, 32)])
def test_the_preset_fits_every_decoder(width, layers):
    decoder = decoder_config(width=width, layers=layers, context=512)
    config = retro_of(decoder)
    assert config.encoder_width == min(896, width // 2)
    assert config.encoder_attention_width == config.encoder_width
    assert config.cross_layers[-1] <= layers


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"chunk": 5}, "context 24 is no multiple of the chunk, 5"),
        ({"cross_layers": (2, 5)}, "cross_layers names layer 5; the layers are 1 to 4"),
        ({"cross_layers": (0, 2)}, "names layer 0"),
        ({"cross_layers": (4, 2)}, "must rise"),
        ({"cross_layers": ()}, "empty"),
        ({"encoder_cross_layers": (3,)}, "encoder_cross_layers names layer 3; the layers are 1 to 2"),
        ({"encoder_layers": 0}, "encoder_layers must be at least 1, not 0"),
        ({"encoder_key_size": 3}, "must be even"),
    ],
)
def test_an_impossible_shape_is_refused_in_one_line(change, says):
    with pytest.raises(BadInput, match=says) as refused:
        retro_config(**change)
    assert "\n" not in str(refused.value)


def test_a_configuration_survives_json():
    config = retro_config(encoder_cross_layers=(), shared_embedding=True)
    assert read_config(canonical_json(config)) == config
    assert json.loads(canonical_json(config))["cross_layers"] == [2, 4]
