"""What tests of several rooms share."""

import pytest


@pytest.fixture
def one_thread():
    """torch on one thread, on which sums are the same every time."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
