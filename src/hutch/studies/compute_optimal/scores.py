"""Nats of held-out documents as the figures of a run: loss, bits per byte, bits per byte by subset."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hutch.text import Corpus


@dataclass(frozen=True)
class Holdout:
    """The held-out documents: one entry each, in the order of the shard."""

    subset: np.ndarray
    """[documents] index into `names`; −1 where nothing of its subset was trained on: such a document is not scored."""
    tokens: np.ndarray
    """[documents] tokens scored."""
    bytes: np.ndarray
    """[documents] UTF-8 bytes that these tokens stand for."""
    names: tuple[str, ...]
    """Subsets."""
    token_share: np.ndarray
    """[subsets] share of the training tokens."""
    byte_share: np.ndarray
    """[subsets] share of the training bytes."""

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {name: np.asarray(getattr(self, name)).tolist() for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Holdout":
        """The inverse of `as_dict`."""
        arrays = {name: np.asarray(value) for name, value in values.items() if name != "names"}
        return cls(names=tuple(values["names"]), **arrays)

    def mixture_weights(self) -> np.ndarray:
        """[documents] weights under which the held-out bytes are mixed by subset as the training bytes are."""
        held_out = _by_subset(self, self.bytes)
        return (self.byte_share / np.maximum(held_out, 1))[self.subset] * held_out.sum()

    def scored(self) -> np.ndarray:
        """[documents] which are scored."""
        return self.subset >= 0

    def rows(self, name: str) -> np.ndarray:
        """[documents] which belong to the subset `name`."""
        return self.subset == self.names.index(name)


def holdout_of(corpus: Corpus) -> Holdout:
    """The held-out documents and the training mixture, from the corpus."""
    shard = corpus.holdout
    names = [name for name in shard.subsets if corpus.manifest["subsets"][name]["train_tokens"]]
    totals = [corpus.manifest["subsets"][name] for name in names]
    tokens = np.array([total["train_tokens"] for total in totals], float)
    size = np.array([total["train_bytes"] for total in totals], float)
    # A subset of which nothing was trained on has no share in the mixture, and is not scored.
    position = np.array([names.index(name) if name in names else -1 for name in shard.subsets])
    return Holdout(
        subset=position[shard.documents["subset"]],
        bytes=np.asarray(shard.documents["bytes"]),
        # The end of a document that was cut is no text, so no model is asked to predict an end.
        tokens=np.asarray(shard.documents["tokens"]) - 1,
        names=tuple(names),
        token_share=tokens / tokens.sum(),
        byte_share=size / size.sum(),
    )


def loss_of(holdout: Holdout, nats: np.ndarray) -> float:
    """Nats per token on text mixed as the training text is: each subset's mean, weighted by its share of the
    training tokens. Subsets without a held-out document carry no weight."""
    return _weighted(_by_subset(holdout, nats), _by_subset(holdout, holdout.tokens), holdout.token_share)


def bits_per_byte_of(holdout: Holdout, nats: np.ndarray) -> float:
    """Bits per byte, weighted likewise by share of the training bytes; comparable across tokenizers."""
    return _weighted(_by_subset(holdout, nats), _by_subset(holdout, holdout.bytes), holdout.byte_share) / math.log(2)


def bits_per_byte_by_subset(holdout: Holdout, nats: np.ndarray) -> dict[str, float]:
    """Σ nats / (ln 2 · Σ bytes) over each subset's held-out documents."""
    paid, size = _by_subset(holdout, nats), _by_subset(holdout, holdout.bytes)
    return {name: float(paid[i] / size[i] / math.log(2)) for i, name in enumerate(holdout.names) if size[i] > 0}


def _by_subset(holdout: Holdout, values: np.ndarray) -> np.ndarray:
    known = holdout.scored()
    return np.bincount(holdout.subset[known], np.asarray(values)[known], minlength=len(holdout.names))


def _weighted(top: np.ndarray, bottom: np.ndarray, share: np.ndarray) -> float:
    known = bottom > 0
    return float(np.sum(share[known] * top[known] / bottom[known]) / share[known].sum())
