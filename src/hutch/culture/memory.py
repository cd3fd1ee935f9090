"""What an agent remembers: an LSTM over whole episodes, or nothing.

Legend: t steps, n sequences, d inputs, h units, g = 4h gates (input, forget, output, candidate).

Why an LSTM of our own: inputs of all steps pass in one matrix product, as in torch's; the gates, which torch's makes in
a dozen passes over memory, in one (`memory_kernels`). Forward and back it takes 0.7 to 0.9 of the time of torch's (one
core, 120 steps of 96 sequences, width 128), and it forgets where episodes start inside a sequence: torch's cannot.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn


class Belief(NamedTuple):
    """What is carried from step to step."""

    output_nh: Tensor
    cell_nh: Tensor


def no_belief(sequences: int, units: int) -> Belief:
    """Before the first step."""
    return Belief(torch.zeros(sequences, units), torch.zeros(sequences, units))


class LSTM(nn.Module):
    """One layer (Hochreiter and Schmidhuber 1997, with forget gates)."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.input_gd = nn.Parameter(torch.empty(4 * units, inputs))
        self.recurrent_gh = nn.Parameter(torch.empty(4 * units, units))
        self.bias_g = nn.Parameter(torch.zeros(4 * units))

    def draw(self, generator: torch.Generator) -> None:
        """Orthogonal blocks; forget gates begin open (Jozefowicz et al. 2015), so that early steps are felt late."""
        for weight in (self.input_gd, self.recurrent_gh):
            for block in weight.data.split(self.units):
                nn.init.orthogonal_(block, generator=generator)
        self.bias_g.data[self.units : 2 * self.units] = 1.0

    def forward(self, input_tnd: Tensor, before: Belief, starts_tn: Tensor | None = None) -> tuple[Tensor, Belief]:
        """Outputs [t, n, h] and what is carried on. Where `starts_tn` is True an episode starts with that step and
        nothing from before is known; None: nowhere."""
        t, n, _ = input_tnd.shape
        keep_tn = torch.ones(t + 1, n)
        if starts_tn is not None:
            keep_tn[:t] -= starts_tn.float()
        output_tnh, last_cell_nh = _Steps.apply(
            input_tnd, self.input_gd, self.recurrent_gh, self.bias_g, before.output_nh, before.cell_nh, keep_tn
        )
        return output_tnh, Belief(output_tnh[-1].detach(), last_cell_nh)


class _Steps(torch.autograd.Function):
    """All steps of an LSTM. What is carried in and out takes no part in gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        input_tnd: Tensor,
        input_gd: Tensor,
        recurrent_gh: Tensor,
        bias_g: Tensor,
        output_nh: Tensor,
        cell_nh: Tensor,
        keep_tn: Tensor,
    ) -> tuple[Tensor, Tensor]:
        from hutch.culture.memory_kernels import gates_forward

        t, n, d = input_tnd.shape
        h = recurrent_gh.shape[1]
        gates_tng = torch.addmm(bias_g, input_tnd.reshape(t * n, d), input_gd.t()).view(t, n, 4 * h)
        into_tnh, cell_tnh = torch.empty(t + 1, n, h), torch.empty(t + 1, n, h)
        tanh_tnh, out_tnh = torch.empty(t, n, h), torch.empty(t, n, h)
        torch.mul(output_nh, keep_tn[0, :, None], out=into_tnh[0])
        torch.mul(cell_nh, keep_tn[0, :, None], out=cell_tnh[0])
        gates, into, cell, tanh, out, keep = (
            tensor.numpy() for tensor in (gates_tng, into_tnh, cell_tnh, tanh_tnh, out_tnh, keep_tn)
        )
        recurrent_hg = recurrent_gh.t()
        for s in range(t):
            gates_tng[s].addmm_(into_tnh[s], recurrent_hg)
            gates_forward(gates[s], cell[s], keep[s + 1], tanh[s], out[s], into[s + 1], cell[s + 1])
        ctx.save_for_backward(input_tnd, input_gd, recurrent_gh, gates_tng, into_tnh, cell_tnh, tanh_tnh, keep_tn)
        last_cell_nh = cell_tnh[t].clone()
        ctx.mark_non_differentiable(last_cell_nh)
        return out_tnh, last_cell_nh

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor) -> tuple[Tensor | None, ...]:  # pyrefly: ignore[bad-override]
        from hutch.culture.memory_kernels import gates_backward

        input_tnd, input_gd, recurrent_gh, gates_tng, into_tnh, cell_tnh, tanh_tnh, keep_tn = ctx.saved_tensors
        t, n, d = input_tnd.shape
        h = recurrent_gh.shape[1]
        d_into_nh = torch.zeros(n, h)
        d_cell = np.zeros((n, h), np.float32)
        gates, cell, tanh, keep, d_into = (
            tensor.numpy() for tensor in (gates_tng, cell_tnh, tanh_tnh, keep_tn, d_into_nh)
        )
        d_out = d_outputs[0].contiguous().numpy()
        for s in reversed(range(t)):
            gates_backward(gates[s], cell[s], keep[s + 1], tanh[s], d_out[s], d_into, d_cell)
            torch.mm(gates_tng[s], recurrent_gh, out=d_into_nh)
        d_gates = gates_tng.view(t * n, 4 * h)
        d_input = (d_gates @ input_gd).view(t, n, d) if ctx.needs_input_grad[0] else None
        d_input_weight = d_gates.t() @ input_tnd.reshape(t * n, d)
        d_recurrent = d_gates.t() @ into_tnh[:t].view(t * n, h)
        return d_input, d_input_weight, d_recurrent, d_gates.sum(0), None, None, None


class Present(nn.Module):
    """A layer in place of a memory: the ablation of M."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, units)

    def draw(self, generator: torch.Generator) -> None:
        """Orthogonal."""
        nn.init.orthogonal_(self.layer.weight, 2**0.5, generator=generator)
        nn.init.zeros_(self.layer.bias)

    def forward(self, input_tnd: Tensor, before: Belief, starts_tn: Tensor | None = None) -> tuple[Tensor, Belief]:
        """As the LSTM's; nothing is carried on."""
        return torch.relu(self.layer(input_tnd)), before
