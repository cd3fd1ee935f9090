"""GGUF, the file format of llama.cpp: a quicker way through it for transformers, which reads it by the package gguf.

As it is, loading SmolLM2 (135M parameters, 98 MB) takes 26 s of one core: the file's header with its 49,000 tokens is
parsed once for the tokenizer and twice for the model, through slices of a memory map that each cost as much as a new
array, and the table of tensor names is built once for each of the model's modules. Without that it takes 8 s.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

import numpy as np


@contextmanager
def quick_gguf() -> Iterator[None]:
    """Until the block ends, a GGUF file is parsed once and its table of names made once; the results are the same.

    transformers looks both up in the package gguf each time it needs them. A version that does not is as slow as it
    was.
    """
    import gguf

    class PlainReader(gguf.GGUFReader):
        """Reads from an array instead of a memory map (of the same file)."""

        @property
        def data(self) -> Any:
            return self._plain

        @data.setter
        def data(self, value: Any) -> None:
            self._plain = value.view(np.ndarray)

    # One file at a time: a reader keeps an object for each token.
    quick = {"GGUFReader": lru_cache(maxsize=1)(PlainReader), "get_tensor_name_map": cache(gguf.get_tensor_name_map)}
    slow = {name: getattr(gguf, name) for name in quick}
    vars(gguf).update(quick)
    try:
        yield
    finally:
        vars(gguf).update(slow)
