"""Our RMSNorm against torch's."""

import pytest
import torch
import torch.nn.functional as F

from hutch.lm.norms import EPSILON, RMSNorm


@pytest.mark.parametrize("shape", [(3, 5, 8), (7, 8)])
def test_values_and_gradients_are_torchs(shape):
    random = torch.Generator().manual_seed(0)
    norm = RMSNorm(8)
    with torch.no_grad():
        norm.gain.normal_(generator=random)
    x = torch.randn(shape, generator=random).requires_grad_()
    slope = torch.randn(shape, generator=random)
    found, expected = norm(x), F.rms_norm(x, (8,), norm.gain, EPSILON)
    torch.testing.assert_close(found, expected)
    ours = torch.autograd.grad(found, (x, norm.gain), slope)
    theirs = torch.autograd.grad(expected, (x, norm.gain), slope)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_a_row_of_zeros_stays_zero_and_has_a_finite_gradient():
    x = torch.zeros(2, 8, requires_grad=True)
    y = RMSNorm(8)(x)
    (slope,) = torch.autograd.grad(y, x, torch.ones(2, 8))
    assert torch.equal(y, torch.zeros(2, 8))
    assert torch.isfinite(slope).all()


def test_a_bfloat16_input_is_normalised_in_float32_and_stays_bfloat16():
    x = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    y = RMSNorm(8)(x.bfloat16())
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), F.rms_norm(x, (8,), eps=EPSILON), rtol=2e-2, atol=2e-2)
