"""Texts that a model reads side by side, and what it expects next after each.

Legend: b rows, t time, d width, v vocabulary.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from hutch.lm.kv_cache import KeyValueCache
from hutch.lm.model import Transformer


class Reading:
    """Some texts of different lengths, each read as if it were alone.

    A model sees at most its context. Of a longer text its last tokens are read; a text that grows past the context
    is read anew from its latest half, for both kinds of positions: a context that loses a token and gains one at
    each step would have to be read whole each time, and keys that were computed with the help of dropped tokens are
    nothing that the model has met in training.
    """

    def __init__(self, model: Transformer, texts: Sequence[Sequence[int]], room: int) -> None:
        """Read `texts`, ids, each at least one; each may grow by `room` tokens."""
        self.model = model
        self.texts = [list(text) for text in texts]
        context = model.config.context
        columns = min(context, max(map(len, self.texts)) + room)
        self.cache = model.new_cache(len(self.texts), columns)
        self.logits_bv = _read(model, self.cache, [text[-context:] for text in self.texts])
        """What comes next after each text."""

    def feed(self, tokens: Sequence[int]) -> None:
        """Read one more token of each text."""
        context = self.model.config.context
        full = [row for row, length in enumerate(self.cache.lengths) if length == context]
        if full:
            self._slide(full, context // 2)
        for text, token in zip(self.texts, tokens, strict=True):
            text.append(token)
        self.logits_bv = _read(self.model, self.cache, [[token] for token in tokens])

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these texts alone."""
        self.texts = [self.texts[row] for row in rows]
        self.cache.keep(rows)
        self.logits_bv = self.logits_bv[list(rows)]

    def _slide(self, rows: Sequence[int], tokens: int) -> None:
        fresh = self.model.new_cache(len(rows), tokens)
        if tokens:
            _read(self.model, fresh, [self.texts[row][-tokens:] for row in rows])
        self.cache.put(rows, fresh)


def _read(model: Transformer, cache: KeyValueCache, texts: Sequence[Sequence[int]]) -> Tensor:
    """Read the texts behind what the cache holds; logits of what follows each, [b, v]."""
    lengths = [len(text) for text in texts]
    padded = [[*text, *[0] * (max(lengths) - len(text))] for text in texts]
    x_btd = model.hidden(torch.tensor(padded, device=model.embedding.weight.device), cache)
    cache.lengths = [before + new for before, new in zip(cache.lengths, lengths, strict=True)]
    return model.logits(x_btd[range(len(texts)), [length - 1 for length in lengths]])
