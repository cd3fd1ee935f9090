"""Runs that saw their data more than once: the three approaches take every token for fresh."""

from collections.abc import Sequence

import numpy as np

from hutch.scaling.columns import Array
from hutch.scaling.tables.cells import Cells
from hutch.scaling.tables.spellings import squeezed

_EPOCHS = {"epochs", "epoch", "numepochs", "nepochs"}
_UNIQUE = {"dunique", "uniquetokens", "tokensunique", "numuniquetokens"}
_FRESH = 1.01


def repeat_columns(names: Sequence[str]) -> list[str]:
    """The columns that say how often the data were seen."""
    return [name for name in names if squeezed(name) in _EPOCHS | _UNIQUE and names.count(name) == 1]


def repeats_note(cells: Cells, names: Sequence[str], tokens: Array) -> list[str]:
    """A note where runs of the table repeat their data; `tokens` has one value for each row of `cells`."""
    for name in repeat_columns(names):
        values = np.array([_number(cell) for cell in cells.columns[name]])
        epochs = values if squeezed(name) in _EPOCHS else tokens / values
        repeated = int(np.sum(epochs > _FRESH))
        if repeated:
            return [
                f"{repeated} of {len(tokens)} runs repeat their data (column {name}, up to {np.nanmax(epochs):.3g} "
                "epochs) and are fitted as if every token were fresh: keep those that do not with --where"
            ]
    return []


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")
