"""The keys and values of tokens that a model has read, kept so that each new token costs one token's work.

Legend: b rows, h heads, t new tokens, c columns, e key size.

A row's token at place p lies in column p. So rows of different lengths need no padding before their text, and a row
knows nothing of the rows beside it. Columns past a row's length hold rubbish until they are written; the mask hides
them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What one layer remembers, open for t more tokens of each row."""

    keys_bhce: Tensor
    values_bhce: Tensor
    places_bt: Tensor
    """Places of the new tokens, [1, t] where all rows are equally long."""
    columns: int
    """Columns that any of the new tokens may see."""
    visible_b1tc: Tensor | None
    """Which columns each new token sees; None: all."""
    kept: dict[str, Tensor]

    def extend(self, k_bhte: Tensor, v_bhte: Tensor) -> tuple[Tensor, Tensor]:
        """Write the new keys and values; return all of them, [b, h, columns, e]."""
        for store, new in ((self.keys_bhce, k_bhte), (self.values_bhce, v_bhte)):
            if len(self.places_bt) == 1:
                store[:, :, self.columns - new.shape[2] : self.columns] = new
            else:
                rows_b1 = torch.arange(len(new), device=new.device)[:, None]
                store[rows_b1, :, self.places_bt] = new.transpose(1, 2)
        return self.keys_bhce[:, :, : self.columns], self.values_bhce[:, :, : self.columns]

    def at_places(self, table: Tensor) -> Tensor:
        """The rows of a table of all places, [columns, ...], that are the new tokens': [t, ...] or [b, t, ...]."""
        if len(self.places_bt) == 1:
            return table[self.columns - self.places_bt.shape[1] : self.columns]
        return table[self.places_bt]

    def once(self, name: str, make: Callable[[int], Tensor]) -> Tensor:
        """`make(columns of the whole cache)`, computed when it is first asked for."""
        if name not in self.kept:
            self.kept[name] = make(self.keys_bhce.shape[2])
        return self.kept[name]


class KeyValueCache:
    """The memory of all layers for `rows` texts of up to `columns` tokens, allocated at once."""

    def __init__(self, *, layers: int, rows: int, columns: int, heads: int, key_size: int, like: Tensor):
        """On the device of `like` and of its type."""
        size = (rows, heads, columns, key_size)
        self.columns = columns
        self.layers = [(like.new_zeros(size), like.new_zeros(size)) for _ in range(layers)]
        self.lengths = [0] * rows
        """Tokens that each row has read. The caller adds to it after each pass: padding does not count."""
        self._kept: list[dict[str, Tensor]] = [{} for _ in range(layers)]

    def memories(self, t: int) -> list[Memory]:
        """Each layer's memory, open for t more tokens a row; not more than `columns` in all."""
        device = self.layers[0][0].device
        equal = min(self.lengths) == max(self.lengths)
        lengths_b = torch.tensor(self.lengths[:1] if equal else self.lengths, device=device)
        places_bt = lengths_b[:, None] + torch.arange(t, device=device)
        columns = max(self.lengths) + t
        visible = None if equal and t == 1 else torch.arange(columns, device=device) <= places_bt[:, None, :, None]
        return [
            Memory(
                keys_bhce=keys,
                values_bhce=values,
                places_bt=places_bt,
                columns=columns,
                visible_b1tc=visible,
                kept=kept,
            )
            for (keys, values), kept in zip(self.layers, self._kept, strict=True)
        ]

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all rows but these."""
        self.layers = [(keys[list(rows)], values[list(rows)]) for keys, values in self.layers]
        self.lengths = [self.lengths[row] for row in rows]

    def put(self, rows: Sequence[int], other: "KeyValueCache") -> None:
        """Replace `rows` by the rows of another cache of the same model, which may have fewer columns."""
        for mine, others in zip(self.layers, other.layers, strict=True):
            for store, new in zip(mine, others, strict=True):
                store[list(rows), :, : other.columns] = new
        for row, length in zip(rows, other.lengths, strict=True):
            self.lengths[row] = length
