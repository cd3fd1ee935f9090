"""Seeds: one independent stream of random numbers for each purpose, derived by hashing.

There is no global generator, so nothing random depends on what ran before it.
"""

import hashlib

import numpy as np


def seed_of(*parts: int | str) -> int:
    """A 63-bit seed for (seed, purpose, indices ...): equal parts give equal seeds, other parts unrelated ones."""
    data = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts).encode()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little") >> 1


def generator(*parts: int | str) -> np.random.Generator:
    """A NumPy generator seeded with `seed_of(*parts)`."""
    return np.random.Generator(np.random.PCG64(seed_of(*parts)))
