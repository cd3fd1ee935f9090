"""Tell a folder with a model that Hutch trained from others: both may hold a model.safetensors."""

from pathlib import Path

from safetensors import SafetensorError, safe_open

from hutch.lm.checkpoints import FORMAT, OLD_FORMAT
from hutch.lm.own_model import MODEL


def is_our_model(folder: Path) -> bool:
    """Whether `folder` holds weights with Hutch's header (`hutch.lm.checkpoints.save_weights`)."""
    try:
        with safe_open(folder / MODEL, framework="pt") as handle:
            return bool({FORMAT, OLD_FORMAT} & set(handle.metadata() or {}))
    except (OSError, SafetensorError):
        return False
