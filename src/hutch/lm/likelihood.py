"""How many nats a model needs for documents it has not seen."""

import numpy as np
import torch

from hutch.lm.model import Transformer
from hutch.text import Shard


def windows_of(shard: Shard, context: int, end_of_document: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, targets and the document of each target, [windows, context]; padding has document −1.

    Every token of a document is predicted once, its end of document not at all: a document that was cut has no
    natural end. A window's first input is the token before it; at a document's start that is the end of another.
    """
    spans = [
        (document, start, min(start + context, row["tokens"] - 1))
        for document, row in enumerate(shard.documents)
        for start in range(0, row["tokens"] - 1, context)
    ]
    inputs = np.zeros((len(spans), context), np.int64)
    targets = np.zeros((len(spans), context), np.int64)
    owner = np.full((len(spans), context), -1, np.int64)
    for row, (document, start, end) in enumerate(spans):
        tokens = np.concatenate(([end_of_document], shard.document(document)))
        inputs[row, : end - start] = tokens[start:end]
        targets[row, : end - start] = tokens[start + 1 : end + 1]
        owner[row, : end - start] = document
    return inputs, targets, owner


@torch.no_grad()
def document_nats(model: Transformer, shard: Shard, end_of_document: int, *, windows_at_once: int = 16) -> np.ndarray:
    """Total negative log-likelihood of each document of `shard`, nats, float64 [documents].

    Documents are scored in windows of the model's context that do not overlap, so tokens early in a window see
    little before them: an upper bound on what the model could do, the same for all models of one context.
    """
    inputs, targets, owner = windows_of(shard, model.config.context, end_of_document)
    nats = np.zeros(len(shard))
    for row in range(0, len(inputs), windows_at_once):
        rows = slice(row, row + windows_at_once)
        losses = model.loss(torch.from_numpy(inputs[rows]), torch.from_numpy(targets[rows]), "none").double().numpy()
        documents = owner[rows].ravel()
        real = documents >= 0
        nats += np.bincount(documents[real], losses[real], minlength=len(shard))
    return nats
