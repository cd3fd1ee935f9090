"""The picture from above shows things where they are."""

import numpy as np
import pytest

from hutch.culture import WorldConfig, render
from hutch.culture.kinds import PILLAR
from hutch.culture.rendering import AVATAR_COLOURS, OBSTACLE_COLOURS
from hutch.runs import BadInput
from tests.culture.test_motion import put


def test_things_are_where_they_are(one_world):
    config = WorldConfig()
    worlds = one_world(config, goals=((15, 15), (2, 18)), avatars=((5, 5, 1, 0),))
    put(worlds, PILLAR, 10, 15, 1.0, 1.0, 0, 3)
    image = render(worlds.state, 0, config, pixels=200).astype(int)

    def at(x, y):
        return image[199 - int(y * 10), int(x * 10)]

    assert at(5, 5).tolist() == AVATAR_COLOURS[0].astype(int).tolist()
    assert at(10, 15).tolist() == list(OBSTACLE_COLOURS[PILLAR])
    red, green, blue = at(15, 15)
    assert red > 1.5 * max(green, blue)
    assert at(2, 18)[2] > at(2, 18)[0]
    # The absent second avatar is nowhere.
    assert not (image == AVATAR_COLOURS[1].astype(int)).all(-1).any()
    assert np.ptp(image[150:, 150:], axis=(0, 1)).max() == 0


def test_slopes_are_shaded(one_world):
    worlds = one_world(bumpiness=1.0)
    assert render(worlds.state, 0, worlds.config)[..., 0].std() > 5


def test_a_picture_that_shows_nothing_is_refused(one_world):
    worlds = one_world()
    with pytest.raises(BadInput, match="a picture of 4 pixels shows nothing"):
        render(worlds.state, 0, worlds.config, pixels=4)
