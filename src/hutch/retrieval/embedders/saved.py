"""Open the embedder that a database was made with, from what its manifest says."""

from pathlib import Path
from typing import Any

from hutch.retrieval.embedders.protocol import Embedder
from hutch.runs.errors import HutchError


def open_embedder(folder: Path, described: dict[str, Any]) -> Embedder:
    """`described`: what `Embedder.save` returned. Raises HutchError where it is gone or damaged."""
    kind = described.get("kind")
    if kind == "static":
        from hutch.retrieval.embedders.static import StaticEmbedder

        return StaticEmbedder.load(folder)
    if kind == "transformer":
        from hutch.retrieval.embedders.transformer import TransformerEmbedder

        return TransformerEmbedder(described["folder"], dtype=described["dtype"])
    if kind == "hidden states":
        from hutch.retrieval.embedders.hidden_states import HiddenStateEmbedder

        return HiddenStateEmbedder.load(folder, described["layer"])
    raise HutchError(f"{folder} was made with an embedder of the unknown kind {kind!r}: give the embedder itself")
