"""The LSTM against torch's, and against one that walks step by step."""

import pytest
import torch

from hutch.culture.memory import LSTM, Belief, Present, no_belief
from hutch.culture.memory_kernels import tanh


def drawn(inputs=5, units=8, seed=0):
    memory = LSTM(inputs, units)
    generator = torch.Generator().manual_seed(seed)
    memory.draw(generator)
    memory.bias_g.data += torch.randn(4 * units, generator=generator)
    return memory, generator


def torchs(memory):
    """torch's with the same weights; its gates are in the order input, forget, candidate, output."""
    other = torch.nn.LSTM(memory.input_gd.shape[1], memory.units)

    def ordered(weight):
        into, forget, out, candidate = weight.detach().chunk(4)
        return torch.cat([into, forget, candidate, out])

    with torch.no_grad():
        other.weight_ih_l0.copy_(ordered(memory.input_gd))
        other.weight_hh_l0.copy_(ordered(memory.recurrent_gh))
        other.bias_ih_l0.copy_(ordered(memory.bias_g))
        other.bias_hh_l0.zero_()
    return other, ordered


def test_outputs_and_gradients_are_those_of_torch():
    memory, generator = drawn()
    other, ordered = torchs(memory)
    input_tnd = torch.randn(7, 3, 5, generator=generator, requires_grad=True)
    before = Belief(*torch.randn(2, 3, 8, generator=generator))
    weight_tnh = torch.randn(7, 3, 8, generator=generator)
    mine, after = memory(input_tnd, before)
    theirs, (h, c) = other(input_tnd, (before.output_nh[None], before.cell_nh[None]))
    assert torch.allclose(mine, theirs, atol=1e-6)
    assert torch.allclose(after.output_nh, h[0], atol=1e-6)
    assert torch.allclose(after.cell_nh, c[0], atol=1e-6)
    of_mine = torch.autograd.grad(
        (mine * weight_tnh).sum(), [input_tnd, memory.input_gd, memory.recurrent_gh, memory.bias_g]
    )
    of_theirs = torch.autograd.grad(
        (theirs * weight_tnh).sum(), [input_tnd, other.weight_ih_l0, other.weight_hh_l0, other.bias_ih_l0]
    )
    assert torch.allclose(of_mine[0], of_theirs[0], atol=1e-5)
    for one, two in zip(of_mine[1:], of_theirs[1:], strict=True):
        assert torch.allclose(ordered(one), two, atol=1e-5)


def slow(memory, input_tnd, before, starts_tn):
    """The equations, a step at a time, forgetting where an episode starts."""
    output, cell = before
    outputs = []
    for input_nd, start_n in zip(input_tnd, starts_tn, strict=True):
        output = torch.where(start_n[:, None], 0.0, output)
        cell = torch.where(start_n[:, None], 0.0, cell)
        gates = input_nd @ memory.input_gd.T + output @ memory.recurrent_gh.T + memory.bias_g
        into, forget, out, candidate = gates.chunk(4, 1)
        cell = forget.sigmoid() * cell + into.sigmoid() * candidate.tanh()
        output = out.sigmoid() * cell.tanh()
        outputs.append(output)
    return torch.stack(outputs)


def test_it_forgets_where_an_episode_starts_and_so_do_gradients():
    memory, generator = drawn(seed=1)
    input_tnd = torch.randn(9, 4, 5, generator=generator, requires_grad=True)
    before = Belief(*torch.randn(2, 4, 8, generator=generator))
    starts_tn = torch.zeros(9, 4, dtype=torch.bool)
    starts_tn[0, 1] = starts_tn[4, 2] = starts_tn[8, 2] = starts_tn[5] = True
    weight_tnh = torch.randn(9, 4, 8, generator=generator)
    weights = [input_tnd, memory.input_gd, memory.recurrent_gh, memory.bias_g]
    mine, _ = memory(input_tnd, before, starts_tn)
    theirs = slow(memory, input_tnd, before, starts_tn)
    assert torch.allclose(mine, theirs, atol=1e-6)
    of_mine = torch.autograd.grad((mine * weight_tnh).sum(), weights)
    of_theirs = torch.autograd.grad((theirs * weight_tnh).sum(), weights)
    for one, two in zip(of_mine, of_theirs, strict=True):
        assert torch.allclose(one, two, atol=1e-5)


def test_an_episode_after_a_start_is_one_of_its_own():
    memory, generator = drawn(seed=2)
    input_tnd = torch.randn(6, 2, 5, generator=generator)
    starts_tn = torch.zeros(6, 2, dtype=torch.bool)
    starts_tn[3] = True
    both, _ = memory(input_tnd, no_belief(2, 8), starts_tn)
    alone, _ = memory(input_tnd[3:], no_belief(2, 8))
    assert torch.equal(both[3:], alone)


def test_steps_carried_on_are_the_sequence():
    memory, generator = drawn(seed=3)
    input_tnd = torch.randn(5, 2, 5, generator=generator)
    whole, _ = memory(input_tnd, no_belief(2, 8))
    belief = no_belief(2, 8)
    for t in range(5):
        one, belief = memory(input_tnd[t : t + 1], belief)
        assert torch.allclose(one[0], whole[t], atol=1e-6)


def test_tanh():
    x = torch.linspace(-12, 12, 4001)
    mine = torch.tensor([tanh(value) for value in x.numpy()])
    assert (mine - x.tanh()).abs().max() < 4e-7
    assert mine.abs().max() <= 1 + 1e-6


def test_without_memory_the_past_changes_nothing():
    memory = Present(5, 8)
    memory.draw(torch.Generator().manual_seed(0))
    input_tnd = torch.randn(4, 2, 5)
    whole, belief = memory(input_tnd, no_belief(2, 8))
    last, _ = memory(input_tnd[3:], no_belief(2, 8))
    assert torch.allclose(whole[3:], last, atol=1e-6)
    assert not belief.output_nh.any()


@pytest.mark.parametrize("units", [1, 3, 16])
def test_any_width(units):
    memory, _ = drawn(inputs=2, units=units)
    output, _ = memory(torch.ones(3, 2, 2), no_belief(2, units))
    assert output.shape == (3, 2, units)
