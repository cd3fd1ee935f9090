"""Configurations from plain JSON values, and changed by them."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from hutch.runs.atomic import read_json
from hutch.runs.configuration import plain
from hutch.runs.errors import BadInput

Config = TypeVar("Config")


def built(kind: Any, value: Any) -> Any:
    """A configuration of class `kind` from plain JSON values: the inverse of `hutch.runs.plain`. Raises BadInput for a
    name that the class lacks or a value of another type."""
    if is_dataclass(kind):
        name = getattr(kind, "__name__", "configuration")
        if not isinstance(value, dict):
            raise BadInput(f"a {name} is {value!r}; it must be an object of its fields")
        hints, known = get_type_hints(kind), [field.name for field in fields(kind)]
        unknown = sorted(set(value) - set(known))
        if unknown:
            raise BadInput(f"a {name} has no {unknown[0]!r}; it has {', '.join(known)}")
        make: Any = kind
        try:
            return make(**{key: built(hints[key], part) for key, part in value.items()})
        except TypeError as error:
            raise BadInput(f"a {name} cannot be made: {error}") from error
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if not isinstance(value, list | tuple) or (inner[-1] is not ... and len(value) != len(inner)):
            wanted = "a list" if inner[-1] is ... else f"a list of {len(inner)}"
            raise BadInput(f"{value!r} stands where {wanted} must be")
        return tuple(built(inner[0] if inner[-1] is ... else inner[i], part) for i, part in enumerate(value))
    if kind in (int, float, bool, str):
        fits = isinstance(value, bool) if kind is bool else isinstance(value, kind) and not isinstance(value, bool)
        if not (fits or (kind is float and isinstance(value, int) and not isinstance(value, bool))):
            raise BadInput(f"{value!r} stands where {_article(kind)} must be")
    return value


def changed(config: Config, path: Path) -> Config:
    """The configuration with what a JSON file says in place of its own, field by field, however deep."""
    if not path.is_file():
        raise BadInput(f"{path} is no file; it must be JSON with fields of the configuration")
    try:
        return built(type(config), _merged(plain(config), read_json(path)))
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error


def _merged(whole: dict[str, Any], changes: Any) -> Any:
    if not isinstance(changes, dict):
        return changes
    merged = dict(whole)
    for name, value in changes.items():
        inner = merged.get(name)
        merged[name] = _merged(inner, value) if isinstance(inner, dict) else value
    return merged


def _article(kind: Any) -> str:
    return {int: "a whole number", float: "a number", bool: "true or false", str: "text"}[kind]
