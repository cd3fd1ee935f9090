"""A language model's own hidden states: their mean over the chunk."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hutch.retrieval.embedders.protocol import unit_length
from hutch.runs.errors import BadInput
from hutch.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from hutch.lm.model import Transformer

MODEL = "embedder.safetensors"
ROWS_AT_ONCE = 64


class HiddenStateEmbedder:
    """What a block of one of Hutch's transformers leaves, averaged over the tokens of a chunk and of unit length.

    The chunk stands alone, as if a document began with it.
    """

    def __init__(self, model: "Transformer", layer: int | None = None) -> None:
        """`layer`: after how many blocks, 0 for the embeddings alone, None for all. Raises BadInput beyond those."""
        blocks = model.config.layers
        self.layer = blocks if layer is None else layer
        if not 0 <= self.layer <= blocks:
            raise BadInput(f"layer is {layer}; the model has blocks 1 to {blocks}, and 0 stands for its embeddings")
        self.model = model.eval()
        self.name = f"hidden states after block {self.layer} of {blocks}"
        self.dimensions = model.config.width
        self.digest = weights_digest(model, self.layer)

    def embed(self, tokens_nm: np.ndarray, tokenizer: Tokenizer) -> np.ndarray:
        """See `Embedder`. Raises BadInput for a tokenizer that is not the model's, or rows longer than its context."""
        tokens_nm = np.asarray(tokens_nm)
        if tokenizer.vocabulary != self.model.config.vocabulary:
            raise BadInput(
                f"the model that embeds knows {self.model.config.vocabulary} tokens, the tokenizer "
                f"{tokenizer.vocabulary}: they do not belong together"
            )
        if tokens_nm.shape[1] > self.model.config.context:
            raise BadInput(f"{tokens_nm.shape[1]} tokens are more than the context of {self.model.config.context}")
        parts = [self._means(tokens_nm[i : i + ROWS_AT_ONCE]) for i in range(0, len(tokens_nm), ROWS_AT_ONCE)]
        return unit_length(np.concatenate([np.zeros((0, self.dimensions), np.float32), *parts]))

    def _means(self, tokens_bt: np.ndarray) -> np.ndarray:
        import torch

        device = self.model.embedding.weight.device
        ids_bt = torch.from_numpy(np.maximum(tokens_bt, 0).astype(np.int64)).to(device)
        mask_bt1 = torch.from_numpy(tokens_bt >= 0).to(device).unsqueeze(-1)
        with torch.inference_mode():
            # Attention is causal, so the padding behind a row changes nothing before it.
            x_btd = self.model.embedding(ids_bt)
            for block in self.model.blocks[: self.layer]:
                x_btd = block(x_btd)
            return ((x_btd * mask_bt1).sum(1) / mask_bt1.sum(1).clamp(min=1)).float().cpu().numpy()

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the model's weights beside the database."""
        from hutch.lm.checkpoints import save_weights

        save_weights(folder / MODEL, self.model)
        return {"kind": "hidden states", "layer": self.layer}

    @classmethod
    def load(cls, folder: Path, layer: int) -> "HiddenStateEmbedder":
        """Read what `save` wrote."""
        from hutch.lm.checkpoints import load_model

        return cls(load_model(folder / MODEL), layer)


def weights_digest(model: "Transformer", layer: int) -> str:
    """Names the weights and the layer."""
    state = hashlib.sha256(f"{model.config} {layer}".encode())
    for name, value in sorted(model.state_dict().items()):
        state.update(name.encode() + value.detach().float().cpu().numpy().tobytes())
    return state.hexdigest()[:16]
