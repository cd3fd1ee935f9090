"""Chunked cross-entropy against torch's own on whole logits."""

import pytest
import torch
import torch.nn.functional as F

from hutch.lm import build_model, model_of_width
from hutch.lm.cross_entropy import chunked_cross_entropy, rows_at_once


def example(n=37, d=8, v=101, dtype=torch.float64):
    random = torch.Generator().manual_seed(0)
    hidden = torch.randn(n, d, generator=random, dtype=dtype).requires_grad_()
    weight = torch.randn(v, d, generator=random, dtype=dtype).requires_grad_()
    return hidden, weight, torch.randint(v, (n,), generator=random)


@pytest.mark.parametrize("rows", [1, 5, 36, 37, 100])
def test_loss_and_gradients_are_those_of_whole_logits(rows):
    hidden, weight, targets = example(dtype=torch.float32)
    whole = F.cross_entropy(hidden @ weight.T, targets)
    expected = torch.autograd.grad(whole * 3, (hidden, weight))
    loss = chunked_cross_entropy(hidden, weight, targets, rows)
    found = torch.autograd.grad(loss * 3, (hidden, weight))
    assert loss.item() == pytest.approx(whole.item(), rel=1e-6)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_without_gradients_only_the_loss_is_made():
    hidden, weight, targets = example(dtype=torch.float32)
    with torch.no_grad():
        loss = chunked_cross_entropy(hidden, weight, targets, 10)
    assert loss.item() == pytest.approx(F.cross_entropy(hidden @ weight.T, targets).item(), rel=1e-6)


def test_a_frozen_weight_gets_no_gradient_and_changes_none():
    hidden, weight, targets = example(dtype=torch.float32)
    expected = torch.autograd.grad(chunked_cross_entropy(hidden, weight, targets, 10), hidden)
    chunked_cross_entropy(hidden, weight.detach(), targets, 10).backward()
    torch.testing.assert_close(hidden.grad, expected[0], rtol=0, atol=0)


def test_the_loss_of_bfloat16_products_is_float32():
    hidden, weight, targets = example(n=64, dtype=torch.float32)
    loss = chunked_cross_entropy(hidden.bfloat16(), weight, targets, 16)
    loss.backward()
    assert loss.dtype == torch.float32
    assert (hidden.grad.dtype, weight.grad.dtype) == (torch.float32, torch.float32)
    whole = F.cross_entropy(hidden @ weight.T, targets)
    assert loss.item() == pytest.approx(whole.item(), rel=2e-2)
    expected = torch.autograd.grad(whole, weight)[0]
    assert (weight.grad - expected).norm() < 0.02 * expected.norm()


def test_a_target_without_any_probability_has_a_finite_loss():
    hidden = torch.tensor([[1.0]], requires_grad=True)
    loss = chunked_cross_entropy(hidden, torch.tensor([[300.0], [0.0], [1.0]]), torch.tensor([1]), 4)
    assert loss.item() == pytest.approx(300)


@pytest.mark.parametrize(("vocabulary", "rows"), [(257, 512), (2048, 512), (4096, 256), (32_000, 64), (10**9, 64)])
def test_rows_at_once_fit_the_cache_and_the_vector_units(vocabulary, rows):
    assert rows_at_once(vocabulary) == rows


def test_a_model_with_large_logits_has_the_same_loss_and_gradients(monkeypatch):
    model = build_model(model_of_width(16, vocabulary=64, context=16), 0)
    ids = torch.randint(64, (2, 3, 16), generator=torch.Generator().manual_seed(0))
    whole = model.loss(*ids, "none").mean()
    expected = torch.autograd.grad(whole, list(model.parameters()))
    monkeypatch.setattr("hutch.lm.model.rows_at_once", lambda vocabulary, device: 7)
    loss = model.loss(*ids)
    assert loss.item() == pytest.approx(whole.item(), rel=1e-6)
    for one, other in zip(torch.autograd.grad(loss, list(model.parameters())), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)
