"""The gates of an LSTM, forward and back, one pass over the numbers each.

Legend: n sequences, h units, g = 4h gates in the order input, forget, output, candidate.
"""

import numpy as np

from hutch.culture.compiled import kernel, leaf

HALF, ONE = np.float32(0.5), np.float32(1)
MOST = np.float32(7.90531110763549805)
"""Beyond it tanh is ±1 in float32."""
A1, A3, A5, A7, A9, A11, A13 = (
    np.float32(value)
    for value in (
        4.89352455891786e-03,
        6.37261928875436e-04,
        1.48572235717979e-05,
        5.12229709037114e-08,
        -8.60467152213735e-11,
        2.00018790482477e-13,
        -2.76076847742355e-16,
    )
)
B0, B2, B4, B6 = (
    np.float32(value)
    for value in (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06)
)


@leaf
def tanh(x):
    """Within 3e-7 of it, by a ratio of polynomials (Eigen's), which compilers turn into vector instructions."""
    x = min(max(x, -MOST), MOST)
    q = x * x
    above = x * (((((((A13 * q + A11) * q + A9) * q + A7) * q + A5) * q + A3) * q) + A1)
    return above / (((B6 * q + B4) * q + B2) * q + B0)


@kernel
def gates_forward(gates_ng, cell_nh, keep_n, tanh_nh, output_nh, next_input_nh, next_cell_nh):
    """Activates `gates_ng` in place; from the cells before writes tanh of the new cells, the output, and what the next
    step begins with: output and cells where `keep_n` is 1, nothing where an episode starts and it is 0."""
    units = cell_nh.shape[1]
    for n in range(cell_nh.shape[0]):
        gates, keep = gates_ng[n], keep_n[n]
        for k in range(3 * units):
            gates[k] = HALF + HALF * tanh(HALF * gates[k])
        for k in range(3 * units, 4 * units):
            gates[k] = tanh(gates[k])
        for k in range(units):
            cell = gates[units + k] * cell_nh[n, k] + gates[k] * gates[3 * units + k]
            curved = tanh(cell)
            output = gates[2 * units + k] * curved
            tanh_nh[n, k] = curved
            output_nh[n, k] = output
            next_input_nh[n, k] = output * keep
            next_cell_nh[n, k] = cell * keep


@kernel
def gates_backward(gates_ng, cell_nh, keep_n, tanh_nh, d_output_nh, d_next_input_nh, d_cell_nh):
    """Turns activated gates into the derivatives of their sums, in place, and `d_cell_nh`, of the cells after the step,
    into that of the cells before it. `keep_n` is that of the step after, which `d_next_input_nh` comes from."""
    units = cell_nh.shape[1]
    for n in range(cell_nh.shape[0]):
        gates, keep = gates_ng[n], keep_n[n]
        for k in range(units):
            into, forget, out, candidate = gates[k], gates[units + k], gates[2 * units + k], gates[3 * units + k]
            curved = tanh_nh[n, k]
            d_output = d_output_nh[n, k] + keep * d_next_input_nh[n, k]
            d_cell = keep * d_cell_nh[n, k] + d_output * out * (ONE - curved * curved)
            gates[k] = d_cell * candidate * into * (ONE - into)
            gates[units + k] = d_cell * cell_nh[n, k] * forget * (ONE - forget)
            gates[2 * units + k] = d_output * curved * out * (ONE - out)
            gates[3 * units + k] = d_cell * into * (ONE - candidate * candidate)
            d_cell_nh[n, k] = d_cell * forget
