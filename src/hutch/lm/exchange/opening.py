"""Open a folder or a GGUF file with transformers, quietly, and refuse what would not be the model that was saved."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hutch.lm.exchange.gguf_files import quick_gguf
from hutch.runs.errors import BadInput, HutchError

LONGEST_REASON = 240
"""Characters of somebody else's error message that are shown."""

DTYPES = ("float32", "bfloat16", "float16")


def open_pretrained(path: Path, device: str, dtype: str) -> tuple[Any, Any]:
    """The model, ready to be asked, and its tokenizer; `path` is a folder of transformers or a .gguf file.

    Weights of a GGUF file are unpacked to `dtype`: four bytes a parameter in float32. Nothing is downloaded and no
    code from the folder is run. Raises BadInput for what is no model or needs a package that is missing, HutchError
    for a damaged one.
    """
    if dtype not in DTYPES:
        raise BadInput(f"dtype must be one of {', '.join(DTYPES)}, not {dtype!r}")
    is_gguf = path.suffix == ".gguf" and not path.is_dir()
    need_packages("transformers", *(["gguf", "accelerate"] if is_gguf else []))
    folder, more = (path.parent, {"gguf_file": path.name}) if is_gguf else (path, {})
    with reasons(path):
        check_place(path, is_gguf)
    with reasons(path), quiet(), quick_gguf() if is_gguf else nullcontext():
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, **more)
        model, found = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, dtype=dtype, output_loading_info=True, **more
        )
    check_weights(path, model, found)
    check_vocabulary(path, model, tokenizer)
    return on_device(model.eval(), device), tokenizer


def need_packages(*names: str) -> None:
    """Raise BadInput where one of the packages is not installed."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise BadInput(f"reading this model needs {' and '.join(missing)}: pip install 'hutch-lab[hf]'")


def on_device(model: Any, device: str) -> Any:
    """The model on `device`; BadInput where there is none of that name."""
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as error:
        raise BadInput(f"device {device!r} cannot be used: {first_line(error)}") from error


def check_place(path: Path, is_gguf: bool) -> None:
    """Raise BadInput where there is nothing that could be a model."""
    if not path.exists():
        raise BadInput(f"{path} does not exist: name a folder with a config.json, or a .gguf file")
    if is_gguf:
        with path.open("rb") as handle:
            if handle.read(4) != b"GGUF":
                raise BadInput(f"{path} is not a GGUF file")
    elif path.is_file():
        raise BadInput(f"{path} is no model: name a folder with a config.json, or a .gguf file")
    elif not (path / "config.json").is_file():
        raise BadInput(f"{path} holds no config.json: it is no model of transformers")
    else:
        check_config(path / "config.json")


def check_config(path: Path) -> None:
    """Raise HutchError for a configuration that is no JSON object: what transformers says of it is no help."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HutchError(f"{path} is not JSON: {error}") from error
    if not isinstance(config, dict) or "model_type" not in config:
        raise HutchError(f"{path} names no model_type: it is not the configuration of a model of transformers")


def check_weights(path: Path, model: Any, found: dict[str, Any]) -> None:
    """Raise HutchError where the file's weights are not those of the configuration.

    transformers would fill in missing ones at random, with no more than a remark. Of those that it did not use, it is
    only the ones named like the model's own that tell of a wrong configuration.
    """
    if found["missing_keys"] or found["mismatched_keys"]:
        lacking = sorted(map(str, [*found["missing_keys"], *found["mismatched_keys"]]))
        raise HutchError(f"{path} lacks {len(lacking)} of the model's weights, such as {lacking[0]}")
    own = {without_numbers(name) for name in model.state_dict()}
    spare = sorted(name for name in found["unexpected_keys"] if without_numbers(name) in own)
    if spare:
        raise HutchError(f"{path} holds more weights than its configuration says, such as {spare[0]}")


def without_numbers(name: str) -> str:
    """The name of a weight in any layer."""
    return re.sub(r"\d+", "#", name)


def check_vocabulary(path: Path, model: Any, tokenizer: Any) -> None:
    """Raise BadInput where the tokenizer has more tokens than the model has embeddings.

    Spare embeddings are common, and so are tokens that were added to the tokenizer and that no text leads to.
    """
    rows = embeddings(model)
    if tokenizer.vocab_size > rows:
        raise BadInput(
            f"{path}: its tokenizer has {len(tokenizer)} tokens, the model {rows}: they do not belong together"
        )


def embeddings(model: Any) -> int:
    """How many token ids the model knows."""
    return model.get_input_embeddings().weight.shape[0]


@contextmanager
def reasons(path: Path) -> Iterator[None]:
    """Whatever goes wrong inside a model's file becomes one line that names it."""
    try:
        yield
    except (HutchError, MemoryError):
        raise
    except Exception as error:
        raise HutchError(f"{path} cannot be read as a language model: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What an error says, cut to one line of moderate length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"


@contextmanager
def quiet() -> Iterator[None]:
    """transformers' progress bars and remarks are off until the block ends: what matters is checked by hand."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        # The bar of GGUF's tensors cannot be switched off otherwise.
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
