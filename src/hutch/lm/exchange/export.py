"""Write a model that Hutch trained as a folder that transformers, and what is built on it, reads.

folder/model.safetensors         the weights, under transformers' names
folder/tokenizer.json            the tokenizer of the library `tokenizers`, with tokenizer_config.json
folder/generation_config.json    which token ends a text
folder/README.md                 what it is
folder/config.json               written last: without it transformers reads nothing
"""

from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from hutch.lm.exchange.llama import Architecture, to_architecture
from hutch.lm.exchange.our_folders import is_our_model
from hutch.lm.exchange.tokenizer_files import to_tokenizers, tokenizer_config
from hutch.lm.model import ModelConfig
from hutch.lm.own_model import MODEL, TOKENIZER, OwnModel
from hutch.runs.atomic import atomic_path, write_json, write_text
from hutch.runs.errors import BadInput, HutchError


def export_model(source: Path | str, folder: Path | str, *, architecture: Architecture = "llama") -> Path:
    """Write the model in `source` (a run, see `OwnModel.load`) to `folder` for transformers; returns `folder`.

    `AutoModelForCausalLM` gives the same logits, but for rounding, and `AutoTokenizer` the same ids. "llama" is read
    by every version of transformers, "arcee" from 4.53 on and has no dead weights (`hutch.lm.exchange.llama`).
    Raises BadInput for relative positions, which no class of transformers has, and for a folder in use.
    """
    source, folder = Path(source), Path(folder)
    if is_our_model(folder):
        raise BadInput(f"{folder} holds a model of Hutch, which would be lost: name another folder to export to")
    own = OwnModel.load(source)
    config, tensors = to_architecture(own.model, architecture)
    end = own.tokenizer.end_of_document
    forget_old_export(folder)
    write_tensors(folder / MODEL, tensors)
    write_text(folder / TOKENIZER, to_tokenizers(own.tokenizer).to_str(pretty=True))
    write_json(folder / "tokenizer_config.json", tokenizer_config(own.tokenizer, own.context))
    write_json(folder / "generation_config.json", {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end})
    write_text(folder / "README.md", readme(own.model.config, own.model.parameter_count(), config))
    write_json(folder / "config.json", config | {"bos_token_id": end, "eos_token_id": end})
    return folder


def forget_old_export(folder: Path) -> None:
    """What replaces an old export must not be readable while half of it is the old one's."""
    try:
        (folder / "config.json").unlink(missing_ok=True)
    except OSError as error:
        raise HutchError(f"cannot write {folder}: {error.strerror}") from error


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """One safetensors file; the header says, as transformers expects, that PyTorch wrote it."""
    with atomic_path(path) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, {"format": "pt"})


def readme(model: ModelConfig, parameters: int, config: dict[str, Any]) -> str:
    """A model card: what the model is and how to load it."""
    dead = ""
    if config["model_type"] == "llama":
        dead = (
            "\nIts feed-forward layers have no gate. To be a Llama exactly, each has an up projection without effect "
            "(weights 0,\nbias 1), so programs that count parameters find more than the model has.\n"
        )
    return f"""---
library_name: transformers
pipeline_tag: text-generation
---

# A language model trained with Hutch

{parameters:,} parameters: {model.layers} layers, width {model.width}, {model.heads} heads of {model.key_size}, \
feed-forward {model.feed_forward}, {model.vocabulary:,} tokens, context {model.context}.
RMSNorm, rotary positions, tanh-GELU, tied embedding, float32; written as `{config["architectures"][0]}`.
{dead}
```python
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained(".")
tokenizer = AutoTokenizer.from_pretrained(".")
prompt = tokenizer(tokenizer.bos_token + "Once upon a time", split_special_tokens=False, return_tensors="pt")
text = model.generate(prompt.input_ids, max_new_tokens=100, do_sample=True)
print(tokenizer.decode(text[0]))
```

In training every document followed an end of document, so a prompt begins with that token; the tokenizer does not
add it. Its name inside a text is plain text.
"""
