"""What a file of weights says of itself."""

import pytest
from safetensors.torch import save_file

from hutch.lm import build_model, load_model, model_of_width
from hutch.runs.errors import HutchError


def test_weights_from_before_the_rotation_of_neighbours_are_refused(tmp_path):
    model, path = build_model(model_of_width(16, vocabulary=64, context=16), 0), tmp_path / "model.safetensors"
    save_file(model.state_dict(), path, metadata={"config": "{}"})
    with pytest.raises(HutchError) as caught:
        load_model(path)
    assert "older Hutch" in str(caught.value)
