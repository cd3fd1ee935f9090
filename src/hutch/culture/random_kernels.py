"""Random numbers as a pure function of a seed and a counter: no state, no order, the same on every machine.

SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
"""

import numpy as np

from hutch.culture.compiled import leaf

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@leaf
def uniform(seed, counter):
    """The `counter`-th number of the stream of `seed` (uint64): float64 in [0, 1)."""
    z = seed + GOLDEN * np.uint64(counter + 1)
    z = (z ^ (z >> _30)) * _MIX_1
    z = (z ^ (z >> _27)) * _MIX_2
    z = z ^ (z >> _31)
    return float(z >> _11) * (1.0 / 9007199254740992.0)


@leaf
def stream(seed, purpose):
    """A seed for one purpose of `seed` (both uint64 and int)."""
    z = seed ^ (GOLDEN * np.uint64(purpose + 7919))
    z = (z ^ (z >> _30)) * _MIX_1
    z = (z ^ (z >> _27)) * _MIX_2
    return z ^ (z >> _31)
