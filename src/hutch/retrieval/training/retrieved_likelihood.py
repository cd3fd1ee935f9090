"""How many nats a model that retrieves needs for documents it has not seen, token by token.

Legend: w windows, t positions, l chunks of a window, m tokens of a chunk, k neighbours, r tokens of one.
"""

from dataclasses import dataclass

import numpy as np
import torch

from hutch.lm.likelihood import windows_of
from hutch.lm.trainable import Trainable
from hutch.retrieval.database import ChunkDatabase
from hutch.retrieval.database.config import Retriever
from hutch.retrieval.training.neighbour_batches import Values
from hutch.text import Shard

MISSING = -1


@dataclass(frozen=True)
class HeldOutWindows:
    """Held-out documents as a model reads them: windows that do not overlap, each predicted token once."""

    inputs_wt: np.ndarray
    targets_wt: np.ndarray
    owner_wt: np.ndarray
    """The document of each target, −1 behind its end."""

    @classmethod
    def of(cls, shard: Shard, context: int, end_of_document: int) -> "HeldOutWindows":
        """The windows of a shard (`hutch.lm.likelihood.windows_of`)."""
        return cls(*windows_of(shard, context, end_of_document))

    def first(self, documents: int | None) -> "HeldOutWindows":
        """Those of the first so many documents; None: all."""
        if documents is None:
            return self
        rows = self.owner_wt[:, 0] < documents
        return HeldOutWindows(self.inputs_wt[rows], self.targets_wt[rows], self.owner_wt[rows])

    def whole_chunks(self, chunk: int) -> np.ndarray:
        """Which chunks of each window hold no padding, booleans [w, l]."""
        whole = self.owner_wt.shape[1] // chunk * chunk
        return self.owner_wt[:, :whole].reshape(len(self.owner_wt), -1, chunk)[:, :, -1] >= 0

    def neighbours(self, database: ChunkDatabase, k: int, *, retriever: Retriever | None = None) -> np.ndarray:
        """The k best chunks of the database for each whole chunk: int64 [w, l, k], −1 for the others. The query is
        what the model has read, so that nothing that comes later has a part in it."""
        chunk = database.config.chunk
        whole_wl = self.whole_chunks(chunk)
        chunks_wlm = self.inputs_wt[:, : whole_wl.shape[1] * chunk].reshape(*whole_wl.shape, chunk)
        ids = np.full((*whole_wl.shape, k), MISSING, np.int64)
        ids[whole_wl] = database.search(chunks_wlm[whole_wl], k, retriever=retriever).ids
        return ids


@torch.no_grad()
def token_nats(
    model: Trainable,
    windows: HeldOutWindows,
    ids_wlk: np.ndarray | None = None,
    values: Values | None = None,
    *,
    windows_at_once: int = 16,
) -> np.ndarray:
    """Negative log-likelihood of each token of the documents, one behind the other in the shard's order, float64.

    `model` is a `Retro`, or a `Transformer` where nothing is retrieved: without `ids_wlk`
    (`HeldOutWindows.neighbours`), or with k = 0.
    """
    nats = []
    for first in range(0, len(windows.inputs_wt), windows_at_once):
        rows = slice(first, first + windows_at_once)
        parts = [windows.inputs_wt[rows], windows.targets_wt[rows]]
        if ids_wlk is not None and values is not None and ids_wlk.shape[-1]:
            parts.append(values(ids_wlk[rows]))
        losses = model.loss(*map(torch.from_numpy, parts), reduction="none")
        real = windows.owner_wt[rows].ravel() >= 0
        nats.append(losses.double().numpy()[real])
    return np.concatenate(nats)
