"""The four scales at which every study can be asked, and what their configurations have in common."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hutch.runs import BadInput
from hutch.text import CorpusConfig

SCALES = ("smoke", "quick", "hour", "day")

Config = TypeVar("Config")


def refuse_unknown_scale(scale: str) -> None:
    """Raise BadInput for what is none of the four."""
    if scale not in SCALES:
        raise BadInput(f'there is no scale "{scale}": choose one of {", ".join(SCALES)}')


def chosen(scale: str, presets: Mapping[str, Callable[[], Config]]) -> Config:
    """The preset of that name."""
    refuse_unknown_scale(scale)
    return presets[scale]()


def corpus_of(config: Any) -> CorpusConfig:
    """The corpus that a study's configuration asks for: the fields that both have."""
    names = {field.name for field in dataclasses.fields(CorpusConfig)} & {f.name for f in dataclasses.fields(config)}
    return CorpusConfig(**{name: getattr(config, name) for name in names})


def listed(values: tuple[float, ...]) -> str:
    """Numbers in a message."""
    return ", ".join(f"{value:g}" for value in values)
